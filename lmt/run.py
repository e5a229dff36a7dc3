"""`lmt run`: the whole service from one command, and its end with the same command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

import httpx
import structlog
from sqlalchemy import select

from lmt import clock, embedded
from lmt.config import Settings
from lmt.db import engine_for, sessions_for
from lmt.install import install
from lmt.models import User
from lmt.scope import SYSTEM, act_as

if TYPE_CHECKING:
    from lmt.demo.facts import DemoFacts

log = structlog.get_logger(__name__)

READY_SECONDS = 60
STOP_SECONDS = 20


class NotReady(RuntimeError):
    """The service didn't come up; the message says which part."""


def with_database(settings: Settings, stack: ExitStack) -> Settings:
    """`settings` with a database: the one named, or the embedded one, for as long as `stack`."""
    if not settings.embedded:
        return settings
    server = stack.enter_context(embedded.attached(settings.instance))
    return replace(settings, database_url=server.url, listen_database_url=server.url)


def serve(settings: Settings, *, demo: bool) -> int:
    """Database, migrations, demo, web and worker, until INT or TERM; returns an exit code."""
    began = time.perf_counter()
    _refuse_taken_port(settings)
    ending = _Ending()
    with ExitStack() as stack:
        settings = with_database(settings, stack)
        facts = prepare(settings, demo=demo)
        refuse_demo_abroad(settings)
        children = [
            stack.enter_context(_child(settings, "worker")),
            stack.enter_context(_child(settings, "web")),
        ]
        _wait_until_ready(settings, children, ending)
        if ending.is_set():
            return 0
        print(_welcome(settings, facts, time.perf_counter() - began), flush=True)
        while not ending.wait(1):
            for child in children:
                if child.poll() is not None:
                    log.error("run.child_ended", command=child.args, code=child.returncode)
                    return 1
    return 0


def _refuse_taken_port(settings: Settings) -> None:
    """Before minutes are spent on a demo that nobody could then look at."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            raise NotReady(
                f"{settings.host}:{settings.port} can't be used ({problem.strerror});"
                " set LMT_PORT to another port"
            ) from problem


def prepare(settings: Settings, *, demo: bool) -> DemoFacts | None:
    """Bring the database up to date, and fill the demo where it is asked for.

    Raises NotReady for a demo that others than this machine could reach.
    """
    if demo and not settings.loopback:
        raise NotReady(
            f"a demo is for this machine alone: {settings.host} is refused; set LMT_HOST to a"
            " loopback address"
        )
    engine = engine_for(settings.database_url, application_name="lmt init")
    try:
        install(engine, clock.now())
        if not demo:
            return None
        from lmt.demo.fill import fill

        return fill(sessions_for(engine), settings, at=clock.now())
    finally:
        engine.dispose()


def refuse_demo_abroad(settings: Settings) -> None:
    """Accounts whose passwords were printed are for this machine alone."""
    if settings.loopback:
        return
    engine = engine_for(settings.database_url)
    try:
        with act_as(sessions_for(engine)(), SYSTEM) as session:
            known = session.scalars(select(User.id).where(User.demo, User.active).limit(1)).first()
    finally:
        engine.dispose()
    if known is not None:
        raise NotReady(
            f"demo accounts live in this database: {settings.host} is refused; use a loopback"
            " address, or a database without the demo"
        )


def web_command(settings: Settings) -> list[str]:
    """How the web process is started; granian serves WSGI from threads."""
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        settings.host,
        "--port",
        str(settings.port),
        "--workers",
        "1",
        "--blocking-threads",
        str(settings.web_threads),
        "--no-ws",
        "--log-level",
        "error",
        "--factory",
        "lmt.wsgi:application",
    ]


class _Ending:
    """Set by INT or TERM; what was started is then stopped in order."""

    def __init__(self) -> None:
        self._event = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._set)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)


@contextmanager
def _child(settings: Settings, kind: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of our own: told where the database is, and ended with us."""
    worker = [sys.executable, "-m", "lmt.cli", "worker"]
    # A group of its own: Ctrl-C in the terminal reaches us alone, and we stop it in order.
    process = subprocess.Popen(
        web_command(settings) if kind == "web" else worker,
        env=web_environment(settings),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def web_environment(settings: Settings) -> Mapping[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "LISTEN_DATABASE_URL": settings.listen_database_url,
        "LMT_INSTANCE": str(settings.instance),
        "LMT_BASE_URL": settings.base_url,
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(
    settings: Settings, children: Sequence[subprocess.Popen[bytes]], ending: _Ending
) -> None:
    address = f"{settings.own_address}/readyz"
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and not ending.is_set():
        for child in children:
            if child.poll() is not None:
                raise NotReady(f"{child.args!r} ended with {child.returncode}")
        try:
            if httpx.get(address, timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        ending.wait(0.1)
    if not ending.is_set():
        raise NotReady(f"{address} didn't answer within {READY_SECONDS} s")


def _welcome(settings: Settings, facts: DemoFacts | None, seconds: float) -> str:
    lines = ["", f"LMT is ready at {settings.base_url} ({seconds:.1f} s from start)"]
    if facts is None:
        return "\n".join([*lines, "Make the first account: lmt user invite", ""])
    lines += ["", "Log in as:"]
    shown: set[str] = set()
    for account in facts.accounts:
        if account.role not in shown:
            shown.add(account.role)
            where = account.dealer or account.market or "everywhere"
            lines.append(f"  {account.role:<14} {account.email:<44} {account.password}  ({where})")
    lines.append("  (all of them: lmt demo --json)")
    doors = [source for source in facts.sources if source.kind == "api"]
    source = next((each for each in doors if each.market == "GULF"), doors[0])
    lines += ["", "Send a lead:", f"  {curl(settings, source.key)}"]
    if not settings.smtp_url:
        from lmt.demosite.origin import site_origin

        if origin := site_origin(settings.base_url):
            lines += ["", f"Forms on a brand's site: {origin}/demo/site"]
        lines += ["", f"Mails: {settings.base_url}/hq/mailbox (as headquarters)"]
    return "\n".join([*lines, ""])


def curl(settings: Settings, key: str) -> str:
    """One line that sends a real lead and waits for the dealer."""
    lead = (
        '{"customer":{"full_name":"سارة الحربي","phone":"٠٥٠١٢٣٤٥٦٧",'
        '"email":"sara@example.com","language":"ar"},'
        '"address":{"city":"الرياض","country":"SA"},'
        '"request":{"type":"test_drive","comments":"This week, please"}}'
    )
    return (
        f"curl -s {settings.base_url}/api/v1/leads -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{lead}'"
    )
