"""A process that makes others and lets each die by SIGKILL at the n-th side of a commit.

It reads orders as lines of JSON ({"task", "die_at", …}) and answers each with a line of JSON:
{"killed", "code", "told"}. A child opens its own connections; nothing of production knows of this.
What nobody is to die of, the process does itself: its children are born with what it has read and
compiled, as a worker that has run for a while has it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from functools import cached_property, partial
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from lmt import logs
from lmt.collector import starting
from lmt.config import from_environment
from lmt.db import engine_for, sessions_for

with starting():
    from lmt.notify import outbox
    from lmt.worker import advance_leads

NAME = "doomed"
"""How the children's connections are called in pg_stat_activity."""


def die_at(number: int, engine: Engine) -> None:
    """Kill this process at the `number`-th moment just before or just after a commit."""
    moments = count(1)

    def moment(_target: Any) -> None:
        if next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "commit", moment)
    event.listen(Session, "after_commit", moment)


class Tasks:
    """What a life is filled with, and what it needs for that."""

    def __init__(self) -> None:
        self.settings = from_environment()
        logs.configure_once(self.settings.log_level)
        self.engine = engine_for(self.settings.database_url, application_name=NAME)

    @cached_property
    def client(self) -> FlaskClient:
        with starting():
            from lmt.app import create_app

            return create_app(self.settings, engine=self.engine).test_client()

    def work(self, order: dict[str, Any]) -> str:
        """All that is due, as the worker does it."""
        at, sessions = datetime.fromisoformat(order["at"]), sessions_for(self.engine)
        while advance_leads(sessions, at) + outbox.send_due(sessions, self.settings, at):
            pass
        return "idle"

    def call(self, order: dict[str, Any]) -> str:
        """A call of the API; what the caller was told."""
        answer = self.client.post("/api/v1/leads", data=order["body"], headers=order["headers"])
        return answer.text


def child(act: Callable[[], str], told: int) -> None:
    try:
        os.write(told, act().encode())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    tasks = Tasks()
    for line in sys.stdin:
        order = json.loads(line)
        act = partial(getattr(tasks, order["task"]), order)
        if not order["die_at"]:
            words = act()
            # No child is born with a connection of ours.
            tasks.engine.dispose()
            print(json.dumps({"killed": False, "code": 0, "told": words}), flush=True)
            continue
        if order["task"] == "call":
            # Made once, for all that are to be born.
            assert tasks.client
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            die_at(order["die_at"], tasks.engine)
            child(act, told)
        os.close(told)
        with os.fdopen(heard) as pipe:
            words = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answer = {"killed": code == -signal.SIGKILL, "code": code, "told": words}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
