"""What the filters of the leads offer to choose from, as far as the reader's part goes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.hq import queries as q
from lmt.hq.filters import OWN, LeadFilter
from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.labels import choices, label
from lmt.models import Brand, Campaign, Market, Source
from lmt.scope import Actor
from lmt.statuses import statuses_of

Options = list[tuple[str, str]]
MOST = 300
"""Of what has more, the first by name are offered."""


@dataclass(frozen=True, slots=True)
class Offered:
    """(value, words) of each filter, "" first for all."""

    markets: Options
    statuses: Options
    channels: Options
    brands: Options
    sources: Options
    campaigns: Options
    forms: Options
    fields: Options
    bands: Options
    request_types: Options


def offered(session: Session, wanted: LeadFilter, actor: Actor) -> Offered:
    """In seven queries, nine where a market is asked for."""
    seen = q.choices_for(session)
    return Offered(
        markets=[("", _("All markets")), *seen.markets],
        statuses=[
            ("", _("All statuses")),
            ("open", _("All open")),
            ("overdue", _("Time ran out")),
            *choices("status"),
            *_own_statuses(session, wanted.market),
        ],
        channels=[("", _("All channels")), *((k, label("channel", k)) for k in seen.channels)],
        brands=[("", _("All brands")), *_brands(session)],
        sources=[("", _("All sources")), *_of_markets(session, Source, actor)],
        campaigns=[("", _("All campaigns")), *_of_markets(session, Campaign, actor)],
        forms=q.form_choices(session),
        fields=q.field_choices(session, wanted.market),
        bands=[("", _("All priorities")), *choices("band")],
        request_types=[("", _("All requests")), *choices("request_type")],
    )


def _brands(session: Session) -> Options:
    found = session.execute(select(Brand.code, Brand.name).order_by(Brand.name).limit(MOST))
    return [(code, name or code) for code, name in found]


def _of_markets(session: Session, model: type[Source | Campaign], actor: Actor) -> Options:
    asked = select(model.code, model.name).order_by(model.name, model.code).limit(MOST)
    if not actor.everywhere:
        asked = asked.where(model.market_id.in_(sorted(actor.markets)))
    return [(code, name or code) for code, name in session.execute(asked)]


def _own_statuses(session: Session, market: str) -> Options:
    """Of the market that is asked for: each market has its own."""
    if not market:
        return []
    id = session.scalar(select(Market.id).where(Market.code == market))
    if id is None:
        return []
    return [
        (f"{OWN}{own.code}", f"{label('status', own.core)}: {own.name}")
        for own in statuses_of(session, id, reader().locale)
        if own.active
    ]
