"""A process that makes others and lets each die by SIGKILL at the n-th side of a commit.

It reads orders as lines of JSON ({"task", "die_at", …}) and answers each with a line of JSON:
{"killed", "code", "told"}. A child opens its own connections; nothing of production knows of this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from lmt.app import create_app
from lmt.config import Settings, from_environment
from lmt.db import SessionFactory, engine_for
from lmt.notify import outbox
from lmt.worker import advance_leads

NAME = "doomed"
"""How the children's connections are called in pg_stat_activity."""


def die_at(number: int, engine: Engine, sessions: SessionFactory) -> None:
    """Kill this process at the `number`-th moment just before or just after a commit."""
    moments = count(1)

    def moment(_target: Any) -> None:
        if next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "commit", moment)
    event.listen(sessions, "after_commit", moment)


def work(sessions: SessionFactory, settings: Settings, order: dict[str, Any]) -> str:
    """All that is due, as the worker does it."""
    at = datetime.fromisoformat(order["at"])
    while advance_leads(sessions, at) + outbox.send_due(sessions, settings, at):
        pass
    return "idle"


def call(app: Flask, order: dict[str, Any]) -> str:
    """A call of the API; what the caller was told."""
    answer = app.test_client().post("/api/v1/leads", data=order["body"], headers=order["headers"])
    return answer.text


def child(order: dict[str, Any], act: Callable[[], str], told: int) -> None:
    try:
        os.write(told, act().encode())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    settings = from_environment()
    engine = engine_for(settings.database_url, application_name=NAME)
    app = create_app(settings, engine=engine)
    sessions: SessionFactory = app.extensions["lmt"].sessions
    tasks: dict[str, Callable[[dict[str, Any]], str]] = {
        "work": lambda order: work(sessions, settings, order),
        "call": lambda order: call(app, order),
    }
    for line in sys.stdin:
        order = json.loads(line)
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            if order["die_at"]:
                die_at(order["die_at"], engine, sessions)
            child(order, lambda order=order: tasks[order["task"]](order), told)
        os.close(told)
        with os.fdopen(heard) as pipe:
            words = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answer = {"killed": code == -signal.SIGKILL, "code": code, "told": words}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
