"""What the groups of a report are called: keys of an address, and their names for the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from babel import Locale, dates
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.attributes import fields_at_hand, option_label
from lmt.i18n import country_name, format_date, language_name, reader
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.labels import choices as label_choices
from lmt.models import (
    Brand,
    Dealer,
    DealerGroup,
    DealerTerms,
    Lead,
    Market,
    MarketCountry,
    User,
    UserScope,
    VehicleModel,
)
from lmt.reports.answer import Key
from lmt.reports.dimensions import FIELD, NONE, Dimension, dimension_of
from lmt.reports.folding import OTHERS, folded
from lmt.reports.narrowing import CODED, OUTSIDE, can_be_asked
from lmt.scope import Actor

LABELLED: Mapping[str, tuple[str, ...]] = {
    "request_type": ("request_type",), "service": ("service",), "channel": ("channel",),
    "band": ("band",), "customer_kind": ("customer_kind",), "status": ("status",),
    "cause": ("cause", "lost_reason", "withdraw_reason"), "verdict": ("verdict",),
    "disposition": ("disposition",),
}  # fmt: skip
"""Dimensions whose keys are codes, and the kinds of labels that have their words."""


def key_values(
    session: Session, dimension: Dimension, values: Iterable[Any], week_start: int
) -> dict[Any, str]:
    """What an address calls each of these values of the dimension's column."""
    found = set(values)
    codes: dict[Any, str] = {}
    if dimension.code in CODED:
        table = CODED[dimension.code]
        codes = _pairs(session, select(table.id, table.code).where(_is_any(table.id, _ids(found))))
    elif dimension.column == "dealer_id":
        in_sight = select(Dealer.id, DealerGroup.code if dimension.fold else Dealer.code)
        joined = in_sight.outerjoin(DealerGroup) if dimension.fold else in_sight
        known = _pairs(session, joined.where(_is_any(Dealer.id, _ids(found))))
        codes = {id: known[id] or NONE if id in known else OUTSIDE for id in _ids(found) if id}
        codes[0] = NONE
    return {value: codes.get(value) or folded(dimension, value, week_start) for value in found}


def names_of(
    session: Session, dimension: str, values: Iterable[str], at: datetime
) -> dict[str, str]:
    """The reader's words for these keys, as of `at`; a key that nothing is called, or nothing in
    the reader's sight, is its own: an address may name anybody's."""
    asked = dimension_of(dimension)
    wanted = {v for v in values if v not in (NONE, OTHERS, OUTSIDE) and can_be_asked(v)}
    names = {value: value for value in wanted} | _named(session, asked, wanted, at)
    return {
        **names,
        NONE: _none(asked),
        OTHERS: _("Others"),
        OUTSIDE: _("A dealer of another market"),
    }


def _named(session: Session, dimension: Dimension, keys: set[str], at: datetime) -> dict[str, str]:
    code = dimension.code
    if code in CODED:
        table = CODED[code]
        named = select(table.code, table.name).where(table.code.in_(keys))
        if code in ("source", "campaign"):
            named = named.where(table.market_id.in_(markets_in_sight(session)))
        return {key: name for key, name in _pairs(session, named).items() if name}
    if code == "dealer":
        return _pairs(session, dealers_named(at).where(_is_any(Dealer.code, keys)))
    if code == "group":
        groups = _groups_in_sight().where(DealerGroup.code.in_(keys))
        return _pairs(session, groups)
    if code == "colleague":
        ids = [int(key) for key in keys if key.isdecimal() and len(key) < 10]
        users = _people_in_sight(session).where(User.id.in_(ids))
        return {str(id): name for id, name in _pairs(session, users).items()}
    if code in LABELLED:
        return {key: _labelled(LABELLED[code], key) for key in keys}
    if own := _own_field(session, dimension):
        return {key: option_label(own, key) for key in keys}
    return {key: _calendar(dimension, key) for key in keys}


def dealers_named(at: datetime) -> Select[str, str]:
    """Code and name of each dealer in sight that has terms at `at`."""
    return select(Dealer.code, DealerTerms.name).join(
        DealerTerms, and_(DealerTerms.dealer_id == Dealer.id, DealerTerms.holds_at(at))
    )


def _none(dimension: Dimension) -> str:
    if dimension.code.startswith(FIELD):
        return _("No answer")
    return _("No dealer yet") if dimension.code == "dealer" else _("None")


def _labelled(kinds: Iterable[str], key: str) -> str:
    return next((str(LABELS[kind][key]) for kind in kinds if key in LABELS[kind]), key)


