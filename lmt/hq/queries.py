"""What headquarters' lists ask of the database: a fixed number of queries a page, in scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from lmt.attributes import answered, field_label, fields_at_hand, says
from lmt.hq.filters import LeadFilter, Position, digits_of, pattern, reference_of
from lmt.i18n import gettext as _
from lmt.lifecycle import OPEN, Status
from lmt.models import (
    Dealer,
    DealerLoad,
    DealerTerms,
    Form,
    FormVersion,
    Intake,
    Lead,
    Market,
    Message,
    Offer,
    Source,
    SourceAlert,
)

PAGE_ROWS = 50
MOST_FORMS = 500


@dataclass(frozen=True, slots=True)
class Overview:
    """How many of each need a look; None where the actor may not see them."""

    open: int
    unrouted: int
    unlocated: int
    incomplete: int
    overdue: int
    failing: int | None
    quarantined: int | None
    silent_sources: int | None
    failing_sources: int | None


@dataclass(frozen=True, slots=True)
class LeadPage:
    leads: Sequence[Lead]
    dealers: dict[int, str]
    """Names by dealer id."""
    expires_at: dict[Any, datetime]
    """When the open offer of a lead runs out, by lead id."""
    next: Position | None


def overview(session: Session, *, at: datetime, with_messages: bool, with_intake: bool) -> Overview:
    counts = session.execute(
        select(
            func.count().filter(Lead.status.in_(OPEN)),
            func.count().filter(Lead.status == Status.UNROUTED),
            func.count().filter(Lead.status == Status.UNLOCATED),
            func.count().filter(Lead.status == Status.INCOMPLETE),
            func.count().filter(_is_overdue(at)),
        )
        .select_from(Lead)
        .where(Lead.status.in_(OPEN))
    ).one()
    failing = quarantined = silent_sources = failing_sources = None
    if with_messages:
        failing = session.scalar(select(func.count()).select_from(Message).where(is_failing()))
    if with_intake:
        quarantined = session.scalar(
            select(func.count()).select_from(Intake).where(Intake.status == "quarantined")
        )
        silent_sources, failing_sources = session.execute(
            select(
                func.count().filter(SourceAlert.kind == "silent"),
                func.count().filter(SourceAlert.kind == "failing"),
            )
            .select_from(SourceAlert)
            .where(SourceAlert.ended_at.is_(None))
        ).one()
    return Overview(*counts, failing, quarantined, silent_sources, failing_sources)


def is_failing() -> ColumnElement[bool]:
    """Messages that were tried in vain: given up on, or waiting for another try."""
    return or_(Message.status == "failed", and_(Message.status == "queued", Message.attempts > 0))


def leads(
    session: Session,
    wanted: LeadFilter,
    *,
    at: datetime,
    after: Position | None = None,
    rows: int = PAGE_ROWS,
) -> LeadPage:
    """The newest leads first, `rows` a page."""
    statement = (
        select(Lead)
        .where(*lead_conditions(wanted, at))
        .options(joinedload(Lead.market), joinedload(Lead.brand), joinedload(Lead.source))
        .order_by(Lead.created_at.desc(), Lead.id.desc())
        .limit(rows + 1)
    )
    if after is not None:
        statement = statement.where(
            tuple_(Lead.created_at, Lead.id) < tuple_(after.created_at, after.lead_id)
        )
    found = session.scalars(statement).all()
    shown = found[:rows]
    last = Position(shown[-1].created_at, shown[-1].id) if len(found) > rows else None
    offers = session.execute(
        select(Offer.lead_id, Offer.expires_at).where(
            Offer.lead_id.in_([lead.id for lead in shown]), Offer.state == "open"
        )
    )
    return LeadPage(
        leads=shown,
        dealers=dealer_names(session, (lead.dealer_id for lead in shown), at=at),
        expires_at={offer.lead_id: offer.expires_at for offer in offers},
        next=last,
    )


def dealer_names(session: Session, ids: Iterable[int | None], *, at: datetime) -> dict[int, str]:
    """Today's names of dealers; one that the actor may not see is called so."""
    known = {id for id in ids if id is not None}
    if not known:
        return {}
    names = dict.fromkeys(known, _("A dealer of another market"))
    found = session.execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .outerjoin(DealerTerms, and_(DealerTerms.dealer_id == Dealer.id, DealerTerms.holds_at(at)))
        .where(Dealer.id.in_(known))
    )
    return names | {id: name or code for id, code, name in found}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (code, name)."""

    markets: list[tuple[str, str]]
    channels: list[str]


def form_choices(session: Session) -> list[tuple[str, str]]:
    """(code, name) of the forms that the actor sees, by name."""
    found = session.execute(
        select(Form.code, Form.name).order_by(Form.name, Form.code).limit(MOST_FORMS)
    )
    return [(code, name or code) for code, name in found]


def field_choices(session: Session, market: str = "") -> list[tuple[str, str]]:
    """(key, label) of the custom fields of the actor's markets, files aside."""
    found = fields_at_hand(session, market)
    return [(item.key, field_label(item)) for item in found if item.type != "file"]


