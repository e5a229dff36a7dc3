"""What a replay is asked: which past leads, and the rules to try on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lmt.i18n import gettext as _

USUAL_DAYS = 30
"""How far back a replay goes where nothing is said."""

_LISTS = ("request_types", "brands", "bands", "sources", "dealers")


class BadQuestion(ValueError):
    """What is asked can't be replayed; says why, in the reader's language."""


@dataclass(frozen=True, slots=True)
class Question:
    """Leads of a market received from `from_at` until before `to_at`, narrowed where a tuple of
    codes is given (`dealers`: who really got them first). The others take their places all the
    same, but aren't counted.

    `settings` are a policy's, tried instead of those that held; None leaves these. `changes` are
    dealers' settings to try, by dealer's code (`lmt.replay.whatif`).
    """

    market_id: int
    from_at: datetime
    to_at: datetime
    settings: Mapping[str, Any] | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    request_types: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    dealers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.from_at.utcoffset() is None or self.to_at.utcoffset() is None:
            raise BadQuestion(_("The period needs a time zone."))
        if self.from_at >= self.to_at:
            raise BadQuestion(_("The period ends before it begins."))

    def to_json(self) -> dict[str, Any]:
        """As the arguments of a job; `question_from` reads them back."""
        plain: dict[str, Any] = {
            "from": self.from_at.isoformat(),
            "to": self.to_at.isoformat(),
            "changes": {code: dict(changes) for code, changes in self.changes.items()},
        }
        if self.settings is not None:
            plain["settings"] = dict(self.settings)
        return plain | {name: list(getattr(self, name)) for name in _LISTS if getattr(self, name)}


def question_from(plain: Mapping[str, Any], market_id: int, at: datetime) -> Question:
    """Read the arguments of a job: {"settings", "changes", "from", "to", "request_types",
    "brands", "bands", "sources", "dealers"}, each optional. Without a period it is the USUAL_DAYS
    before `at`. Raises BadQuestion.
    """
    unknown = set(plain) - {"settings", "changes", "from", "to", "draft", *_LISTS}
    if unknown:
        raise BadQuestion(_("%(name)s can't be asked.", name=min(unknown)))
    try:
        to_at = datetime.fromisoformat(plain["to"]) if plain.get("to") else at
        from_at = to_at - timedelta(days=USUAL_DAYS)
        if plain.get("from"):
            from_at = datetime.fromisoformat(plain["from"])
    except (TypeError, ValueError) as problem:
        raise BadQuestion(_("The period can't be read.")) from problem
    return Question(
        market_id,
        from_at,
        to_at,
        settings=plain.get("settings"),
        changes=plain.get("changes") or {},
        **{name: tuple(plain.get(name) or ()) for name in _LISTS},
    )
