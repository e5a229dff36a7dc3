"""Runs migrations on the connection that `lmt.schema` hands over."""

from __future__ import annotations

from alembic import context

import lmt.models  # noqa: F401  (fills the metadata, for autogenerate)
from lmt.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