def _calendar(dimension: Dimension, key: str) -> str:
    """Days, hours, countries and languages as the reader's language writes them."""
    locale = reader().locale
    try:
        match dimension.code:
            case "country":
                return country_name(key)
            case "language":
                return language_name(key)
            case "day":
                return format_date(date.fromisoformat(key))
            case "week":
                first = date.fromisoformat(key)
                return _span(first, first + timedelta(days=6))
            case "month":
                day = date.fromisoformat(f"{key}-01")
                return str(dates.format_skeleton("yMMM", day, locale=locale))
            case "weekday":
                return str(Locale(locale).days["stand-alone"]["wide"][int(key)])
            case "hour":
                return f"{int(key):02}:00"
    except (ValueError, KeyError, OverflowError):
        return key
    return key


def _span(first: date, last: date) -> str:
    return str(dates.format_interval(first, last, "yMMMd", locale=reader().locale))


def _own_field(session: Session, dimension: Dimension) -> Any:
    if not dimension.code.startswith(FIELD):
        return None
    key = dimension.code.removeprefix(FIELD)
    return next((item for item in fields_at_hand(session) if item.key == key), None)


def _ids(values: Iterable[Any]) -> list[int]:
    return [value for value in values if value is not None]


def _is_any(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """One parameter, however many there are of them."""
    found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
    return found


def _pairs(session: Session, statement: Select[Any, Any]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in session.execute(statement)}


def choices(session: Session, dimension: str, at: datetime) -> list[Key]:
    """What the reader may filter by, in the order in which it is offered: of their own part of the
    world, as of `at`. None of dimensions with keys beyond counting (regions, days)."""
    asked = dimension_of(dimension)
    if asked.code in LABELLED:
        return [Key(*pair) for kind in LABELLED[asked.code] for pair in label_choices(kind)]
    if asked.ordered:
        keys = [str(n) for n in {"weekday": range(7), "hour": range(24)}.get(asked.fold, ())]
        return [Key(key, _calendar(asked, key)) for key in keys]
    if own := _own_field(session, asked):
        return [Key(option.id, option_label(own, option.id)) for option in own.options]
    found = _choosable(session, asked.code, at)
    return sorted((Key(*pair) for pair in found), key=lambda key: (key.name.casefold(), key.value))


def _choosable(session: Session, code: str, at: datetime) -> Iterable[tuple[str, str]]:
    markets = markets_in_sight(session)
    in_sight = Market.id.in_(markets)
    match code:
        case "market":
            return _pairs(session, select(Market.code, Market.name).where(in_sight)).items()
        case "dealer":
            return _pairs(session, dealers_named(at)).items()
        case "group":
            return _pairs(session, _groups_in_sight()).items()
        case "colleague":
            of_dealers = select(UserScope.user_id).where(UserScope.dealer_id.in_(select(Dealer.id)))
            users = select(User.id, User.name).where(User.id.in_(of_dealers))
            return [(str(id), name) for id, name in _pairs(session, users).items()]
        case "brand":
            return _pairs(session, select(Brand.code, Brand.name)).items()
        case "model":
            return [(name, name) for name in session.scalars(select(VehicleModel.name).distinct())]
        case "source" | "campaign":
            table = CODED[code]
            named = select(table.code, table.name).where(table.market_id.in_(markets))
            return [(code, name or code) for code, name in _pairs(session, named).items()]
        case "country":
            countries = select(MarketCountry.country).where(MarketCountry.market_id.in_(markets))
            return [(code, country_name(code)) for code in session.scalars(countries)]
        case "language":
            spoken = select(func.unnest(Market.languages)).where(in_sight).distinct()
            return [(code, language_name(code)) for code in session.scalars(spoken)]
    return []


def markets_in_sight(session: Session) -> Select[int]:
    """The ids of those that the reader has a part of, which a dealer's people have of but one."""
    actor: Actor = session.info["actor"]
    named = or_(Market.id.in_(actor.markets), Market.id.in_(select(Dealer.market_id)))
    return select(Market.id).where(true() if actor.everywhere else named)


def _groups_in_sight() -> Select[str, str]:
    """Those of which the reader sees a dealer."""
    in_sight = DealerGroup.id.in_(select(Dealer.group_id))
    return select(DealerGroup.code, DealerGroup.name).where(in_sight)


def _people_in_sight(session: Session) -> Select[int, str]:
    """People of the reader's dealers, and whoever has a lead that the reader sees."""
    actor: Actor = session.info["actor"]
    people = select(User.id, User.name)
    if actor.everywhere:
        return people
    of_dealers = select(UserScope.user_id).where(UserScope.dealer_id.in_(select(Dealer.id)))
    has_a_lead = exists().where(Lead.owner_id == User.id)
    return people.where(or_(User.id.in_(of_dealers), has_a_lead))
