"""A dealer system's report as it comes and as it is understood: strictly, in its language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.instants import written_instant
from lmt.ingest.schemafields import Part, Text, _Translated, translated
from lmt.ingest.schemas import _Strict
from lmt.labels import LABELS

STATUSES = ("accepted", "declined", "contacted", "won", "lost")
_REASONS = {"declined": "decline_reason", "lost": "lost_reason"}
_CLOCKS_DIFFER = timedelta(minutes=10)
_FARTHEST = timedelta(days=730)
_MOST = Decimal("999999999999.99")


class _Choice(Text):
    """One of a few codes."""

    def __init__(self, codes: tuple[str, ...], **options: Any) -> None:
        self.codes = codes
        metadata = {"enum": list(codes)}
        super().__init__(40, self._unknown, metadata=metadata, **options)

    def _unknown(self, text: str) -> str:
        if text in self.codes:
            return ""
        return _("Use one of: %(values)s.", values=", ".join(self.codes))


def _instant(text: str) -> str:
    if written_instant(text):
        return ""
    return _("Give date and time with its offset, such as 2026-03-06T09:12:00+03:00.")


class _Sum(_Translated, fields.Decimal):
    default_error_messages = translated(invalid=_l("Give a sum."), special=_l("Give a sum."))


def _in_bounds(value: Decimal) -> None:
    if not 0 <= value <= _MOST:
        raise ValidationError(_("Give a sum."))


class NextSchema(_Strict):
    """The next step that the dealer plans."""

    kind = _Choice(
        tuple(LABELS["plan_kind"]),
        required=True,
        error_messages=translated(required=_l("Say what is planned.")),
    )
    due_at = Text(
        64,
        _instant,
        required=True,
        metadata={"format": "date-time"},
        error_messages=translated(required=_l("Say for when.")),
    )
    note = Text(4_000, lines=True)


class ReportSchema(_Strict):
    """What became of a lead."""

    status = _Choice(
        STATUSES,
        required=True,
        allow_none=False,
        error_messages=translated(
            required=_l("Say what became of the lead."), null=_l("Say what became of the lead.")
        ),
    )
    at = Text(64, _instant, metadata={"format": "date-time"})
    reason = Text(40)
    note = Text(4_000, lines=True)
    how = _Choice(tuple(LABELS["contact_how"]))
    result = _Choice(tuple(LABELS["contact_result"]))
    order_number = Text(200)
    model = Text(200)
    value = _Sum(allow_none=True, validate=_in_bounds, metadata={"type": "number"})
    currency = Text(3)
    next = Part(NextSchema, allow_none=True)


@dataclass(frozen=True, slots=True)
class NextStep:
    kind: str
    due_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`happened_at`: when it was so at the dealer, where that was told; `digest` is the same for
    the same report sent again."""

    status: str
    reason: str
    note: str
    how: str
    result: str
    order_number: str
    model: str
    value: Decimal | None
    happened_at: datetime | None
    next: NextStep | None
    digest: str


def report_of(
    data: Mapping[str, Any], *, at: datetime, currency: str, key: str = ""
) -> StatusReport:
    """The report, at the instant `at`, for a lead of a market that counts in `currency`.

    Raises ValidationError with messages by field.
    """
    given = ReportSchema().load(data)
    text = {name: str(given.get(name) or "").strip() for name in _TEXTS}
    problems: dict[str, Any] = {}
    status = text["status"]
    if (kind := _REASONS.get(status)) and text["reason"] not in LABELS[kind]:
        codes = ", ".join(LABELS[kind])
        problems["reason"] = [_("Use one of: %(values)s.", values=codes)]
    happened_at = written_instant(text["at"])
    if happened_at is not None and happened_at > at + _CLOCKS_DIFFER:
        problems["at"] = [_("This lies in the future.")]
    value = given.get("value")
    if value is not None and text["currency"].upper() not in ("", currency):
        problems["currency"] = [_("Sums of this market are in %(currency)s.", currency=currency)]
    planned = given.get("next") or {}
    due_at = written_instant(str(planned.get("due_at") or ""))
    if planned and status not in ("accepted", "contacted"):
        problems["next"] = [_("Only a lead that is worked on has a next step.")]
    elif due_at is not None and not at < due_at <= at + _FARTHEST:
        problems["next"] = {"due_at": [_("Choose a time ahead, within two years.")]}
    if problems:
        raise ValidationError(problems)
    step = None
    if planned and due_at is not None:
        note = str(planned.get("note") or "").strip()
        step = NextStep(str(planned["kind"]), due_at.astimezone(UTC), note)
    return StatusReport(
        status=status,
        reason=text["reason"],
        note=text["note"],
        how=text["how"] or "phone",
        result=text["result"] or "reached",
        order_number=text["order_number"],
        model=text["model"],
        value=None if value is None else value.quantize(Decimal("0.01")),
        happened_at=None if happened_at is None else happened_at.astimezone(UTC),
        next=step,
        digest=_digest(data, key),
    )


_TEXTS = ("status", "reason", "note", "how", "result", "order_number", "model", "currency", "at")


def _digest(data: Mapping[str, Any], key: str) -> str:
    told = json.dumps([data, key], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:32]
