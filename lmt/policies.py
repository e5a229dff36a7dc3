"""How a market's routing policy changes: drafted, tried, published at an instant, rolled back.

A published version never changes but in its end, so that every decision names the settings it
was made by. Each verb commits; its author, instant and reason are kept with what it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt.i18n import format_datetime, format_number
from lmt.i18n import gettext as _
from lmt.models import Dealer, Market, PolicyDraft, RoutingPolicy, User
from lmt.models.capacity import wake_unrouted
from lmt.openinghours import N_
from lmt.releases import respace
from lmt.routing.policy import PolicyError
from lmt.routing.policybook import CONDITIONS, PolicyBook
from lmt.scope import Actor

PERMISSION = "policy.edit"
LONGEST_NAME = 100
LONGEST_NOTE = 500
DEALER_SETTINGS = ("fallback_dealer", "duty_desk")


class NotNow(ValueError):
    """What is asked can't be done as things stand; its text, in the reader's words, says why."""


def edited_markets(actor: Actor) -> frozenset[int] | None:
    """Ids of the markets whose policy the actor may change; None for every market.

    Who looks after one brand, or one dealer, decides nothing for a whole market.
    """
    return actor.whole_markets(PERMISSION)


def market_of(session: Session, market_id: int, actor: Actor) -> Market:
    """A market whose policy the actor may change. Raises LookupError for any other."""
    own = edited_markets(actor)
    market = session.get(Market, market_id) if own is None or market_id in own else None
    if market is None:
        raise LookupError(f"no market {market_id}")
    return market


def draft_of(session: Session, draft_id: int, actor: Actor) -> PolicyDraft:
    """A draft of such a market. Raises LookupError for any other."""
    draft = session.get(PolicyDraft, draft_id)
    if draft is None:
        raise LookupError(f"no draft {draft_id}")
    market_of(session, draft.market_id, actor)
    return draft


def version_of(session: Session, market_id: int, version: int) -> RoutingPolicy | None:
    return session.scalars(
        select(RoutingPolicy).where(
            RoutingPolicy.market_id == market_id, RoutingPolicy.version == version
        )
    ).first()


def version_in_force(session: Session, market_id: int, at: datetime) -> RoutingPolicy | None:
    return session.scalars(
        select(RoutingPolicy).where(
            RoutingPolicy.market_id == market_id, RoutingPolicy.holds_at(at)
        )
    ).first()


def planned_version(session: Session, market_id: int, at: datetime) -> RoutingPolicy | None:
    """The next version that is published but doesn't hold yet."""
    return session.scalars(
        select(RoutingPolicy)
        .where(RoutingPolicy.market_id == market_id, func.lower(RoutingPolicy.valid) > at)
        .order_by(RoutingPolicy.valid)
    ).first()


def start_draft(
    session: Session,
    market: Market,
    name: str,
    at: datetime,
    actor: Actor,
    from_version: int | None = None,
) -> PolicyDraft:
    """A draft that begins as a copy of `from_version`, None for the one in force (the defaults
    where there is none). Raises LookupError for a market or version that isn't there."""
    market_of(session, market.id, actor)
    if from_version is None:
        row = version_in_force(session, market.id, at)
    else:
        row = version_of(session, market.id, from_version)
        if row is None:
            raise LookupError(f"no version {from_version} of market {market.code}")
    draft = PolicyDraft(
        market_id=market.id,
        name=name.strip()[:LONGEST_NAME] or _("Draft"),
        settings=plain_settings(row.settings if row else {}),
        based_on=row.version if row else 0,
        author_id=actor.user_id,
        created_at=at,
        changed_at=at,
    )
    session.add(draft)
    session.commit()
    return draft


def save_draft(
    session: Session,
    draft_id: int,
    settings: Mapping[str, Any],
    *,
    name: str,
    at: datetime,
    actor: Actor,
) -> PolicyDraft:
    """Keep what was edited. Raises PolicyError naming the setting to mend, NotNow where the draft
    has been published or dropped meanwhile."""
    draft = _open_draft(session, draft_id, actor)
    _checked(session, draft.market_id, settings)
    draft.settings = plain_settings(settings)
    draft.name = name.strip()[:LONGEST_NAME] or draft.name
    draft.author_id, draft.changed_at = actor.user_id, at
    session.commit()
    return draft


def drop_draft(session: Session, draft_id: int, *, at: datetime, actor: Actor) -> None:
    """The draft is given up; what was replayed of it stays."""
    draft = _open_draft(session, draft_id, actor)
    draft.state, draft.changed_at = "dropped", at
    session.commit()


def publish(
    session: Session,
    draft_id: int,
    *,
    at: datetime,
    holds_from: datetime | None = None,
    note: str,
    actor: Actor,
) -> RoutingPolicy:
    """The draft becomes the market's next version from `holds_from` on (None: at once).

    Raises PolicyError for settings that don't hold together, and NotNow for an instant that has
    passed, without a reason, or while another version is planned already.
    """
    draft = _open_draft(session, draft_id, actor)
    _checked(session, draft.market_id, draft.settings)
    begins_at = holds_from or at
    if begins_at < at:
        raise NotNow(_("This instant has passed. Choose a later one, or publish at once."))
    _refuse_second_plan(session, draft.market_id, at)
    published = _publish(
        session, draft.market_id, draft.settings, at=at, begins_at=begins_at, note=note, actor=actor
    )
    draft.state, draft.changed_at = "published", at
    session.commit()
    return published


