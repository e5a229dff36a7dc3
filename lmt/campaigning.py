"""How headquarters keeps its campaigns: when they run, what they cost, by what a lead finds them.

Each verb notes who changed what, and commits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import structlog
from babel.numbers import list_currencies
from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Brand, Campaign, Market, note_change
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "source.edit"
UTM = ("utm_source", "utm_medium", "utm_campaign")
LONGEST_NAME = 100
LONGEST_UTM = 300
MOST_PLATFORM_IDS = 200
HIGHEST_COST = Decimal("999999999999.99")
_CODE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,58}[a-z0-9])?")
_PLATFORM_ID = re.compile(r"[a-z][a-z0-9_]{1,19}:([a-z_]{2,20}:)?[^\s:]{1,100}", re.IGNORECASE)


class BadCampaign(ValueError):
    """What was given can't be kept: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    """What is set of a campaign. Both days count; of the UTM texts, empty fits anything and `*` is
    a joker; `platform_ids` are `google:campaign:991214827` or `google:991214827`."""

    code: str
    name: str
    market_id: int
    brand_id: int | None
    starts_on: date
    ends_on: date | None
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    platform_ids: tuple[str, ...] = ()
    cost: Decimal | None = None
    currency: str | None = None


def edited_markets(actor: Actor) -> frozenset[int] | None:
    """Ids of the markets whose campaigns the actor keeps; None for all of them."""
    return actor.whole_markets(PERMISSION)


def kept_by(actor: Actor) -> ColumnElement[bool]:
    """The campaigns that the actor keeps, for a WHERE."""
    own = edited_markets(actor)
    return true() if own is None else Campaign.market_id.in_(own)


def kept_campaign(session: Session, code: str, actor: Actor) -> Campaign:
    """Raises LookupError for a campaign that isn't there, or isn't the actor's to keep."""
    found = session.scalars(select(Campaign).where(Campaign.code == code, kept_by(actor))).first()
    if found is None:
        raise LookupError(f"no campaign {code}")
    return found


def create_campaign(session: Session, terms: CampaignTerms, at: datetime, actor: Actor) -> Campaign:
    """A new campaign. Raises BadCampaign naming the fields."""
    _check(session, terms, None, actor)
    values = {**asdict(terms), "platform_ids": list(terms.platform_ids)}
    made = session.scalar(
        insert(Campaign)
        .values(values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Campaign.id)
    )
    if made is None:
        raise BadCampaign({"code": _("This code is taken.")})
    _note(session, terms.code, at, actor, {}, _told(terms))
    session.commit()
    log.info("campaign.created", campaign=terms.code, by=actor.user_id)
    return session.get_one(Campaign, made)


