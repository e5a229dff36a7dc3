"""How headquarters changes a dealer: its terms from now on, days closed, an end called off.

Running offers are counted anew by the new hours (`lmt/dealerchanges.py`). Each verb commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt.dealerchanges import (
    ASSIGN_TO,
    CAPS,
    HIGHEST_CAP,
    HIGHEST_WEIGHT,
    LONGEST_CLOSURE_DAYS,
    BadValues,
    Edited,
    NotNow,
    change_terms,
    changed,
    close_days,
    mark_of,
    open_days,
)
from lmt.i18n import gettext as _
from lmt.models import (
    Competence,
    Dealer,
    DealerTerms,
    Handover,
    Territory,
    User,
)
from lmt.scope import Actor

__all__ = [
    "ASSIGN_TO",
    "CAPS",
    "HIGHEST_CAP",
    "HIGHEST_WEIGHT",
    "LONGEST_CLOSURE_DAYS",
    "PERMISSION",
    "BadValues",
    "Edited",
    "NotNow",
    "Terms",
    "add_closure",
    "cancel_end",
    "edit_terms",
    "edited_dealer",
    "end_closure",
    "mark_of",
    "may_edit",
    "terms_now",
]

log = structlog.get_logger(__name__)

PERMISSION = "network.edit"


@dataclass(frozen=True, slots=True)
class Terms:
    """What headquarters sets of a dealer. `hours` in OpenStreetMap syntax, caps in leads (None: no
    cap), `assign_to` the whole `team` or one `colleague`."""

    hours: str
    email: str
    day_cap: int | None
    month_cap: int | None
    open_cap: int | None
    weight: float
    paused: bool
    assign_to: str


def edited_dealer(session: Session, code: str, actor: Actor) -> Dealer:
    """A dealer that the actor may change. Raises LookupError for any other.

    Who looks after one brand decides nothing for a whole dealer.
    """
    dealer = session.scalars(select(Dealer).where(Dealer.code == code)).first()
    if dealer is None or not may_edit(dealer, actor):
        raise LookupError(f"no dealer {code}")
    return dealer


def may_edit(dealer: Dealer, actor: Actor) -> bool:
    return actor.may(PERMISSION) and (
        actor.everywhere
        or any(
            part.market_id == dealer.market_id and part.dealer_id is None and part.brand_id is None
            for part in actor.parts
        )
    )


def terms_now(session: Session, dealer_id: int, at: datetime) -> DealerTerms | None:
    """The terms in force; of a dealer that has ended, or begins later, the nearest in time."""
    return session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer_id, ~func.isempty(DealerTerms.valid))
        .order_by(DealerTerms.holds_at(at).desc(), func.lower(DealerTerms.valid).desc())
        .limit(1)
    ).first()


def edit_terms(
    session: Session, code: str, terms: Terms, *, seen: str, at: datetime, actor: Actor
) -> Edited:
    """The dealer goes by `terms` from `at` on, until a planned end where there is one.

    `seen` is the `mark_of` the terms that were edited. Raises BadValues naming the fields, NotNow
    where the dealer has ended or was changed meanwhile, LookupError for another's dealer.
    """
    dealer = edited_dealer(session, code, actor)
    return change_terms(
        session, dealer, asdict(terms), seen=seen, at=at, actor=actor, by_headquarters=True
    )


def add_closure(
    session: Session,
    code: str,
    *,
    first: date,
    last: date,
    reason: str,
    at: datetime,
    actor: Actor,
) -> Edited:
    """The dealer is closed from the first to the last of these days, in its own dates.

    Raises BadValues, NotNow for a dealer that has ended, LookupError for another's dealer.
    """
    dealer = edited_dealer(session, code, actor)
    return close_days(
        session, dealer, first, last, reason, at=at, actor=actor, by_headquarters=True
    )


def end_closure(
    session: Session, code: str, closure_id: int, *, at: datetime, actor: Actor
) -> Edited:
    """From now on the dealer is not closed on these days. Raises LookupError where the closure
    isn't the dealer's, or doesn't hold any more."""
    dealer = edited_dealer(session, code, actor)
    return open_days(session, dealer, closure_id, at=at, actor=actor, by_headquarters=True)


def cancel_end(session: Session, handover_id: int, at: datetime, actor: Actor) -> Handover:
    """Call off an end that has not come: what it would have ended goes on without an end.

    Its row stays, done before its time, and its reason tells who called it off. Raises NotNow
    where it has come, or where what it ended was changed since; LookupError for another's dealer.
    """
    handover = session.scalars(
        select(Handover)
        .where(Handover.id == handover_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    dealer = None if handover is None else session.get(Dealer, handover.dealer_id)
    if handover is None or dealer is None or not may_edit(dealer, actor):
        raise LookupError(f"no end {handover_id}")
    if handover.done_at is not None:
        raise NotNow(_("This end was called off or carried out already."))
    if handover.at <= at:
        raise NotNow(_("This end has come: the leads are moving."))
    whole = handover.brand_id is None
    for model in (DealerTerms, Competence, Territory) if whole else (Competence,):
        rows = _ended_by(session, model, handover)
        # Two of its own at once, or none to go on with: not what the end had ended.
        needed = model is DealerTerms or not whole
        if any(row.valid.upper != handover.at for row in rows) or (needed and not rows):
            raise NotNow(
                _("The dealer was changed since this end was planned. Plan what shall hold anew.")
            )
        for row in rows:
            row.valid = Range(row.valid.lower, None, bounds="[)")
    author = session.get(User, actor.user_id) if actor.user_id is not None else None
    told = _("Called off by %(who)s", who=author.name if author else "LMT")
    handover.reason = " · ".join([handover.reason, told])
    handover.done_at = at
    changed(session, dealer.id, at, hours=False, by_headquarters=True)
    session.commit()
    log.info("dealer.end_called_off", dealer=dealer.code, by=actor.user_id, end=handover_id)
    return handover


def _ended_by(session: Session, model: Any, handover: Handover) -> Sequence[Any]:
    """The dealer's rows of this kind that end with it, or hold beyond it."""
    upper = func.upper(model.valid)
    conditions: list[ColumnElement[bool]] = [
        model.dealer_id == handover.dealer_id,
        ~func.isempty(model.valid),
        or_(upper.is_(None), upper >= handover.at),
    ]
    if model is Competence and handover.brand_id is not None:
        conditions.append(Competence.brand_id == handover.brand_id)
        if handover.service:
            conditions.append(Competence.service == handover.service)
    return session.scalars(
        select(model).where(*conditions).with_for_update().execution_options(populate_existing=True)
    ).all()
