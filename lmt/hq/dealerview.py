"""All that headquarters sees of one dealer, gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from lmt import absences
from lmt.calendars import dealer_calendar
from lmt.dealerdesk import Used, used_leads
from lmt.dealers import terms_now
from lmt.hq.dealerterms import TermsRow, terms_history
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.labels import label
from lmt.lifecycle import OPEN
from lmt.models import (
    Absence,
    Brand,
    Closure,
    Competence,
    Dealer,
    DealerTerms,
    Handover,
    Lead,
    SpecialHours,
    Territory,
    User,
    VehicleModel,
)
from lmt.workhours import Calendar, closes_at, is_open, local_date, next_opening

MOST_ENDS = 20
MOST_POSTCODES = 12
OPEN_ORDER = ("offered", "accepted", "contacted", "resting")
"""Statuses of leads that a dealer has."""


@dataclass(frozen=True, slots=True)
class CompetenceRow:
    brand: str
    brand_code: str
    service: str
    models: list[str]
    """Names; none for all of the brand."""
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PlannedEnd:
    handover: Handover
    author: str
    successor: str
    successor_code: str
    what: str
    """Of a competence: brand and service in words; "" for the dealer itself."""

    @property
    def called_off(self) -> bool:
        done_at = self.handover.done_at
        return done_at is not None and done_at < self.handover.at


@dataclass(frozen=True, slots=True)
class DealerView:
    dealer: Dealer
    terms: DealerTerms
    calendar: Calendar
    in_force: bool
    open_now: bool
    changes_at: datetime | None
    """When it closes, or opens next; None where neither is within a year."""
    used: Used
    competences: list[CompetenceRow]
    closures: Sequence[Closure]
    special: Sequence[SpecialHours]
    territories: list[str]
    leads: list[tuple[str, int]]
    people: list[tuple[User, list[Absence]]]
    ends: list[PlannedEnd]
    history: list[TermsRow]


def dealer_view(session: Session, code: str, at: datetime) -> DealerView | None:
    """None for a dealer the actor may not see, or that never had terms."""
    dealer = session.scalars(
        select(Dealer).where(Dealer.code == code).options(joinedload(Dealer.market))
    ).first()
    terms = None if dealer is None else terms_now(session, dealer.id, at)
    if dealer is None or terms is None:
        return None
    calendar = dealer_calendar(session, dealer.id, at)
    open_now, today = is_open(calendar, at), local_date(calendar, at)
    closures = session.scalars(
        select(Closure)
        .where(Closure.dealer_id == dealer.id, Closure.holds_at(at), Closure.ends_on >= today)
        .order_by(Closure.starts_on)
    ).all()
    of_country = SpecialHours.dealer_id.is_(None) & (SpecialHours.country == terms.country)
    special = session.scalars(
        select(SpecialHours)
        .where(
            SpecialHours.market_id == dealer.market_id,
            SpecialHours.ends_on >= today,
            SpecialHours.holds_at(at),
            SpecialHours.dealer_id == dealer.id
            if dealer.kind == "team"
            else or_(SpecialHours.dealer_id == dealer.id, of_country),
        )
        .order_by(SpecialHours.starts_on, SpecialHours.dealer_id.nulls_last())
    ).all()
    counts = session.execute(
        select(Lead.status, func.count(Lead.id).label("number"))
        .where(Lead.dealer_id == dealer.id, Lead.status.in_(OPEN))
        .group_by(Lead.status)
    )
    leads = {row.status: row.number for row in counts}
    return DealerView(
        dealer=dealer,
        terms=terms,
        calendar=calendar,
        in_force=at in terms.valid,
        open_now=open_now,
        changes_at=closes_at(calendar, at) if open_now else next_opening(calendar, at),
        used=used_leads(session, dealer.id, calendar, at),
        competences=_competences(session, dealer, at),
        closures=closures,
        special=special,
        territories=_territories(session, dealer.id, at),
        leads=[(status, leads[status]) for status in OPEN_ORDER if status in leads],
        people=_people(session, dealer.id, at),
        ends=_ends(session, dealer.id, at),
        history=terms_history(session, dealer.id),
    )


def competence_words(brand: str, service: str) -> str:
    return f"{brand} · {label('service', service)}" if service else brand


def _competences(session: Session, dealer: Dealer, at: datetime) -> list[CompetenceRow]:
    rows = session.execute(
        select(Competence, Brand.code, Brand.name)
        .join(Brand, Brand.id == Competence.brand_id)
        .where(Competence.dealer_id == dealer.id, Competence.holds_at(at))
        .order_by(Brand.name, Competence.service, Competence.id)
    ).all()
    brands = {held.brand_id for held, _code, _name in rows if held.models}
    names = {
        (brand_id, code): name
        for brand_id, code, name in session.execute(
            select(VehicleModel.brand_id, VehicleModel.code, VehicleModel.name).where(
                VehicleModel.brand_id.in_(brands)
            )
        )
    }
    return [
        CompetenceRow(
            brand=name,
            brand_code=code,
            service=held.service,
            models=sorted(names.get((held.brand_id, each), each) for each in held.models),
            until=held.valid.upper,
        )
        for held, code, name in rows
    ]


def _territories(session: Session, dealer_id: int, at: datetime) -> list[str]:
    rows = session.scalars(
        select(Territory)
        .where(Territory.dealer_id == dealer_id, Territory.holds_at(at))
        .order_by(Territory.id)
    )
    return [_territory_words(row) for row in rows]


def _territory_words(row: Territory) -> str:
    parts = []
    if row.postcodes:
        listed = ", ".join(sorted(row.postcodes)[:MOST_POSTCODES])
        more = len(row.postcodes) - MOST_POSTCODES
        parts.append(
            ngettext(
                "postcodes that begin with %(listed)s and %(num)s more",
                "postcodes that begin with %(listed)s and %(num)s more",
                more,
                listed=listed,
            )
            if more > 0
            else _("postcodes that begin with %(listed)s", listed=listed)
        )
    if row.area is not None:
        parts.append(_("an area on the map"))
    what = ", ".join(parts)
    if row.exclusive:
        return _("Alone: %(what)s", what=what)
    return _("Shared with others: %(what)s", what=what)


def _people(session: Session, dealer_id: int, at: datetime) -> list[tuple[User, list[Absence]]]:
    people = absences.people_of(session, dealer_id)
    away: dict[int, list[Absence]] = {person.id: [] for person in people}
    for absence in absences.absences_of(session, list(away), at):
        away[absence.user_id].append(absence)
    return [(person, away[person.id]) for person in people]


def _ends(session: Session, dealer_id: int, at: datetime) -> list[PlannedEnd]:
    """Planned ones first, then those of before, the last first."""
    to, to_terms = select(Dealer).subquery(), select(DealerTerms).subquery()
    rows = session.execute(
        select(Handover, Brand.name, User.name, to.c.code, to_terms.c.name)
        .outerjoin(Brand, Brand.id == Handover.brand_id)
        .outerjoin(User, User.id == Handover.author_id)
        .outerjoin(to, to.c.id == Handover.successor_id)
        .outerjoin(
            to_terms,
            (to_terms.c.dealer_id == Handover.successor_id) & to_terms.c.valid.contains(at),
        )
        .where(Handover.dealer_id == dealer_id)
        .order_by(Handover.done_at.is_not(None), Handover.at.desc(), Handover.id.desc())
        .limit(MOST_ENDS)
    )
    return [
        PlannedEnd(
            handover=handover,
            author=author or "LMT",
            successor=name or code or "",
            successor_code=code or "",
            what=competence_words(brand, handover.service) if brand else "",
        )
        for handover, brand, author, code, name in rows
    ]
