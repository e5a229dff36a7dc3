"""How headquarters changes a dealer: its terms from now on, days closed, an end called off.

What held before stays in rows of its own, so that past decisions can be replayed. All processes
read the dealer anew, and its running offers are counted by its new hours. Each verb commits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Closure, Competence, Dealer, DealerTerms, Handover, Territory, User
from lmt.models.validity import since
from lmt.offerclock import hours_changed
from lmt.openinghours import hours_problem
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "network.edit"
ASSIGN_TO = ("team", "colleague")
CAPS = ("day_cap", "month_cap", "open_cap")
HIGHEST_CAP = 1_000_000
HIGHEST_WEIGHT = 1_000
LONGEST_CLOSURE_DAYS = 366
LONGEST_REASON = 300


class NotNow(ValueError):
    """What is asked can't be done as things stand; its text, in the reader's words, says why."""


class BadValues(ValueError):
    """What was given can't be kept: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


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


@dataclass(frozen=True, slots=True)
class Edited:
    """`changed` fields, and how many running offers have another deadline now."""

    changed: tuple[str, ...]
    offers_moved: int


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


def mark_of(terms: DealerTerms) -> str:
    """Tells whether terms are still those that a form was filled in from."""
    until = terms.valid.upper
    return f"{terms.id}:{until.isoformat() if until else ''}"


def edit_terms(
    session: Session, code: str, terms: Terms, *, seen: str, at: datetime, actor: Actor
) -> Edited:
    """The dealer goes by `terms` from `at` on, until a planned end where there is one.

    `seen` is the `mark_of` the terms that were edited. Raises BadValues naming the fields, NotNow
    where the dealer has ended or was changed meanwhile, LookupError for another's dealer.
    """
    dealer = edited_dealer(session, code, actor)
    problems = _problems(terms)
    if problems:
        raise BadValues(problems)
    old = session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer.id, DealerTerms.holds_at(at))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if old is None:
        raise NotNow(_("This dealer has ended."))
    if mark_of(old) != seen:
        raise NotNow(_("Somebody changed this dealer meanwhile. Look at it again."))
    values = asdict(terms)
    changed = tuple(name for name, value in values.items() if getattr(old, name) != value)
    if not changed:
        session.rollback()
        return Edited((), 0)
    until = old.valid.upper
    old.replace(session, at, **values).valid = Range(at, until, bounds="[)")
    moved = _changed(session, dealer.id, at, hours="hours" in changed)
    session.commit()
    log.info("dealer.edited", dealer=code, by=actor.user_id, changed=changed)
    return Edited(changed, moved)


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
    terms = terms_now(session, dealer.id, at)
    if terms is None or at not in terms.valid:
        raise NotNow(_("This dealer has ended."))
    problems = {}
    if last < first:
        problems["last"] = _("The last day is before the first.")
    elif last < at.astimezone(ZoneInfo(terms.timezone)).date():
        problems["last"] = _("These days are over.")
    elif (last - first).days >= LONGEST_CLOSURE_DAYS:
        problems["last"] = _("A closure spans a year at most. End the dealer instead.")
    if len(reason) > LONGEST_REASON:
        problems["reason"] = _("This is too long.")
    if problems:
        raise BadValues(problems)
    session.add(
        Closure(dealer_id=dealer.id, starts_on=first, ends_on=last, reason=reason, valid=since(at))
    )
    moved = _changed(session, dealer.id, at, hours=True)
    session.commit()
    log.info("dealer.closed", dealer=code, by=actor.user_id, first=str(first), last=str(last))
    return Edited(("closures",), moved)


def end_closure(
    session: Session, code: str, closure_id: int, *, at: datetime, actor: Actor
) -> Edited:
    """From now on the dealer is not closed on these days. Raises LookupError where the closure
    isn't the dealer's, or doesn't hold any more."""
    dealer = edited_dealer(session, code, actor)
    closure = session.scalars(
        select(Closure)
        .where(Closure.id == closure_id, Closure.dealer_id == dealer.id, Closure.holds_at(at))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if closure is None:
        raise LookupError(f"no closure {closure_id} of {code}")
    closure.end(at)
    moved = _changed(session, dealer.id, at, hours=True)
    session.commit()
    log.info("dealer.closure_ended", dealer=code, by=actor.user_id, closure=closure_id)
    return Edited(("closures",), moved)


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
    _changed(session, dealer.id, at, hours=False)
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


def _changed(session: Session, dealer_id: int, at: datetime, *, hours: bool) -> int:
    """Tell all processes; how many running offers moved where the hours are others."""
    dealers_changed(session, at, [dealer_id])
    return hours_changed(session, dealer_id, by_headquarters=True, at=at) if hours else 0


def _problems(terms: Terms) -> dict[str, str]:
    problems = {}
    unread = hours_problem(terms.hours)
    if unread:
        problems["hours"] = _(unread)
    try:
        validate_email(terms.email, check_deliverability=False)
    except EmailNotValidError:
        problems["email"] = (
            _("This mail address can't be right.")
            if terms.email
            else _("Enter a mail address. A dealer without one gets no leads.")
        )
    for name in CAPS:
        cap = getattr(terms, name)
        if cap is not None and not 0 <= cap <= HIGHEST_CAP:
            problems[name] = _("Enter a whole number, or nothing for no cap.")
    if (
        not problems.keys() & set(CAPS)
        and terms.day_cap is not None
        and terms.month_cap is not None
        and terms.day_cap > terms.month_cap
    ):
        problems["day_cap"] = _("More in a day than in a month: this cap would never be reached.")
    if not (math.isfinite(terms.weight) and 0 < terms.weight <= HIGHEST_WEIGHT):
        problems["weight"] = _("Enter a number above 0, 1,000 at most.")
    if terms.assign_to not in ASSIGN_TO:
        problems["assign_to"] = _("Choose one of these.")
    return problems