def choices_for(session: Session) -> Choices:
    """Markets and channels that the actor's dealers and sources are in."""
    own = select(Dealer.market_id).distinct()
    markets = session.execute(
        select(Market.code, Market.name).where(Market.id.in_(own)).order_by(Market.name)
    )
    channels = session.scalars(select(Source.kind).distinct().order_by(Source.kind))
    return Choices([(code, name) for code, name in markets], list(channels))


def dealer_options(
    session: Session, *, at: datetime, market: str = "", most: int = 1_000
) -> list[tuple[str, str, str]] | None:
    """(code, name, city) of the dealers in scope, by name; for a list to pick from.

    None where there are more than `most`: such a list would be no help, and its code is asked for.
    """
    statement = (
        select(Dealer.code, DealerTerms.name, DealerTerms.city)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(DealerTerms.holds_at(at))
        .order_by(DealerTerms.name, Dealer.code)
        .limit(most + 1)
    )
    if market:
        statement = statement.join(Market, Dealer.market_id == Market.id).where(
            Market.code == market
        )
    rows = session.execute(statement).all()
    return None if len(rows) > most else [(code, name, city) for code, name, city in rows]


def dealers(
    session: Session, *, at: datetime, market: str = "", after: str = "", rows: int = PAGE_ROWS
) -> list[tuple[Dealer, DealerTerms, DealerLoad | None]]:
    """Dealers by code, one row more than a page where there are more."""
    statement = (
        select(Dealer, DealerTerms, DealerLoad)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .outerjoin(DealerLoad, DealerLoad.dealer_id == Dealer.id)
        .options(joinedload(Dealer.market).load_only(Market.code, Market.name))
        .where(DealerTerms.holds_at(at), Dealer.code > after, *dealer_conditions(market))
        .order_by(Dealer.code)
        .limit(rows + 1)
    )
    return [(dealer, terms, load) for dealer, terms, load in session.execute(statement)]


def dealer_conditions(market: str) -> list[ColumnElement[bool]]:
    """What the filter of the list asks of a dealer; `market` is a code, "" for all."""
    if not market:
        return []
    return [Dealer.market_id.in_(select(Market.id).where(Market.code == market))]


def messages(
    session: Session, *, status: str = "", after: Any = None, rows: int = PAGE_ROWS
) -> list[Message]:
    """Outbox rows, newest first; `status` as `message_conditions` takes it."""
    statement = (
        select(Message)
        .where(*message_conditions(status))
        .options(joinedload(Message.lead).load_only(Lead.reference))
        .order_by(Message.id.desc())
        .limit(rows + 1)
    )
    if after is not None:
        statement = statement.where(Message.id < after)
    return list(session.scalars(statement))


def message_conditions(status: str) -> list[ColumnElement[bool]]:
    """What the filter of the outbox asks: a status of the table, `failing`, or "" for all."""
    if status == "failing":
        return [is_failing()]
    return [Message.status == status] if status else []


def lead_conditions(wanted: LeadFilter, at: datetime) -> list[ColumnElement[bool]]:
    """What the filters of the list ask of a lead."""
    asked: list[ColumnElement[bool]] = []
    if wanted.market:
        asked.append(Lead.market_id.in_(select(Market.id).where(Market.code == wanted.market)))
    if wanted.dealer:
        asked.append(Lead.dealer_id.in_(select(Dealer.id).where(Dealer.code == wanted.dealer)))
    if wanted.status == "open":
        asked.append(Lead.status.in_(OPEN))
    elif wanted.status == "overdue":
        asked.append(_is_overdue(at))
    elif wanted.status:
        asked.append(Lead.status == wanted.status)
    if wanted.band:
        asked.append(Lead.band == wanted.band)
    if wanted.channel:
        asked.append(Lead.source_id.in_(select(Source.id).where(Source.kind == wanted.channel)))
    if wanted.search:
        asked.append(_matches(wanted.search))
    if wanted.import_id is not None:
        asked.append(Lead.import_id == wanted.import_id)
    if wanted.field and wanted.value:
        asked.append(answered(wanted.field, wanted.value))
    if wanted.form:
        versions = select(FormVersion.id).join(Form, Form.id == FormVersion.form_id)
        versions = versions.where(Form.code == wanted.form)
        if wanted.version:
            versions = versions.where(FormVersion.number == int(wanted.version))
        asked.append(Lead.form_version_id.in_(versions))
    return asked


def _is_overdue(at: datetime) -> ColumnElement[bool]:
    return and_(
        Lead.status == Status.OFFERED,
        exists().where(Offer.lead_id == Lead.id, Offer.state == "open", Offer.expires_at <= at),
    )


def _matches(text: str) -> ColumnElement[bool]:
    anywhere = pattern(text)
    ways: list[ColumnElement[bool]] = [
        Lead.full_name.ilike(anywhere, escape="!"),
        Lead.company.ilike(anywhere, escape="!"),
        Lead.email.ilike(anywhere, escape="!"),
        Lead.reference.like(pattern(reference_of(text)), escape="!"),
        says(text),
    ]
    digits = digits_of(text)
    if digits:
        ways.append(Lead.phone.like(pattern(digits), escape="!"))
    return or_(*ways)
