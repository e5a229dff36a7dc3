"""How often one address, or the pages of one origin, send a form: more than people do is looked
at, far more is turned away."""

from __future__ import annotations

import structlog
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from lmt import web

log = structlog.get_logger(__name__)

_TRIES = RateLimitItemPerMinute(60, namespace="form-tries")
_FROM_ADDRESS = (
    RateLimitItemPerMinute(10, namespace="form-address"),
    RateLimitItemPerHour(60, namespace="form-address"),
)
"""A showroom or an office sends from one address, and so do many telephones of one carrier."""
_COUNTS = RateLimitItemPerMinute(120, namespace="form-counts")
_FROM_ORIGIN = (RateLimitItemPerMinute(1_200, namespace="form-origin"),)


def is_flood(code: str) -> bool:
    """Does this address post the form far beyond what people could? Counts this time, too."""
    return not _within(_TRIES, code, get_remote_address())


def is_over_rate(code: str, origin: str) -> bool:
    """Is the form sent more often than people do, by this address or from this origin ("" where
    the request names none)? Counts this time, too."""
    limits = [(item, get_remote_address()) for item in _FROM_ADDRESS]
    if origin:
        limits += [(item, origin) for item in _FROM_ORIGIN]
    return not all(_within(item, code, whose) for item, whose in limits)


def may_count() -> bool:
    """Is this address's beacon still one that a figure may be made of? Counts this one, too."""
    return _within(_COUNTS, get_remote_address())


def _within(item: RateLimitItem, *whose: str) -> bool:
    if not web.limiter.enabled:
        return True
    try:
        return web.limiter.limiter.hit(item, *whose)
    except Exception:
        # Where the counters are away, no lead is held up for it.
        log.exception("form.rate_unknown")
        return True
