"""What headquarters' lists ask of the database: a fixed number of queries a page, in scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from lmt.attributes import field_label, fields_at_hand
from lmt.i18n import gettext as _
from lmt.models import (
    Dealer,
    DealerLoad,
    DealerTerms,
    Form,
    Lead,
    Market,
    Message,
    Source,
)

PAGE_ROWS = 50
MOST_FORMS = 500


def is_failing() -> ColumnElement[bool]:
    """Messages that were tried in vain: given up on, or waiting for another try."""
    return or_(Message.status == "failed", and_(Message.status == "queued", Message.attempts > 0))


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
