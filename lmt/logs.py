"""Logs: one JSON object a line; coloured text where a person watches a terminal."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_once(level: str) -> None:
    """For the web process, which no command of ours starts; what is configured already stands."""
    if not structlog.is_configured():
        configure(level)


def configure(level: str) -> None:
    """Log to standard error, so that a command's own output stays clean.

    Tracebacks never show the values of variables: these are what customers told us.
    """
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s %(message)s")
    for chatty in ("alembic", "apscheduler", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        # Looked up at each call: whoever replaces standard error may close it again.
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )
