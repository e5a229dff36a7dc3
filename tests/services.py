"""The real service for tests: web and worker as processes of their own, talked to over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Service:
    url: str
    instance: Path
    process: subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(database_url: str, instance: Path) -> Iterator[Service]:
    """`lmt run` on a database that is there already; ends as Ctrl-C would."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "LMT_INSTANCE": str(instance),
        "LMT_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    log = (instance.parent / "service.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "lmt.cli", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "LMT is ready" in line:
                break
        else:
            log.seek(0)
            raise AssertionError(f"the service did not start:\n{log.read()}")
        yield Service(f"http://127.0.0.1:{port}", instance, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()
        log.close()
