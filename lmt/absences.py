"""When colleagues of a dealer are away, and who stands in: entered by whoever manages the team, or
by headquarters. Nothing is given or sent to them meanwhile.

Each verb commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Absence, Dealer, User, UserScope
from lmt.scope import Actor

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=366)
FARTHEST = timedelta(days=2 * 366)
LONGEST_REASON = 300


class BadAbsence(ValueError):
    """An absence that can't be kept: `field`, and why in the reader's words."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Entered:
    """`warning` in the reader's words where the deputy is away, too; else ""."""

    absence: Absence
    warning: str


def may_manage(dealer: Dealer, actor: Actor) -> bool:
    """May the actor enter absences at this dealer: its manager, or headquarters of its market."""
    whole_market = actor.everywhere or any(
        part.market_id == dealer.market_id and part.dealer_id is None and part.brand_id is None
        for part in actor.parts
    )
    own = actor.may("team.manage") and dealer.id in actor.dealers
    return own or (whole_market and (actor.may("team.manage") or actor.may("network.edit")))


def people_of(session: Session, dealer_id: int) -> Sequence[User]:
    """The people of a dealer whose accounts are open, by name."""
    of_dealer = select(UserScope.user_id).where(UserScope.dealer_id == dealer_id)
    return session.scalars(
        select(User).where(User.active, User.id.in_(of_dealer)).order_by(User.name, User.id)
    ).all()


def absences_of(session: Session, user_ids: Sequence[int], at: datetime) -> Sequence[Absence]:
    """Those that are not over, the first first."""
    return session.scalars(
        select(Absence)
        .where(Absence.user_id.in_(user_ids), Absence.ends_at > at)
        .order_by(Absence.starts_at, Absence.id)
    ).all()


def add_absence(
    session: Session,
    dealer_id: int,
    *,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    deputy_id: int | None = None,
    reason: str = "",
    at: datetime,
    actor: Actor,
) -> Entered:
    """Somebody of the dealer is away from `starts_at` until `ends_at`; instants are aware.

    It may have begun already. Raises BadAbsence naming the field, LookupError for a dealer that
    the actor doesn't manage.
    """
    _managed(session, dealer_id, actor)
    own = {person.id: person for person in people_of(session, dealer_id)}
    if user_id not in own:
        raise BadAbsence("person", _("Choose somebody of this dealer."))
    if deputy_id is not None and deputy_id not in own:
        raise BadAbsence("deputy", _("Choose somebody of this dealer."))
    if deputy_id == user_id:
        raise BadAbsence("deputy", _("Nobody stands in for themselves."))
    if ends_at <= starts_at:
        raise BadAbsence("ends", _("The end is before the beginning."))
    if ends_at <= at:
        raise BadAbsence("ends", _("This time is over."))
    if ends_at - starts_at > LONGEST:
        raise BadAbsence("ends", _("An absence spans a year at most."))
    if starts_at - at > FARTHEST:
        raise BadAbsence("starts", _("This is more than two years ahead."))
    if len(reason) > LONGEST_REASON:
        raise BadAbsence("reason", _("This is too long."))
    # Whoever sends the form twice enters one absence.
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    if _between(session, user_id, starts_at, ends_at):
        raise BadAbsence("starts", _("%(name)s is away then already.", name=own[user_id].name))
    absence = Absence(
        user_id=user_id, starts_at=starts_at, ends_at=ends_at, deputy_id=deputy_id, reason=reason
    )
    session.add(absence)
    warning = "" if deputy_id is None else _warning(session, own[deputy_id], starts_at, ends_at)
    session.commit()
    log.info("absence.entered", user=user_id, by=actor.user_id, deputy=deputy_id)
    return Entered(absence, warning)


def end_absence(
    session: Session, dealer_id: int, absence_id: int, *, at: datetime, actor: Actor
) -> None:
    """The person is back at `at`, or won't be away at all. One that is over stays as it was.

    Raises LookupError where the absence is of nobody of this dealer, or the actor doesn't manage
    it.
    """
    _managed(session, dealer_id, actor)
    own = select(UserScope.user_id).where(UserScope.dealer_id == dealer_id)
    absence = session.scalars(
        select(Absence)
        .where(Absence.id == absence_id, Absence.user_id.in_(own))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if absence is None:
        raise LookupError(f"no absence {absence_id} at dealer {dealer_id}")
    if absence.starts_at >= at:
        session.delete(absence)
    elif absence.ends_at > at:
        absence.ends_at = at
    user_id = absence.user_id
    session.commit()
    log.info("absence.ended", user=user_id, by=actor.user_id)


def _managed(session: Session, dealer_id: int, actor: Actor) -> None:
    dealer = session.get(Dealer, dealer_id)
    if dealer is None or not may_manage(dealer, actor):
        raise LookupError(f"no dealer {dealer_id}")


def _between(
    session: Session, user_id: int, starts_at: datetime, ends_at: datetime
) -> Sequence[Absence]:
    return session.scalars(
        select(Absence)
        .where(Absence.user_id == user_id, Absence.starts_at < ends_at, Absence.ends_at > starts_at)
        .order_by(Absence.starts_at)
    ).all()


def _warning(session: Session, deputy: User, starts_at: datetime, ends_at: datetime) -> str:
    away = _between(session, deputy.id, starts_at, ends_at)
    if not away:
        return ""
    covered = starts_at
    for absence in away:
        if absence.starts_at > covered:
            break
        covered = max(covered, absence.ends_at)
    if covered >= ends_at:
        return _(
            "%(name)s is away the whole time as well. Leads go to whoever stands in for them, "
            "or to the team.",
            name=deputy.name,
        )
    return _("%(name)s is away for a part of this time as well.", name=deputy.name)
