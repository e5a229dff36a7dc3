"""What stands beside a lead on its page: who could have it, whom to ask, what can be booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import appointments, colleagues, helping, statuses, verdicts
from lmt.desk.steps import slot_value
from lmt.lifecycle import WITH_DEALER, WORKED
from lmt.models import HelpThread, Lead, SlotTerms, Verdict
from lmt.models.work import PLAN_KINDS

BOOKABLE_DAYS = 14
MOST_SLOTS = 12


Slots = Sequence[tuple[date, Sequence[tuple[str, datetime]]]]
"""Bookable times by day on the dealer's wall, each with its value in a form."""


@dataclass(frozen=True, slots=True)
class Beside:
    """`slots` are the next bookable times by kind of step, as a form names them; `own_statuses`
    are the market's within the lead's status, `own_status` the one it has, in words."""

    colleagues: Sequence[colleagues.Colleague] = ()
    experts: Mapping[int, str] = field(default_factory=dict)
    threads: Sequence[HelpThread] = ()
    verdict: Verdict | None = None
    may_judge: bool = False
    own_statuses: Sequence[statuses.OwnStatus] = ()
    own_status: str = ""
    slots: Mapping[str, Slots] = field(default_factory=dict)


def beside(session: Session, lead: Lead, at: datetime, language: str, zone: str) -> Beside:
    """Of a lead that a dealer has or had: only what its status lets them do is looked up. `zone`
    is the dealer's."""
    assert lead.dealer_id is not None
    here = lead.status in WITH_DEALER
    own = statuses.statuses_of(session, lead.market_id, language)
    return Beside(
        colleagues=colleagues.colleagues(session, lead, at),
        experts=helping.experts(session, lead) if here else {},
        threads=helping.threads(session, lead.id, lead.dealer_id),
        verdict=verdicts.verdict_of(session, lead.id, lead.dealer_id),
        may_judge=lead.status in verdicts.JUDGED,
        own_statuses=[each for each in own if each.core == lead.status and each.active],
        own_status=next((each.name for each in own if each.code == lead.market_status), ""),
        slots=_slots(session, lead.dealer_id, at, ZoneInfo(zone)) if lead.status in WORKED else {},
    )


def _slots(session: Session, dealer_id: int, at: datetime, zone: ZoneInfo) -> dict[str, Slots]:
    offered = session.scalars(select(SlotTerms).where(SlotTerms.dealer_id == dealer_id)).all()
    kinds = {terms.kind for terms in offered if terms.capacity}
    found: dict[str, Slots] = {}
    for kind in PLAN_KINDS:
        if kind not in kinds:
            continue
        free = appointments.bookable(session, dealer_id, kind, at, BOOKABLE_DAYS)[:MOST_SLOTS]
        days = groupby(free, key=lambda slot: slot.starts_at.astimezone(zone).date())
        found[kind] = [
            (day, [(slot_value(kind, slot.starts_at), slot.starts_at) for slot in times])
            for day, times in days
        ]
    return {kind: days for kind, days in found.items() if days}
