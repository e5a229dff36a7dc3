"""What the filters of the desk offer: sources, colleagues and market statuses in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from lmt.i18n import reader
from lmt.models import Dealer, DealerTerms, MarketStatus, Source, User, UserScope
from lmt.scope import Actor

MOST = 300


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: (code, name) each."""

    sources: list[tuple[str, str]]
    people: list[tuple[str, str]]
    dealers: list[tuple[str, str]]
    """Only where there are several to choose from."""


def choices(session: Session, actor: Actor, at: datetime) -> Choices:
    """By name; two statements, three for whoever works for several dealers."""
    sources = session.execute(
        select(Source.code, Source.name)
        .where(Source.market_id.in_(_markets()))
        .order_by(Source.name, Source.code)
        .limit(MOST)
    )
    groups = select(Dealer.group_id).where(
        Dealer.id.in_(actor.dealers), Dealer.group_id.is_not(None)
    )
    at_dealers = select(UserScope.user_id).where(
        or_(UserScope.dealer_id.in_(actor.dealers), UserScope.group_id.in_(groups))
    )
    people = session.execute(
        select(User.id, User.name)
        .where(User.active, or_(User.id.in_(at_dealers), User.id == actor.user_id))
        .order_by(User.name, User.id)
        .limit(MOST)
    )
    return Choices(
        [(code, name) for code, name in sources],
        [(str(id), name) for id, name in people],
        _dealers(session, actor, at) if len(actor.dealers) > 1 else [],
    )


def _dealers(session: Session, actor: Actor, at: datetime) -> list[tuple[str, str]]:
    found = session.execute(
        select(Dealer.code, DealerTerms.name)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(Dealer.id.in_(actor.dealers), DealerTerms.holds_at(at))
        .order_by(DealerTerms.name, Dealer.code)
        .limit(MOST)
    )
    return [(code, name) for code, name in found]


def market_statuses(session: Session) -> Mapping[tuple[int, str], str]:
    """What the statuses of the actor's markets are called, by (market id, code), in order."""
    found = session.scalars(
        select(MarketStatus)
        .where(MarketStatus.market_id.in_(_markets()))
        .order_by(MarketStatus.position, MarketStatus.code)
    )
    return {(each.market_id, each.code): status_name(each) for each in found}


def status_name(status: MarketStatus) -> str:
    """In the reader's language, else in any it has, else its code."""
    names = {language: name for language, name in status.names.items() if name}
    locale = reader().locale
    return str(
        names.get(locale)
        or names.get(locale.partition("_")[0])
        or names.get("en")
        or next(iter(names.values()), status.code)
    )


def _markets() -> Select[int]:
    """Of the dealers that the session's actor sees."""
    return select(Dealer.market_id).distinct()
