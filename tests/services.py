"""The real service for tests: web and worker as processes of their own, talked to over HTTP, or
where no worker is asked for, the web alone from a thread.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from lmt.app import create_app
from lmt.config import from_environment


@dataclass(frozen=True)
class Web:
    """The pages, at a real address."""

    url: str


@dataclass(frozen=True)
class Service(Web):
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


@contextmanager
def answering(app: Flask) -> Iterator[str]:
    """`app` at a real address, from a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def web_alone(database_url: str, instance: Path) -> Iterator[Web]:
    """The web on a database that is there already: there at once, where `running` imports the whole
    of LMT into three processes."""
    named = {"DATABASE_URL": database_url, "LMT_INSTANCE": str(instance)}
    secret = {"LMT_SECRET_KEY": "a secret of the tests, of no worth elsewhere"}
    app = create_app(from_environment(named | secret))
    made = app.extensions["lmt"]
    with answering(app) as url:
        app.extensions["lmt"] = replace(made, settings=replace(made.settings, base_url=url))
        yield Web(url)
    made.engine.dispose()
