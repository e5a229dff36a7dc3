"""A throw-away installation with the demo network, for benchmarks that need a real one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import Engine

from lmt import clock, embedded
from lmt.config import Settings, from_environment
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.demo.facts import DemoFacts
from lmt.demo.fill import fill
from lmt.install import install
from lmt.run import web_command, web_environment

PORT = 8765


@dataclass(frozen=True)
class Installation:
    settings: Settings
    sessions: SessionFactory
    facts: DemoFacts


@contextmanager
def installation(leads: int = 200) -> Iterator[Installation]:
    """The demo network with few leads, on an embedded database with its own durable settings."""
    with TemporaryDirectory() as folder, database(Path(folder)) as (settings, engine):
        install(engine, clock.now())
        facts = fill(sessions_for(engine), settings, at=clock.now(), leads=leads)
        yield Installation(settings, sessions_for(engine), facts)


@contextmanager
def database(folder: Path) -> Iterator[tuple[Settings, Engine]]:
    """The embedded database of an instance in `folder`, as it is."""
    with embedded.attached(folder / "instance") as server:
        settings = replace(
            from_environment({"LMT_INSTANCE": f"{folder}/instance", "LMT_PORT": str(PORT)}),
            database_url=server.url,
            listen_database_url=server.url,
        )
        engine = engine_for(server.url, pool_size=10)
        yield settings, engine
        engine.dispose()


@contextmanager
def served(settings: Settings, app: str = "") -> Iterator[str]:
    """LMT, or another `app`, behind the server that production uses; yields its address."""
    command = web_command(settings)
    if app:
        command[-2:] = [app]
    with process(command, web_environment(settings)):
        address = f"http://127.0.0.1:{PORT}"
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx.get(f"{address}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield address


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    started = subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        started.terminate()
        started.wait(20)
