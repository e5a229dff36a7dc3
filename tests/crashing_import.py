"""A worker of imports alone, to be killed at any instant: it works until no job waits."""

from __future__ import annotations

import sys
from datetime import timedelta

from lmt import clock, jobs
from lmt.config import from_environment
from lmt.db import engine_for, sessions_for

NAME = "doomed-import"
"""How its connections are called in pg_stat_activity."""


def main(hours: int) -> None:
    """Whoever had the job before is dead: `hours` from now no lease of theirs is left."""
    engine = engine_for(from_environment().database_url, application_name=NAME)
    print("ready", flush=True)
    while jobs.work(sessions_for(engine), clock.now() + timedelta(hours=hours)):
        pass
    print("done", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
