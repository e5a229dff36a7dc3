"""What a filter of the leads asks of each: codes become ids first, so that the database can tell
from its statistics how rare they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from lmt.attributes import answered, says
from lmt.hq.filters import NOBODY, OWN, LeadFilter
from lmt.i18n import reader
from lmt.lifecycle import OPEN, Status
from lmt.models import (
    Brand,
    Campaign,
    Dealer,
    Form,
    FormVersion,
    Lead,
    Market,
    Offer,
    Source,
    User,
)
from lmt.search import found_by

NOTHING = -1
"""The id of what a filter names and nobody knows: no lead fits."""
MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Named:
    """The ids of what a filter names by its code; None where it doesn't ask."""

    market: int | None = None
    dealer: int | None = None
    brand: int | None = None
    source: int | None = None
    campaign: int | None = None
    channel: tuple[int, ...] | None = None
    """The sources of that kind."""
    people: tuple[int, ...] | None = None
    versions: tuple[int, ...] | None = None
    """Of the form that was filled in."""


def named(session: Session, wanted: LeadFilter) -> Named:
    """One small query for each filter that names something."""

    def by_code(model: Any, code: str) -> int | None:
        if not code:
            return None
        return session.scalar(select(model.id).where(model.code == code)) or NOTHING

    return Named(
        market=by_code(Market, wanted.market),
        dealer=by_code(Dealer, wanted.dealer),
        brand=by_code(Brand, wanted.brand),
        source=by_code(Source, wanted.source),
        campaign=by_code(Campaign, wanted.campaign),
        channel=_channel(session, wanted.channel),
        people=_people(session, wanted.assignee),
        versions=_versions(session, wanted),
    )


def lead_conditions(
    of: Named, wanted: LeadFilter, at: datetime, lead: Any = Lead
) -> list[ColumnElement[bool]]:
    """All that is asked of a lead; `lead` may be an alias of Lead."""
    return [
        *_by_id(of, wanted, lead),
        *_by_state(wanted, at, lead),
        *_by_place_and_time(wanted, lead),
        *_by_words(wanted, lead),
    ]


def _by_id(of: Named, wanted: LeadFilter, lead: Any) -> Iterator[ColumnElement[bool]]:
    for column, id in (
        (lead.market_id, of.market),
        (lead.dealer_id, of.dealer),
        (lead.brand_id, of.brand),
        (lead.source_id, of.source),
        (lead.campaign_id, of.campaign),
    ):
        if id is not None:
            yield column == id
    if of.channel is not None:
        yield lead.source_id.in_(of.channel)
    if of.people is not None:
        yield lead.owner_id.in_(of.people)
    elif wanted.assignee == NOBODY:
        yield lead.owner_id.is_(None)
    if of.versions is not None:
        yield lead.form_version_id.in_(of.versions)
    if wanted.import_id is not None:
        yield lead.import_id == wanted.import_id


def _by_state(wanted: LeadFilter, at: datetime, lead: Any) -> Iterator[ColumnElement[bool]]:
    if wanted.status == "open":
        yield is_open(lead)
    elif wanted.status == "overdue":
        yield is_overdue(at, lead)
    elif wanted.status.startswith(OWN):
        yield lead.market_status == wanted.status.removeprefix(OWN)
    elif wanted.status:
        yield lead.status == wanted.status
    if wanted.band:
        yield lead.band == wanted.band
    if wanted.request_type:
        yield lead.request_type == wanted.request_type


def _by_place_and_time(wanted: LeadFilter, lead: Any) -> Iterator[ColumnElement[bool]]:
    since, before = wanted.received(reader().timezone)
    if since is not None:
        yield lead.created_at >= since
    if before is not None:
        yield lead.created_at < before
    if (cell := wanted.cell) is not None:
        yield lead.lat >= cell.lat
        yield lead.lat < cell.lat + cell.degrees
        yield lead.lon >= cell.lon
        yield lead.lon < cell.lon + cell.degrees


def _by_words(wanted: LeadFilter, lead: Any) -> Iterator[ColumnElement[bool]]:
    if wanted.model:
        yield lead.model.icontains(wanted.model, autoescape=True)
    if wanted.search:
        found = select(Lead.id).where(found_by(wanted.search))
        said = select(Lead.id).where(says(wanted.search))
        yield lead.id.in_(found.union(said))
    if wanted.field and wanted.value:
        yield lead.id.in_(select(Lead.id).where(answered(wanted.field, wanted.value)))


def is_open(lead: Any = Lead) -> ColumnElement[bool]:
    asked: ColumnElement[bool] = lead.status.in_(sorted(OPEN))
    return asked


def is_overdue(at: datetime, lead: Any = Lead) -> ColumnElement[bool]:
    """Offered, and the time to accept has run out."""
    return and_(
        lead.status == Status.OFFERED,
        exists().where(Offer.lead_id == lead.id, Offer.state == "open", Offer.expires_at <= at),
    )


def _channel(session: Session, kind: str) -> tuple[int, ...] | None:
    if not kind:
        return None
    return tuple(session.scalars(select(Source.id).where(Source.kind == kind).order_by(Source.id)))


def _people(session: Session, words: str) -> tuple[int, ...] | None:
    if not words or words == NOBODY:
        return None
    either = or_(
        User.name.icontains(words, autoescape=True), User.email.icontains(words, autoescape=True)
    )
    return tuple(session.scalars(select(User.id).where(either).limit(MOST_PEOPLE)))


def _versions(session: Session, wanted: LeadFilter) -> tuple[int, ...] | None:
    if not wanted.form:
        return None
    asked = select(FormVersion.id).join(Form, Form.id == FormVersion.form_id)
    asked = asked.where(Form.code == wanted.form)
    if wanted.version:
        asked = asked.where(FormVersion.number == int(wanted.version))
    return tuple(session.scalars(asked))
