"""A form as data: an ordered list of fields, for one market and source."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base
from lmt.models.source import Source


class Form(Base):
    __tablename__ = "form"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    definition: Mapped[dict[str, Any]]
    """`lmt.forms.definition.FormDefinition` as JSON."""
    source: Mapped[Source] = relationship()
