"""What an installation needs before its first lead: schema, partitions, roles, default rules."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from lmt import schema
from lmt.accounts.service import ensure_roles
from lmt.db import sessions_for
from lmt.models.partitions import ensure_partitions
from lmt.qualify.defaults import ensure_default_rules
from lmt.scope import SYSTEM, act_as


def install(engine: Engine, at: datetime) -> None:
    """Bring the database up to this version; doing it again changes nothing."""
    schema.upgrade(engine)
    with engine.begin() as connection:
        ensure_partitions(connection, at)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        ensure_roles(session)
        ensure_default_rules(session)
        session.commit()