def roll_back(
    session: Session, market_id: int, to_version: int, *, at: datetime, note: str, actor: Actor
) -> RoutingPolicy:
    """An older version's settings hold again at once, as a version of their own.

    A version planned for later stays planned. Raises LookupError for no such version, NotNow for
    the one in force or for one whose settings are no longer accepted.
    """
    market_of(session, market_id, actor)
    _one_change_at_a_time(session, market_id)
    row = version_of(session, market_id, to_version)
    if row is None:
        raise LookupError(f"no version {to_version} of market {market_id}")
    current = version_in_force(session, market_id, at)
    if current is not None and plain_settings(current.settings) == plain_settings(row.settings):
        raise NotNow(_("These settings are in force already."))
    settings = plain_settings(row.settings)
    try:
        _checked(session, market_id, settings)
    except PolicyError as problem:
        raise NotNow(
            _(
                "This version can't hold any more: %(why)s",
                why=_(problem.message, **problem.values),
            )
        ) from problem
    published = _publish(session, market_id, settings, at=at, begins_at=at, note=note, actor=actor)
    session.commit()
    return published


def withdraw_planned(
    session: Session, market_id: int, version: int, *, at: datetime, note: str, actor: Actor
) -> None:
    """A version that doesn't hold yet never will; the one before it runs on.

    Its row stays, without a span in which it holds, and its note tells who withdrew it and why.
    """
    market_of(session, market_id, actor)
    _one_change_at_a_time(session, market_id)
    row = version_of(session, market_id, version)
    if row is None or row.valid.lower is None or row.valid.lower <= at:
        raise NotNow(_("This version is not planned any more."))
    before = version_in_force(session, market_id, at)
    begins_at, ends_at = row.valid.lower, row.valid.upper
    author = session.get(User, actor.user_id) if actor.user_id is not None else None
    row.note = " · ".join(
        [
            row.note,
            _(
                "Withdrawn by %(who)s before it held: %(why)s",
                who=author.name if author else "LMT",
                why=_reason(note),
            ),
        ]
    )
    row.valid = Range(empty=True)
    session.flush()
    if before is not None and before.valid.upper == begins_at:
        before.valid = Range(before.valid.lower, ends_at, bounds="[)")
    session.commit()


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the number of the version that they were published as."""
    return {name: value for name, value in settings.items() if name != "version"}


def policy_words(version: int, settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Which version decided, and which of its cases, for a lead of these facts
    (`RoutingDecision.inputs`)."""
    values = {name: str(inputs.get(name) or "") for name in CONDITIONS}
    values["customer_kind"] = values["customer_kind"] or "private"
    try:
        cases = PolicyBook.from_settings(settings).cases
    except PolicyError:
        cases = ()
    case = next((case for case in cases if case.holds(values)), None)
    if case is None:
        return _("Version %(version)s", version=format_number(version))
    return _("Version %(version)s, case “%(case)s”", version=format_number(version), case=case.name)


def _publish(
    session: Session,
    market_id: int,
    settings: Mapping[str, Any],
    *,
    at: datetime,
    begins_at: datetime,
    note: str,
    actor: Actor,
) -> RoutingPolicy:
    reason = _reason(note)
    latest = session.scalar(
        select(func.max(RoutingPolicy.version)).where(RoutingPolicy.market_id == market_id)
    )
    current = version_in_force(session, market_id, begins_at)
    ends_at = None
    if current is not None:
        ends_at = current.valid.upper
        current.end(begins_at)
        session.flush()
    elif (planned := planned_version(session, market_id, begins_at)) is not None:
        ends_at = planned.valid.lower
    version = (latest or 0) + 1
    published = RoutingPolicy(
        market_id=market_id,
        version=version,
        settings=plain_settings(settings) | {"version": version},
        author_id=actor.user_id,
        note=reason,
        published_at=at,
        valid=Range(begins_at, ends_at, bounds="[)"),
    )
    session.add(published)
    session.flush()
    if begins_at <= at:
        wake_unrouted(session, {market_id}, at)
        respace(session, market_id, at)
    return published


def _open_draft(session: Session, draft_id: int, actor: Actor) -> PolicyDraft:
    draft = draft_of(session, draft_id, actor)
    _one_change_at_a_time(session, draft.market_id)
    session.refresh(draft)
    if draft.state == "published":
        raise NotNow(_("This draft was published already."))
    if draft.state == "dropped":
        raise NotNow(_("This draft was dropped."))
    return draft


def _one_change_at_a_time(session: Session, market_id: int) -> None:
    session.execute(select(Market.id).where(Market.id == market_id).with_for_update(key_share=True))


def _refuse_second_plan(session: Session, market_id: int, at: datetime) -> None:
    planned = planned_version(session, market_id, at)
    if planned is not None and planned.valid.lower is not None:
        raise NotNow(
            _(
                "Version %(version)s is planned already, from %(when)s. Withdraw it first.",
                version=planned.version,
                when=format_datetime(planned.valid.lower, "short"),
            )
        )


def _checked(session: Session, market_id: int, settings: Mapping[str, Any]) -> PolicyBook:
    """The settings as a policy book whose dealers are the market's. Raises PolicyError."""
    book = PolicyBook.from_settings(plain_settings(settings))
    cases = {case["name"]: case.get("settings", {}) for case in settings.get("cases", ())}
    for where, each in {"": settings, **cases}.items():
        for name in DEALER_SETTINGS:
            code = each.get(name)
            if code and not _is_dealer_of(session, market_id, code):
                message = N_("There is no dealer %(code)s in this market.")
                raise PolicyError(name, message, case=where, code=code)
    return book


def _is_dealer_of(session: Session, market_id: int, code: str) -> bool:
    known = select(Dealer.id).where(Dealer.market_id == market_id, Dealer.code == code)
    return session.scalar(known) is not None


def _reason(note: str) -> str:
    reason = note.strip()
    if not reason:
        raise NotNow(_("Say why, for those who read this later."))
    return reason[:LONGEST_NOTE]
