"""How often a version of a form was seen, begun, sent, refused: counts by the day, of nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from lmt.db import SessionFactory
from lmt.embed.shown import ShownForm
from lmt.models import FormCount
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

BY_BROWSERS = frozenset({"seen", "started", "error"})
"""What a browser may tell; what was sent we know ourselves."""


def count(
    sessions: SessionFactory, shown: ShownForm, kind: str, at: datetime, names: Iterable[str] = ()
) -> None:
    """Once more `kind` (of `lmt.models.form.COUNTS`) on the market's day of `at`; for `error` once
    for each field of the inputs `names`, others are left out.

    In a transaction of its own, and a failure is logged alone: no visitor is held up by a figure.
    """
    fields = sorted(_fields(shown, names)) if kind == "error" else [""]
    if not fields:
        return
    day = at.astimezone(ZoneInfo(shown.form.source.market.timezone)).date()
    rows = [
        {"version_id": shown.version.id, "day": day, "kind": kind, "field": field, "times": 1}
        for field in fields
    ]
    statement = insert(FormCount).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=["version_id", "day", "kind", "field"],
        set_={"times": FormCount.times + 1},
    )
    try:
        with act_as(sessions(), SYSTEM) as session:
            session.execute(statement)
            session.commit()
    except SQLAlchemyError:
        log.exception("form.not_counted", form=shown.form.code, kind=kind)


def _fields(shown: ShownForm, names: Iterable[str]) -> set[str]:
    by_input = {name: item.key for item in shown.definition.fields for name in item.inputs}
    return {by_input[name] for name in names if name in by_input}
