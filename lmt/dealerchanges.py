"""What a change of a dealer is, whoever makes it: the checks, the rows, who is told.

What held before stays in rows of its own, so that past decisions can be replayed. All processes
read the dealer anew; its running offers are counted by its new hours where headquarters changed
them, and never where the dealer itself did. The verbs commit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Closure, Dealer, DealerTerms, note_change
from lmt.models.validity import since
from lmt.offerclock import hours_changed
from lmt.openinghours import hours_problem
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor

log = structlog.get_logger(__name__)

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
class Edited:
    """`changed` fields, and how many running offers have another deadline now."""

    changed: tuple[str, ...]
    offers_moved: int


def mark_of(terms: DealerTerms) -> str:
    """Tells whether terms are still those that a form was filled in from."""
    until = terms.valid.upper
    return f"{terms.id}:{until.isoformat() if until else ''}"


def change_terms(
    session: Session,
    dealer: Dealer,
    values: Mapping[str, Any],
    *,
    seen: str,
    at: datetime,
    actor: Actor,
    by_headquarters: bool,
) -> Edited:
    """Some or all `values` of Terms hold for the dealer from `at` on; commits. Running offers are
    counted anew where headquarters changed the hours. Raises as `edit_terms`."""
    problems = terms_problems(values)
    if problems:
        raise BadValues(problems)
    old = locked_terms(session, dealer.id, at)
    if mark_of(old) != seen:
        raise NotNow(_("Somebody changed this dealer meanwhile. Look at it again."))
    altered = {name: value for name, value in values.items() if getattr(old, name) != value}
    if not altered:
        session.rollback()
        return Edited((), 0)
    before = {name: getattr(old, name) for name in altered}
    follows, until = resumption(session, old), old.valid.upper
    if follows is not None and "paused" in altered:
        # Nothing is left to end, and the end's own row would bring the old values back.
        before["paused"] = until.isoformat() if until else True
        until = follows.valid.upper
        session.delete(follows)
        session.flush()
        follows = None
    old.replace(session, at, **altered).valid = Range(at, until, bounds="[)")
    if follows is not None:
        # The end of a pause would bring the old values back.
        for name, value in altered.items():
            setattr(follows, name, value)
    note_change(
        session, "dealer", dealer.code, at=at, user_id=actor.user_id, before=before, after=altered
    )
    moved = changed(
        session, dealer.id, at, hours="hours" in altered, by_headquarters=by_headquarters
    )
    session.commit()
    log.info("dealer.edited", dealer=dealer.code, by=actor.user_id, changed=tuple(altered))
    return Edited(tuple(altered), moved)


def locked_terms(session: Session, dealer_id: int, at: datetime) -> DealerTerms:
    """The terms in force, locked. Raises NotNow where the dealer has ended."""
    terms = session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer_id, DealerTerms.holds_at(at))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if terms is None:
        raise NotNow(_("This dealer has ended."))
    return terms


def resumption(session: Session, terms: DealerTerms) -> DealerTerms | None:
    """The terms that end a pause: those that begin, not paused, where these paused ones end."""
    if not terms.paused or terms.valid.upper is None:
        return None
    return session.scalars(
        select(DealerTerms).where(
            DealerTerms.dealer_id == terms.dealer_id,
            ~DealerTerms.paused,
            ~func.isempty(DealerTerms.valid),
            func.lower(DealerTerms.valid) == terms.valid.upper,
        )
    ).first()


def close_days(
    session: Session,
    dealer: Dealer,
    first: date,
    last: date,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
    by_headquarters: bool,
) -> Edited:
    """As `add_closure`, of a dealer that the actor may change; commits."""
    terms = locked_terms(session, dealer.id, at)
    problems = {}
    if bad := span_problem(first, last, terms, at):
        problems["last"] = bad
    elif (last - first).days >= LONGEST_CLOSURE_DAYS:
        problems["last"] = _("A closure spans a year at most. End the dealer instead.")
    if len(reason) > LONGEST_REASON:
        problems["reason"] = _("This is too long.")
    if problems:
        raise BadValues(problems)
    session.add(
        Closure(dealer_id=dealer.id, starts_on=first, ends_on=last, reason=reason, valid=since(at))
    )
    note_change(
        session, "dealer", dealer.code, at=at, user_id=actor.user_id,
        before={}, after={"closed": f"{first}/{last}"},
    )  # fmt: skip
    moved = changed(session, dealer.id, at, hours=True, by_headquarters=by_headquarters)
    session.commit()
    log.info("dealer.closed", dealer=dealer.code, by=actor.user_id, first=first, last=last)
    return Edited(("closures",), moved)


def span_problem(first: date, last: date, terms: DealerTerms, at: datetime) -> str:
    """Why these days are no span ahead, in the reader's words; "" where they are."""
    if last < first:
        return _("The last day is before the first.")
    if last < at.astimezone(ZoneInfo(terms.timezone)).date():
        return _("These days are over.")
    return ""


def open_days(
    session: Session,
    dealer: Dealer,
    closure_id: int,
    *,
    at: datetime,
    actor: Actor,
    by_headquarters: bool,
) -> Edited:
    """As `end_closure`, of a dealer that the actor may change; commits."""
    closure = session.scalars(
        select(Closure)
        .where(Closure.id == closure_id, Closure.dealer_id == dealer.id, Closure.holds_at(at))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if closure is None:
        raise LookupError(f"no closure {closure_id} of {dealer.code}")
    closure.end(at)
    note_change(
        session, "dealer", dealer.code, at=at, user_id=actor.user_id,
        before={"closed": f"{closure.starts_on}/{closure.ends_on}"}, after={},
    )  # fmt: skip
    moved = changed(session, dealer.id, at, hours=True, by_headquarters=by_headquarters)
    session.commit()
    log.info("dealer.closure_ended", dealer=dealer.code, by=actor.user_id, closure=closure_id)
    return Edited(("closures",), moved)


def terms_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What of these values can't be kept, by field, in the reader's words."""
    problems = {}
    if "hours" in values and (unread := hours_problem(values["hours"])):
        problems["hours"] = _(unread)
    if "email" in values and (bad := _mail_problem(values["email"])):
        problems["email"] = bad
    caps = {name: values.get(name) for name in CAPS}
    for name, cap in caps.items():
        if cap is not None and not 0 <= cap <= HIGHEST_CAP:
            problems[name] = _("Enter a whole number, or nothing for no cap.")
    day, month = caps["day_cap"], caps["month_cap"]
    fine = not problems.keys() & set(CAPS)
    if fine and day is not None and month is not None and day > month:
        problems["day_cap"] = _("More in a day than in a month: this cap would never be reached.")
    weight = values.get("weight", 1)
    if not (math.isfinite(weight) and 0 < weight <= HIGHEST_WEIGHT):
        problems["weight"] = _("Enter a number above 0, 1,000 at most.")
    if values.get("assign_to", ASSIGN_TO[0]) not in ASSIGN_TO:
        problems["assign_to"] = _("Choose one of these.")
    return problems


def _mail_problem(email: str) -> str:
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        if email:
            return _("This mail address can't be right.")
        return _("Enter a mail address. A dealer without one gets no leads.")
    return ""


def changed(
    session: Session, dealer_id: int, at: datetime, *, hours: bool, by_headquarters: bool
) -> int:
    """Tell all processes; how many running offers moved where the hours are others."""
    dealers_changed(session, at, [dealer_id])
    if not hours:
        return 0
    return hours_changed(session, dealer_id, by_headquarters=by_headquarters, at=at)
