"""What a country's calendar is like by default, and how a market takes it over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendarpacks import RAMADAN, pack_of, ramadan_hours, ramadans
from lmt.models import Lead, NetworkVersion, Offer, SpecialHours
from lmt.openinghours import hours_problem
from lmt.publicholidays import holiday_name
from lmt.routing.directory import candidates_of
from lmt.specialdays import BadDays, apply_pack, end_days, set_days
from lmt.workhours import is_open
from tests.world import FRIDAY, World

NOVEMBER = datetime(2026, 11, 22, 9, tzinfo=UTC)
YEARS = range(2026, 2029)


@pytest.mark.parametrize(
    ("country", "weekend", "desk"),
    [
        ("PL", (5, 6), "Mo-Fr 09:00-18:00; PH off"),
        ("SA", (4, 5), "Su-Th 09:00-18:00; PH off"),
        ("kw", (4, 5), "Su-Th 09:00-18:00; PH off"),
        ("AE", (5, 6), "Mo-Th 09:00-18:00; Fr 09:00-12:00; PH off"),
        ("IR", (4,), "Sa-Th 09:00-18:00; PH off"),
        ("LY", (4, 5), "Su-Th 09:00-18:00; PH off"),
        ("XX", (5, 6), "Mo-Fr 09:00-18:00; PH off"),
        ("", (5, 6), "Mo-Fr 09:00-18:00; PH off"),
    ],
)
def test_a_pack_knows_the_weekend_and_a_desks_hours(
    country: str, weekend: tuple[int, ...], desk: str
) -> None:
    pack = pack_of(country)
    assert (pack.weekend, pack.desk_hours) == (weekend, desk)
    assert hours_problem(desk) is None


@pytest.mark.parametrize(
    "locale",
    ["ar_SA", "ar_AE", "ar_KW", "ar_QA", "ar_BH", "ar_OM", "ar_EG", "ar_IQ", "ar_JO", "ar_YE",
     "ar_DZ", "ar_LB", "ar_MA", "ar_LY", "ar_MR", "tr_TR", "he_IL", "fa_IR", "pl_PL", "de_DE",
     "fr_FR", "es_ES", "nl_NL", "it_IT", "en_GB", "en_US"],
)  # fmt: skip
def test_weekends_agree_with_the_unicode_cldr(locale: str) -> None:
    known = Locale.parse(locale)
    assert set(pack_of(locale[-2:]).weekend) == {known.weekend_start, known.weekend_end}


@pytest.mark.parametrize("country", ["SA", "AE", "KW", "QA", "BH", "OM", "EG", "MA", "PK"])
def test_ramadan_ends_with_the_eve_of_the_countrys_eid(country: str) -> None:
    for year in (2027, 2028, 2029):
        (month,) = ramadans(country, year)
        assert (month.last - month.first).days + 1 in {29, 30}
        eid = month.last + timedelta(days=1)
        assert "Fitr" in (holiday_name(country, eid, "en") or "")
        ((first, last, hours),) = ramadan_hours(country, year)
        assert (first, last) == (month.first, month.last)
        assert hours_problem(hours) is None
    assert ramadans(country, 2027)[0].estimated


def test_a_year_with_two_ramadans_and_countries_without() -> None:
    assert [month.first.month for month in ramadans("SA", 2030)] == [1, 12]
    assert ramadan_hours("PL", 2027) == ()
    assert ramadan_hours("TR", 2027) == ()  # fasts, but works as ever
    assert ramadan_hours("XX", 2027) == ()


def test_a_market_takes_over_a_pack_once(session: Session, world: World) -> None:
    gulf = world.markets["GULF"]
    before = session.scalars(select(NetworkVersion.version)).one()
    added = apply_pack(session, gulf, "SA", YEARS, NOVEMBER)
    assert [row.starts_on.year for row in added] == [2027, 2028]  # this year's is over
    assert {row.name for row in added} == {RAMADAN}
    assert session.scalars(select(NetworkVersion.version)).one() == before + 1
    assert apply_pack(session, gulf, "SA", YEARS, NOVEMBER) == []
    assert session.scalars(select(NetworkVersion.version)).one() == before + 1
    riyadh = {each.code: each for each in candidates_of(session, gulf, NOVEMBER)}["SA-RUH-1"]
    # 14 February 2027, a Sunday of Ramadan: 16:30 in Riyadh is between the fast's two halves.
    assert not is_open(riyadh.calendar, datetime(2027, 2, 14, 13, 30, tzinfo=UTC))
    assert is_open(riyadh.calendar, datetime(2027, 2, 14, 18, 30, tzinfo=UTC))
    assert is_open(riyadh.calendar, datetime(2027, 1, 17, 13, 30, tzinfo=UTC))


def test_what_a_market_changed_or_ended_stays_so(session: Session, world: World) -> None:
    gulf = world.markets["GULF"]
    ramadan, later = apply_pack(session, gulf, "SA", YEARS, NOVEMBER)
    changed = set_days(
        session, gulf, "SA", ramadan.starts_on + timedelta(days=1), ramadan.ends_on,
        "Su-Th 11:00-15:00", RAMADAN, NOVEMBER + timedelta(hours=1), instead_of=ramadan.id,
    )  # fmt: skip
    end_days(session, gulf, later.id, NOVEMBER + timedelta(hours=1))
    after = NOVEMBER + timedelta(hours=2)
    assert apply_pack(session, gulf, "SA", YEARS, after) == []
    held = session.scalars(
        select(SpecialHours).where(SpecialHours.holds_at(after)).order_by(SpecialHours.starts_on)
    ).all()
    assert [(row.id, row.hours) for row in held] == [(changed.id, "Su-Th 11:00-15:00")]
    # What was known before the change can still be read.
    assert session.get_one(SpecialHours, ramadan.id).valid.upper is not None


@pytest.mark.parametrize(
    ("first", "last", "hours", "name", "field"),
    [
        (date(2026, 12, 24), date(2026, 12, 23), "off", "", "last"),
        (date(2026, 1, 1), date(2027, 12, 31), "off", "", "last"),
        (date(2026, 12, 24), date(2026, 12, 24), "9-12", "", "hours"),
        (date(2026, 12, 24), date(2026, 12, 24), "", "", "hours"),
        (date(2026, 12, 24), date(2026, 12, 24), "off", "x" * 200, "name"),
    ],
)
def test_days_that_cant_be_kept_are_refused(
    session: Session, world: World, first: date, last: date, hours: str, name: str, field: str
) -> None:
    with pytest.raises(BadDays) as refused:
        set_days(session, world.markets["PL"], "PL", first, last, hours, name, NOVEMBER)
    assert refused.value.field == field
    assert refused.value.reason


def test_another_markets_country_or_row_is_not_found(session: Session, world: World) -> None:
    with pytest.raises(LookupError):
        apply_pack(session, world.markets["PL"], "SA", YEARS, NOVEMBER)
    (row, *_) = apply_pack(session, world.markets["GULF"], "SA", YEARS, NOVEMBER)
    with pytest.raises(LookupError):
        end_days(session, world.markets["PL"], row.id, NOVEMBER)


def test_running_offers_are_counted_by_the_new_days(
    session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead()
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    day = FRIDAY.date()
    set_days(
        session, world.markets["PL"], "PL", day, day, "12:00-18:00", "Inventory",
        FRIDAY + timedelta(minutes=5),
    )  # fmt: skip
    session.refresh(offer)
    # Opens at 12:00 in Warsaw instead of 9:00.
    assert offer.expires_at > FRIDAY.replace(hour=11)