def change_campaign(
    session: Session, campaign: Campaign, terms: CampaignTerms, at: datetime, actor: Actor
) -> bool:
    """The campaign goes by `terms` from now on; leads that found it keep it. Its code stays.

    False where nothing differs. Raises BadCampaign, LookupError for another's campaign.
    """
    row = session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign.id, kept_by(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise LookupError(f"no campaign {campaign.id}")
    _check(session, terms, row, actor)
    before = _told(_terms_of(row))
    after = _told(terms)
    if before == after:
        session.rollback()
        return False
    for name, value in asdict(terms).items():
        setattr(row, name, list(value) if name == "platform_ids" else value)
    _note(session, row.code, at, actor, before, after)
    session.commit()
    log.info("campaign.changed", campaign=row.code, by=actor.user_id)
    return True


def _terms_of(row: Campaign) -> CampaignTerms:
    names = CampaignTerms.__dataclass_fields__
    values = {name: getattr(row, name) for name in names}
    return CampaignTerms(**{**values, "platform_ids": tuple(row.platform_ids)})


def _told(terms: CampaignTerms) -> dict[str, Any]:
    """For the history: what is set, as JSON keeps it."""
    values = asdict(terms)
    plain = {
        name: str(value) if isinstance(value, date | Decimal) else value
        for name, value in values.items()
    }
    plain["platform_ids"] = list(terms.platform_ids)
    return {name: value for name, value in plain.items() if value not in ("", None, [])}


def _note(
    session: Session,
    code: str,
    at: datetime,
    actor: Actor,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    user_id = actor.user_id
    note_change(session, "campaign", code, at=at, user_id=user_id, before=before, after=after)


def _check(session: Session, terms: CampaignTerms, row: Campaign | None, actor: Actor) -> None:
    problems = _problems(terms)
    own = edited_markets(actor)
    known = session.get(Market, terms.market_id) is not None
    if not known or not (own is None or terms.market_id in own):
        problems["market_id"] = _("Choose one of these.")
    if terms.brand_id is not None and session.get(Brand, terms.brand_id) is None:
        problems["brand_id"] = _("Choose one of these.")
    if row is not None and terms.code != row.code:
        problems["code"] = _("The code of a campaign stays.")
    if not problems:
        problems = _conflicts(terms, _rivals(session, terms, row))
    if problems:
        raise BadCampaign(problems)


def _problems(terms: CampaignTerms) -> dict[str, str]:
    problems = {}
    if not _CODE.fullmatch(terms.code):
        problems["code"] = _("Use small letters, digits, hyphens and underscores, 60 at most.")
    if not terms.name:
        problems["name"] = _("Enter a name.")
    elif len(terms.name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    if terms.ends_on is not None and terms.ends_on < terms.starts_on:
        problems["ends_on"] = _("The last day is before the first.")
    for name in UTM:
        if len(getattr(terms, name)) > LONGEST_UTM:
            problems[name] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_UTM)
    unread = next((id for id in terms.platform_ids if not _PLATFORM_ID.fullmatch(id)), None)
    if unread is not None:
        problems["platform_ids"] = _(
            "“%(id)s” can't be read. Write it as in google:campaign:991214827.", id=unread
        )
    elif len(terms.platform_ids) > MOST_PLATFORM_IDS:
        problems["platform_ids"] = _("These are too many.")
    if terms.cost is not None and not 0 <= terms.cost <= HIGHEST_COST:
        problems["cost"] = _("Enter an amount such as 12500, or nothing.")
    if terms.cost is not None and terms.currency not in list_currencies():
        problems["currency"] = _("Choose one of these.")
    return problems


def _rivals(session: Session, terms: CampaignTerms, row: Campaign | None) -> Sequence[Campaign]:
    """The market's other campaigns on any same day, of the same brand or of any."""
    wanted = select(Campaign).where(
        Campaign.market_id == terms.market_id,
        or_(Campaign.ends_on.is_(None), Campaign.ends_on >= terms.starts_on),
    )
    if terms.ends_on is not None:
        wanted = wanted.where(Campaign.starts_on <= terms.ends_on)
    if terms.brand_id is not None:
        wanted = wanted.where(or_(Campaign.brand_id.is_(None), Campaign.brand_id == terms.brand_id))
    if row is not None:
        wanted = wanted.where(Campaign.id != row.id)
    return session.scalars(wanted.order_by(Campaign.code)).all()


def _conflicts(terms: CampaignTerms, rivals: Sequence[Campaign]) -> dict[str, str]:
    """Where a lead would find two campaigns by the same id or the same tags on the same day."""
    problems: dict[str, str] = {}
    for rival in rivals:
        theirs = [_token(id) for id in rival.platform_ids]
        shared = next((id for id in terms.platform_ids if _is_among(_token(id), theirs)), None)
        if shared is not None:
            problems.setdefault(
                "platform_ids",
                _("“%(id)s” is %(name)s's already on these days.", id=shared, name=rival.name),
            )
        if any(_tags(terms)) and _tags(terms) == _tags(rival):
            problems.setdefault(
                "utm_campaign", _("%(name)s has the same tags on these days.", name=rival.name)
            )
    return problems


def _tags(campaign: CampaignTerms | Campaign) -> tuple[str, ...]:
    return tuple(" ".join(getattr(campaign, name).split()).casefold() for name in UTM)


def _token(text: str) -> tuple[str, str, str]:
    """(platform, kind or "", id)"""
    platform, *kind, number = text.casefold().split(":")
    return platform, kind[0] if kind else "", number


def _is_among(wanted: tuple[str, str, str], tokens: Sequence[tuple[str, str, str]]) -> bool:
    """An id of no kind may be the id of anything."""
    platform, kind, number = wanted
    return any(
        (platform, number) == (other, same) and (kind == of or not kind or not of)
        for other, of, same in tokens
    )
