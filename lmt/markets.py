"""How headquarters sets up a market: its countries, languages, clock, money, week and desk.

Each verb notes who changed what, and commits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import structlog
from babel import Locale
from babel.numbers import list_currencies
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.config import LOCALES
from lmt.dealerchanges import BadValues, NotNow
from lmt.i18n import country_name
from lmt.i18n import gettext as _
from lmt.models import Market, MarketCountry, RoutingPolicy, note_change
from lmt.models.validity import since
from lmt.openinghours import hours_problem
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "market.edit"
LONGEST_NAME = 100
LONGEST_SAME_NEED_DAYS = 366
MOST_PURPOSES = 20
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,18}[A-Z0-9]")
_PURPOSE = re.compile(r"[a-z0-9]([a-z0-9._-]{0,58}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """What is set of a market: ISO 3166 `countries`, shipped `languages`, an IANA `timezone`, an
    ISO 4217 `currency`, `week_start` with 0 for Monday, `desk_hours` in OpenStreetMap syntax."""

    name: str
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    default_language: str
    timezone: str
    currency: str
    week_start: int = 0
    desk_hours: str = "Mo-Fr 09:00-18:00"
    desk_country: str = ""
    same_need_days: int = 30
    confirmed_purposes: tuple[str, ...] = ()
    customer_may_move: bool = True
    asks_feedback: bool = True


TERMS = tuple(each.name for each in fields(MarketTerms))


def edited_by(actor: Actor) -> ColumnElement[bool]:
    """The markets that the actor may change, for a WHERE."""
    own = actor.whole_markets(PERMISSION)
    return true() if own is None else Market.id.in_(own)


def edited_markets(session: Session, actor: Actor) -> Sequence[Market]:
    """By name."""
    return session.scalars(select(Market).where(edited_by(actor)).order_by(Market.name)).all()


def edited_market(session: Session, code: str, actor: Actor) -> Market:
    """Raises LookupError for a market that isn't there, or isn't the actor's to change."""
    found = session.scalars(select(Market).where(Market.code == code, edited_by(actor))).first()
    if found is None:
        raise LookupError(f"no market {code}")
    return found


def may_create(actor: Actor) -> bool:
    """A new market is the centre's and the administrator's."""
    return actor.whole_markets(PERMISSION) is None


def create_market(
    session: Session,
    code: str,
    terms: MarketTerms,
    *,
    move_countries: bool = False,
    at: datetime,
    actor: Actor,
) -> Market:
    """A market with a first, empty routing policy. Raises BadValues; LookupError for whoever may
    not."""
    if not may_create(actor):
        raise LookupError("markets are the centre's")
    problems = _problems(terms)
    if not _CODE.fullmatch(code):
        problems["code"] = _("Use capital letters, digits and hyphens, 2 to 20.")
    if problems:
        raise BadValues(problems)
    # Of two people who choose the same code one must be told, whoever commits first.
    made = session.scalar(
        insert(Market)
        .values(code=code, **_columns(terms))
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Market.id)
    )
    if made is None:
        raise BadValues({"code": _("This code is taken.")})
    _take_countries(session, made, terms.countries, move_countries, at, actor)
    session.add(RoutingPolicy(market_id=made, version=1, settings={}, valid=since(None)))
    after = {"code": code, **plain(terms)}
    note_change(session, "market", code, at=at, user_id=actor.user_id, before={}, after=after)
    session.commit()
    log.info("market.created", market=code, by=actor.user_id)
    return session.get_one(Market, made)


