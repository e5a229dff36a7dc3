"""A worker of imports and of their road alone, to be killed at any instant."""

from __future__ import annotations

from datetime import timedelta

from lmt import clock, jobs
from lmt.bulkroad.service import advance_many
from lmt.config import from_environment
from lmt.db import engine_for, sessions_for

NAME = "importing-worker"
"""How its connections are called in pg_stat_activity."""
LEASES_OVER = timedelta(hours=1)
"""Whoever had a job before is dead: no lease of theirs is waited for."""


def main() -> None:
    sessions = sessions_for(engine_for(from_environment().database_url, application_name=NAME))
    print("ready", flush=True)
    busy = True
    while busy:
        busy = jobs.work(sessions, clock.now() + LEASES_OVER)
        # A worker's runners go side by side; here the leads follow their rows.
        busy = bool(advance_many(sessions, clock.now())) or busy
    print("done", flush=True)


if __name__ == "__main__":
    main()
