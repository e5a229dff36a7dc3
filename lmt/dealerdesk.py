"""What a dealer's own manager sets: its hours, days that differ, a pause, caps, and how its people
get leads.

The checks are headquarters' (`lmt/dealerchanges.py`). A dealer's own edits never give a running
offer more time. Each verb commits, and raises LookupError for a dealer the actor doesn't manage.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt import dealerchanges as changes
from lmt.absences import people_of
from lmt.config import LOCALES
from lmt.dealerchanges import LONGEST_CLOSURE_DAYS, BadValues, Edited
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.models import Dealer, DealerLoad, DealerTerms, SpecialHours, User, note_change
from lmt.models.validity import since
from lmt.offerclock import hours_changed
from lmt.openinghours import hours_problem
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor
from lmt.workhours import Calendar, local_date

log = structlog.get_logger(__name__)

PERMISSION = "dealer.manage"
OWN = frozenset({"hours", *changes.CAPS, "assign_to"})
"""What of its terms a dealer sets itself."""
LONGEST_NAME = 100
MOST_DEALERS = 500


@dataclass(frozen=True, slots=True)
class Managed:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Used:
    """Leads given today and this month, in the dealer's own dates, and open ones."""

    day: int
    month: int
    open: int


def used_leads(session: Session, dealer_id: int, calendar: Calendar, at: datetime) -> Used:
    """How far the dealer's caps are used up."""
    load = session.get(DealerLoad, dealer_id)
    if load is None:
        return Used(0, 0, 0)
    today = local_date(calendar, at)
    this_month = (load.day.year, load.day.month) == (today.year, today.month)
    return Used(
        load.day_used if load.day == today else 0,
        load.month_used if this_month else 0,
        load.open_used,
    )


def managed_dealers(session: Session, actor: Actor, at: datetime) -> Sequence[Managed]:
    """The dealers that the actor manages whole, by name; the first MOST_DEALERS."""
    own = _own_dealers(actor)
    rows = session.execute(
        select(Dealer.code, DealerTerms.name)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(Dealer.id.in_(own), DealerTerms.holds_at(at))
        .order_by(DealerTerms.name, Dealer.code)
        .limit(MOST_DEALERS)
    )
    return [Managed(code, name) for code, name in rows]


def managed_dealer(session: Session, code: str, actor: Actor) -> Dealer:
    """Raises LookupError for a dealer that the actor doesn't manage."""
    dealer = session.scalars(select(Dealer).where(Dealer.code == code)).first()
    if dealer is None or dealer.id not in _own_dealers(actor):
        raise LookupError(f"no dealer {code}")
    return dealer


def set_own(
    session: Session,
    code: str,
    values: Mapping[str, Any],
    *,
    seen: str,
    at: datetime,
    actor: Actor,
) -> Edited:
    """Some of the values named in OWN hold from `at` on. Raises as `changes.change_terms`."""
    dealer = managed_dealer(session, code, actor)
    if not values.keys() <= OWN:
        raise ValueError("not a dealer's own to set")
    return changes.change_terms(
        session, dealer, values, seen=seen, at=at, actor=actor, by_headquarters=False
    )


def close_days(
    session: Session, code: str, first: date, last: date, reason: str, *, at: datetime, actor: Actor
) -> Edited:
    """Closed from the first to the last of these days. Raises BadValues, NotNow."""
    dealer = managed_dealer(session, code, actor)
    return changes.close_days(
        session, dealer, first, last, reason, at=at, actor=actor, by_headquarters=False
    )


def open_days(
    session: Session, code: str, closure_id: int, *, at: datetime, actor: Actor
) -> Edited:
    """Not closed on these days after all."""
    dealer = managed_dealer(session, code, actor)
    return changes.open_days(session, dealer, closure_id, at=at, actor=actor, by_headquarters=False)


def add_special_days(
    session: Session,
    code: str,
    first: date,
    last: date,
    hours: str,
    name: str,
    *,
    at: datetime,
    actor: Actor,
) -> SpecialHours:
    """Hours of their own on these days, in the place of the normal ones and of the country's.

    Raises BadValues, NotNow for a dealer that has ended.
    """
    dealer = managed_dealer(session, code, actor)
    terms = changes.locked_terms(session, dealer.id, at)
    problems = {}
    if bad := changes.span_problem(first, last, terms, at):
        problems["last"] = bad
    elif (last - first).days >= LONGEST_CLOSURE_DAYS:
        problems["last"] = _("Special days span a year at most.")
    if len(name) > LONGEST_NAME:
        problems["name"] = _("This is too long.")
    if unread := hours_problem(hours):
        problems["hours"] = _(unread)
    if problems:
        raise BadValues(problems)
    row = SpecialHours(
        market_id=dealer.market_id, dealer_id=dealer.id, starts_on=first, ends_on=last,
        hours=hours, name=name, valid=since(at),
    )  # fmt: skip
    session.add(row)
    _days_changed(session, dealer, {}, {f"{first}/{last}": hours}, at, actor)
    return row