def change_market(
    session: Session,
    code: str,
    terms: MarketTerms,
    *,
    move_countries: bool = False,
    seen: str = "",
    at: datetime,
    actor: Actor,
) -> bool:
    """The market goes by `terms` from now on; False where nothing differs.

    `seen` is the `mark_of` the market that was edited. A country that another market has is taken
    from it only with `move_countries`, and only where that market is the actor's too. Raises
    BadValues, NotNow where it was changed meanwhile, LookupError for another's market.
    """
    row = session.scalars(
        select(Market)
        .where(Market.code == code, edited_by(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise LookupError(f"no market {code}")
    before = terms_of(row)
    if seen and seen != mark_of(before):
        raise NotNow(_("Somebody changed this market meanwhile. Look at it again."))
    if problems := _problems(terms):
        raise BadValues(problems)
    if before == terms:
        session.rollback()
        return False
    _take_countries(session, row.id, terms.countries, move_countries, at, actor)
    for name, value in _columns(terms).items():
        setattr(row, name, value)
    note_change(
        session, "market", code, at=at, user_id=actor.user_id,
        before=plain(before), after=plain(terms),
    )  # fmt: skip
    session.commit()
    session.expire(row, ["countries"])
    log.info("market.changed", market=code, by=actor.user_id)
    return True


def terms_of(row: Market) -> MarketTerms:
    values = {name: getattr(row, name) for name in TERMS if name != "countries"}
    values |= {name: tuple(values[name]) for name in ("languages", "confirmed_purposes")}
    return MarketTerms(countries=tuple(each.country for each in row.countries), **values)


def terms_from(values: Mapping[str, Any]) -> MarketTerms:
    """Back from `plain`."""
    listed = ("countries", "languages", "confirmed_purposes")
    return MarketTerms(**{**values, **{name: tuple(values[name]) for name in listed}})


def plain(terms: MarketTerms) -> dict[str, Any]:
    """As JSON keeps it."""
    values = asdict(terms)
    return {name: list(each) if isinstance(each, tuple) else each for name, each in values.items()}


def mark_of(terms: MarketTerms) -> str:
    """Tells whether terms are still those that a form was filled in from."""
    return str(sorted(plain(terms).items()))


def _columns(terms: MarketTerms) -> dict[str, Any]:
    return {name: each for name, each in plain(terms).items() if name != "countries"}


def _take_countries(
    session: Session,
    market_id: int,
    countries: tuple[str, ...],
    move: bool,
    at: datetime,
    actor: Actor,
) -> None:
    """The market's countries are these. What another market loses is noted there too."""
    # Two markets that want one country at once meet at its row: the second finds it taken.
    for country in sorted(set(countries)):
        wanted = insert(MarketCountry).values(country=country, market_id=market_id)
        session.execute(wanted.on_conflict_do_nothing())
    held = session.scalars(
        select(MarketCountry)
        .where(MarketCountry.country.in_(countries) | (MarketCountry.market_id == market_id))
        .order_by(MarketCountry.country)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    own = actor.whole_markets(PERMISSION)
    for row in held:
        if row.market_id == market_id:
            if row.country not in countries:
                session.delete(row)
            continue
        home = session.get_one(Market, row.market_id)
        said = {"country": country_name(row.country), "market": home.name}
        if own is not None and home.id not in own:
            raise BadValues({"countries": _("%(country)s belongs to %(market)s.", **said)})
        if not move:
            words = _("%(country)s belongs to %(market)s. Tick the box to move it.", **said)
            raise BadValues({"countries": words})
        theirs = [each.country for each in home.countries]
        row.market_id = market_id
        note_change(
            session, "market", home.code, at=at, user_id=actor.user_id,
            before={"countries": theirs},
            after={"countries": [each for each in theirs if each != row.country]},
        )  # fmt: skip
        session.flush()
        session.expire(home, ["countries"])


def _problems(terms: MarketTerms) -> dict[str, str]:
    problems = {}
    if not terms.name:
        problems["name"] = _("Enter a name.")
    elif len(terms.name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    territories = Locale("en").territories
    unknown = [c for c in terms.countries if len(c) != 2 or not c.isalpha() or c not in territories]
    if unknown:
        problems["countries"] = _("“%(code)s” is no country.", code=unknown[0])
    if not terms.languages or not set(terms.languages) <= set(LOCALES):
        problems["languages"] = _("Choose one language at least.")
    elif terms.default_language not in terms.languages:
        problems["default_language"] = _("Choose one of the market's languages.")
    if terms.timezone not in available_timezones():
        problems["timezone"] = _("Choose one of these.")
    if terms.currency not in list_currencies():
        problems["currency"] = _("Choose one of these.")
    if terms.week_start not in range(7):
        problems["week_start"] = _("Choose one of these.")
    if unread := hours_problem(terms.desk_hours):
        problems["desk_hours"] = _(unread)
    if terms.desk_country and terms.desk_country not in territories:
        problems["desk_country"] = _("Choose one of these.")
    if not 0 <= terms.same_need_days <= LONGEST_SAME_NEED_DAYS:
        problems["same_need_days"] = _(
            "Enter a number of days from 0 to %(most)s.", most=LONGEST_SAME_NEED_DAYS
        )
    if len(terms.confirmed_purposes) > MOST_PURPOSES or not all(
        _PURPOSE.fullmatch(each) for each in terms.confirmed_purposes
    ):
        problems["confirmed_purposes"] = _(
            "Use small letters, digits, dots and dashes, with commas between purposes."
        )
    return problems
