"""What hostile senders can make the service's memory do: nothing."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.run import web_command, web_environment
from tests.hostile import DOORS, FORM, JSON, PARTS, Door, add_sources, adf, parts
from tests.services import free_port
from tests.world import World

MB = 1024 * 1024
MOST_MORE_MB = 64
START_SECONDS = 60


@contextmanager
def web_process(settings: Settings) -> Iterator[psutil.Process]:
    """The web process as `lmt run` starts it, alone; ready when it is yielded."""
    environment = {**web_environment(settings), "LMT_SECRET_KEY": settings.secret_key}
    process = subprocess.Popen(web_command(settings), env=environment, start_new_session=True)
    try:
        until = time.monotonic() + START_SECONDS
        while asked(settings, "GET", "/healthz") != 200:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        (worker,) = psutil.Process(process.pid).children()
        yield worker
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def asked(
    settings: Settings, method: str, path: str, body: bytes | None = None, **headers: str
) -> int:
    """The status of the answer; 0 where there is none."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        if body is not None and "Transfer-Encoding" in named:
            pieces = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
            connection.request(method, path, pieces, named, encode_chunked=True)
        else:
            connection.request(method, path, body, named)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    except (BrokenPipeError, ConnectionResetError):
        # It stopped reading, and had said so before we looked.
        return 413
    finally:
        connection.close()


def memory_mb(process: psutil.Process, line: str) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split(f"{line}:")[1].split()[0]) / 1024


def filled(unit: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """As large as a body may be, and no larger."""
    room = 2 * MB - len(before) - len(after)
    return before + unit * (room // len(unit)) + after


TWO_MB: list[tuple[Door, bytes, str]] = [
    *(
        (DOORS[name], body, JSON)
        for name in ("api", "json")
        for body in (
            b"{" + b",".join(b'"k%d":1' % number for number in range(150_000)) + b"}",
            filled(b"{},", b'{"a":[', b"{}]}"),
            filled(b"[", b'{"a":'),
            filled(b"\\ud800", b'{"customer":{"email":"', b'"}}'),
            filled("😀".encode(), b'{"customer":{"full_name":"', b'"}}'),
        )
    ),
    (DOORS["json"], filled(b"%41", b"name="), FORM),
    (DOORS["json"], filled(b"a=1&"), FORM),
    (DOORS["json"], parts(10_000), PARTS),
    (DOORS["json"], filled(b"\r\n--c", parts(1)[:-7] + b"\r\n"), PARTS),
    (DOORS["form"], filled(b"z", b"retURL=https://brand.example/"), FORM),
    (DOORS["adf"], filled(b"<x/>", b"<adf><prospect>"), "text/xml"),
    (DOORS["adf"], filled(b"<", b"<adf><prospect>"), "text/xml"),
    (DOORS["adf"], adf("&amp;" * 350_000), "text/xml"),
    (DOORS["google"], filled(b'"a",', b'{"google_key":[', b'""]}'), JSON),
    (DOORS["meta"], filled(b'{"changes":[{}]},', b'{"entry":[', b"{}]}"), JSON),
    (DOORS["tiktok"], filled(b'{"changes":[{}]},', b'{"entry":[', b"{}]}"), JSON),
]


def test_memory_stays_flat_whatever_is_sent(
    settings: Settings, engine: Engine, session: Session, world: World
) -> None:
    assert engine
    add_sources(session, world, settings.secret_key)
    alone = replace(settings, port=free_port())
    with web_process(alone) as process:
        asked(alone, "POST", DOORS["api"].path, b"{}", **DOORS["api"].vouch(b""))
        idle = memory_mb(process, "VmRSS")
        for door, body, label in TWO_MB:
            headers = {**door.vouch(body), "Content-Type": label}
            assert asked(alone, "POST", door.path, body, **headers) in {200, 202, 303, 400, 422}
        for how in ({}, {"Transfer-Encoding": "chunked"}):
            body = b"[" + b" " * 50 * MB
            headers = {**DOORS["json"].vouch(b""), "Content-Type": JSON, **how}
            assert asked(alone, "POST", DOORS["json"].path, body, **headers) == 413
        peak = memory_mb(process, "VmHWM")
    print(f"idle {idle:.0f} MB, peak {peak:.0f} MB after {len(TWO_MB)} bodies of 2 MB")
    assert peak < idle + MOST_MORE_MB