def end_special_days(
    session: Session, code: str, row_id: int, *, at: datetime, actor: Actor
) -> None:
    """Back to the normal hours. Raises LookupError where the row isn't the dealer's own."""
    dealer = managed_dealer(session, code, actor)
    row = session.scalars(
        select(SpecialHours)
        .where(
            SpecialHours.id == row_id,
            SpecialHours.dealer_id == dealer.id,
            SpecialHours.holds_at(at),
        )
        .with_for_update()
    ).first()
    if row is None:
        raise LookupError(f"no special days {row_id} of {code}")
    row.end(at)
    _days_changed(session, dealer, {f"{row.starts_on}/{row.ends_on}": row.hours}, {}, at, actor)


def pause(
    session: Session, code: str, *, until: datetime | None, at: datetime, actor: Actor
) -> None:
    """No new leads until then (None: until further notice); those it has stay.

    Sent again it changes the end. Raises BadValues, NotNow for a dealer that has ended.
    """
    dealer = managed_dealer(session, code, actor)
    terms = changes.locked_terms(session, dealer.id, at)
    if until is not None and until <= at:
        raise BadValues({"until": _("This time is over.")})
    _set_paused(session, dealer, terms, True, until, at, actor)


def resume(session: Session, code: str, *, at: datetime, actor: Actor) -> None:
    """New leads come again."""
    dealer = managed_dealer(session, code, actor)
    terms = changes.locked_terms(session, dealer.id, at)
    _set_paused(session, dealer, terms, False, None, at, actor)


def set_colleague(
    session: Session,
    code: str,
    user_id: int,
    *,
    skills: Collection[str],
    languages: Collection[str],
    at: datetime,
    actor: Actor,
) -> None:
    """What somebody of the dealer is good at (services), and which languages they speak with
    customers; none stands for all. Unknown codes are dropped. Raises LookupError for others."""
    dealer = managed_dealer(session, code, actor)
    if user_id not in {person.id for person in people_of(session, dealer.id)}:
        raise LookupError(f"no colleague {user_id} at {code}")
    person = session.get_one(User, user_id, with_for_update=True)
    known = set(spoken_languages(dealer)) | set(person.languages)
    after = {
        "skills": sorted(set(skills) & set(LABELS["service"])),
        "languages": sorted(set(languages) & known),
    }
    before = {"skills": sorted(person.skills), "languages": sorted(person.languages)}
    person.skills, person.languages = after["skills"], after["languages"]
    note_change(
        session, "user", person.email, at=at, user_id=actor.user_id, before=before, after=after
    )
    session.commit()


def spoken_languages(dealer: Dealer) -> list[str]:
    """Codes to choose from: the market's own and those of the desk."""
    return sorted({*dealer.market.languages, *LOCALES})


def _own_dealers(actor: Actor) -> frozenset[int]:
    """Who looks after one brand decides nothing for a whole dealer."""
    if not actor.may(PERMISSION):
        return frozenset()
    whole = (part.dealer_id for part in actor.parts if part.brand_id is None)
    return frozenset(dealer_id for dealer_id in whole if dealer_id is not None)


def _set_paused(
    session: Session,
    dealer: Dealer,
    terms: DealerTerms,
    paused: bool,
    until: datetime | None,
    at: datetime,
    actor: Actor,
) -> None:
    """A pause with an end is two rows: the paused terms, and the same ones after it."""
    before = {"paused": _paused_words(terms)}
    follows = changes.resumption(session, terms)
    end = follows.valid.upper if follows is not None else terms.valid.upper
    if follows is not None:
        session.delete(follows)
        session.flush()
    stops = until if until is not None and (end is None or until < end) else None
    now = terms.replace(session, at, paused=paused)
    now.valid = Range(at, stops or end, bounds="[)")
    if stops is not None:
        session.flush()
        now.replace(session, stops, paused=False).valid = Range(stops, end, bounds="[)")
    after = {"paused": _paused_words(now)}
    note_change(
        session, "dealer", dealer.code, at=at, user_id=actor.user_id, before=before, after=after
    )
    dealers_changed(session, at, [dealer.id])
    session.commit()
    log.info("dealer.paused", dealer=dealer.code, by=actor.user_id, paused=paused, until=str(stops))


def _paused_words(terms: DealerTerms) -> bool | str:
    """As the history keeps it: no, yes, or until when."""
    until = terms.valid.upper
    return until.isoformat() if terms.paused and until is not None else terms.paused


def _days_changed(
    session: Session,
    dealer: Dealer,
    before: Mapping[str, str],
    after: Mapping[str, str],
    at: datetime,
    actor: Actor,
) -> None:
    dealers_changed(session, at, [dealer.id])
    hours_changed(session, dealer.id, by_headquarters=False, at=at)
    note_change(
        session, "dealer", dealer.code, at=at, user_id=actor.user_id,
        before={"special_days": dict(before)}, after={"special_days": dict(after)},
    )  # fmt: skip
    session.commit()
