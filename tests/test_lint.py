"""What is found wrong with a market's dealers, people and calendars, before a lead meets it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from shapely.geometry import box
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.hq.findingwords import CODES, SEVERITY_WORDS, finding_words
from lmt.i18n import reading
from lmt.models import Absence, DealerTerms
from lmt.routing.candidate import Candidate
from lmt.routing.coverage import Spot
from lmt.routing.lint import SEVERITIES, Finding, Matter, Person, SpecialEntry, findings
from lmt.routing.linting import lint_market
from lmt.workhours import Calendar
from tests.world import World

# A Sunday in November, 10:00 in Warsaw.
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
WEEK = "Mo-Fr 09:00-18:00; PH off"
LODZ = Spot("Łódź", "PL", 51.7706, 19.4739, 768_755)
WARSAW = Spot("Warsaw", "PL", 52.2298, 21.0118, 1_702_139)
SALES = frozenset({("aurel", "sales")})

Closures = tuple[tuple[date, date], ...]


def dealer(number: int = 1, hours: str = WEEK, closures: Closures = (), **more: Any) -> Candidate:
    values: dict[str, Any] = {
        "id": number,
        "code": f"D{number}",
        "name": f"Dealer {number}",
        "lat": 52.24,
        "lon": 21.03,
        "country": "PL",
        "calendar": Calendar(hours, "Europe/Warsaw", "PL", closures),
        "competences": SALES,
    }
    return Candidate(**{**values, **more})


def found(*dealers: Candidate, at: datetime = AT, **more: Any) -> list[Finding]:
    values: dict[str, Any] = {"countries": ["PL"], "spots": [WARSAW]}
    return findings(Matter(candidates=dealers, **{**values, **more}), at)


def only(code: str, listed: list[Finding]) -> list[Finding]:
    return [finding for finding in listed if finding.code == code]


def days(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


def test_a_sound_market_has_only_its_weekends_to_know_of() -> None:
    listed = found(dealer())
    assert [(finding.code, finding.severity) for finding in listed] == [("nobody_open", "warning")]
    (weekend,) = listed
    # Friday 18:00 to Monday 9:00, as Warsaw has it.
    assert weekend.figures["hours"] == 63
    assert weekend.figures["starts_at"] == datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert found(dealer(hours="Mo-Su 08:00-20:00")) == []


@pytest.mark.parametrize(
    ("candidate", "code", "severity"),
    [
        (dealer(hours="9-17"), "hours_unreadable", "error"),
        (dealer(hours="2020 Mo-Fr 09:00-18:00"), "never_open", "error"),
        (dealer(hours="off"), "never_open", "error"),
        (dealer(closures=(days("2026-11-20", "2026-12-12"),)), "long_closed", "warning"),
        (dealer(closures=(days("2000-01-01", "2099-12-31"),)), "never_open", "error"),
        (dealer(reachable=False), "unreachable", "error"),
        (dealer(lat=float("nan")), "no_place", "error"),
        (dealer(lon=500.0), "no_place", "error"),
    ],
)
def test_what_is_wrong_with_one_dealer(candidate: Candidate, code: str, severity: str) -> None:
    (finding,) = only(code, found(candidate))
    assert (finding.severity, finding.dealers) == (severity, ("D1",))
    assert only(code, found(replace(candidate, active=False))) == []


def test_unreadable_hours_come_with_what_they_may_mean() -> None:
    (plain,) = only("hours_unreadable", found(dealer(hours="Mo-Fr 9.00-17.00")))
    assert plain.figures["suggested"] == "Mo-Fr 09:00-17:00"
    (other,) = only("hours_unreadable", found(dealer(hours="ask us")))
    assert other.figures["suggested"] == ""
    assert "cannot be read" in other.figures["problem"]


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (("PL", "Warsaw", 3.0, 3.0), 0),
        (("DE", "Görlitz", 2.0, 4.0), 0),  # on the border
        (("GH", "Takoradi", 612.0, 5_700.0), 1),
    ],
)
def test_coordinates_outside_the_country(
    near: tuple[str, str, float, float], expected: int
) -> None:
    assert len(only("outside_country", found(dealer(), near={1: near}))) == expected


def test_closures_that_leave_a_place_to_nobody() -> None:
    christmas = days("2026-12-21", "2026-12-31")
    both = [
        dealer(1, closures=(christmas,)),
        dealer(2, closures=(days("2026-12-28", "2027-01-08"),)),
    ]
    (finding,) = only("closure_strands", found(*both))
    assert finding.severity == "warning"
    assert finding.dealers == ("D1", "D2")
    assert finding.figures["first"] == date(2026, 12, 28)
    assert finding.figures["last"] == date(2026, 12, 31)
    assert finding.figures["worst"] == "Warsaw"
    weeks = dealer(closures=(days("2026-12-01", "2026-12-18"),))
    assert [f.severity for f in only("closure_strands", found(weeks))] == ["error"]
    # A third, in reach, stays open; one without the competence is no help.
    assert only("closure_strands", found(*both, dealer(3, lat=52.0))) == []
    used = dealer(3, competences=frozenset({("aurel", "used")}))
    assert len(only("closure_strands", found(*both, used))) == 1
    assert len(only("closure_strands", found(*both, dealer(3, lat=54.4)))) == 1


def test_a_public_holiday_or_a_weekend_strands_nobody() -> None:
    # 25 December is a holiday anyway, 26 and 27 December are a weekend.
    assert (
        only("closure_strands", found(dealer(closures=(days("2026-12-25", "2026-12-27"),)))) == []
    )


def test_places_far_from_everybody_and_hours_without_anybody() -> None:
    listed = found(dealer(hours="Mo-Su 00:00-24:00"), spots=[WARSAW, LODZ])
    (far,) = listed
    assert (far.code, far.figures["worst"]) == ("nobody_near", "Łódź")
    assert far.figures["nearest_km"] == pytest.approx(119, abs=3)
    # What several services lack is told once.
    both = frozenset({("aurel", "sales"), ("aurel", "parts")})
    (twice,) = found(dealer(hours="24/7", competences=both), spots=[LODZ])
    assert twice.figures["services"] == ("parts", "sales")
    team = dealer(2, hours="24/7", kind="team", lat=51.77, lon=19.47)
    assert len(only("nobody_near", found(dealer(), team, spots=[LODZ]))) == 1


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ({"exclusive_postcodes": ("02-1", "03")}, {"exclusive_postcodes": ("021",)},
         "postcodes_overlap"),
        ({"exclusive_postcodes": ("02",)}, {"exclusive_postcodes": ("021",)}, ""),  # more precise
        ({"exclusive_postcodes": ("02",)}, {"shared_postcodes": ("02",)}, ""),
        ({"exclusive_area": box(20, 52, 21, 53)}, {"exclusive_area": box(20.5, 52, 22, 53)},
         "areas_overlap"),
        ({"exclusive_area": box(20, 52, 21, 53)}, {"exclusive_area": box(21, 52, 22, 53)}, ""),
        ({"exclusive_area": box(20, 52, 21, 53)},
         {"exclusive_area": box(20, 52, 21, 53), "competences": frozenset({("aurel", "used")})},
         ""),
    ],
)  # fmt: skip
def test_two_owners_of_one_place(one: dict[str, Any], other: dict[str, Any], code: str) -> None:
    listed = [f for f in found(dealer(1, **one), dealer(2, **other)) if f.severity == "error"]
    assert [finding.code for finding in listed] == [code] * bool(code)
    if code == "areas_overlap":
        # Half a degree by one at 52.5° north.
        assert listed[0].figures["km2"] == pytest.approx(3_780, rel=0.02)
    if code:
        assert listed[0].dealers == ("D1", "D2")


def test_special_days_that_are_over_or_unreadable() -> None:
    special = [
        SpecialEntry("", "PL", *days("2026-04-03", "2026-04-04"), "09:00-12:00", "Easter"),
        SpecialEntry("D1", "", *days("2026-12-24", "2026-12-24"), "9-12"),
        SpecialEntry("", "PL", *days("2026-12-31", "2026-12-31"), "09:00-12:00"),
    ]
    listed = [f for f in found(dealer(), special=special) if f.code.startswith("special")]
    assert [(f.code, f.dealers) for f in listed] == [
        ("special_unreadable", ("D1",)),
        ("special_past", ()),
    ]
    assert listed[0].figures["suggested"] == "09:00-12:00"


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        ((), 1),
        ((SpecialEntry("", "SA", *days("2027-02-09", "2027-03-09"), "10:00-15:00"),), 0),
        ((SpecialEntry("", "AE", *days("2027-02-08", "2027-03-09"), "10:00-15:00"),), 1),
        ((SpecialEntry("D1", "", *days("2027-02-08", "2027-03-09"), "10:00-15:00"),), 1),
        ((SpecialEntry("", "SA", *days("2027-02-08", "2027-02-12"), "10:00-15:00"),), 1),
    ],
)
def test_a_ramadan_without_hours_of_its_own(
    special: tuple[SpecialEntry, ...], expected: int
) -> None:
    listed = only("ramadan_missing", found(countries=["SA", "PL"], spots=[], special=special))
    assert len(listed) == expected
    assert all(f.country == "SA" and f.figures["first"] == date(2027, 2, 8) for f in listed)


def _away(first: int, last: int) -> tuple[tuple[datetime, datetime], ...]:
    return ((AT + timedelta(days=first), AT + timedelta(days=last)),)


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([Person("D1", "Ewa", _away(-1, 5))], 1),
        ([Person("D1", "Ewa", _away(3, 5))], 1),
        ([Person("D1", "Ewa", _away(30, 35))], 0),
        ([Person("D1", "Ewa", _away(-5, -1))], 0),
        ([Person("D1", "Ewa")], 0),
        ([Person("D1", "Ewa", _away(-1, 5)), Person("D1", "Jan")], 0),
        ([Person("D1", "Ewa", _away(-1, 5)), Person("D1", "Jan", _away(4, 9))], 1),
        ([Person("D1", "Ewa", _away(-1, 5)), Person("D1", "Jan", _away(5, 9))], 0),
        ([Person("D1", "Ewa", _away(-1, 5)), Person("D2", "Jan")], 1),
    ],
)
def test_nobody_there_and_no_deputy(people: list[Person], expected: int) -> None:
    listed = only("nobody_there", found(dealer(), people=people))
    assert len(listed) == expected
    assert all(finding.dealers == ("D1",) for finding in listed)


def test_the_worst_comes_first() -> None:
    listed = found(dealer(1), dealer(2, hours="9-17"), dealer(3, reachable=False))
    ranks = [SEVERITIES.index(finding.severity) for finding in listed]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0


def everything_wrong() -> list[Finding]:
    """One finding of every code."""
    area = {"exclusive_area": box(20, 52, 21, 53), "exclusive_postcodes": ("02",)}
    return found(
        dealer(1, closures=(days("2026-11-20", "2026-12-12"),), **area),
        dealer(2, hours="ask us", **area),
        dealer(3, hours="off"),
        dealer(4, reachable=False),
        dealer(5, lat=99.0),
        countries=["PL", "SA"],
        spots=[WARSAW, LODZ],
        special=[
            SpecialEntry("", "PL", *days("2026-04-03", "2026-04-04"), "09:00-12:00", "Easter"),
            SpecialEntry("D1", "", *days("2026-12-24", "2026-12-24"), "9-12"),
        ],
        people=[Person("D1", "Ewa", _away(-1, 5))],
        near={1: ("GH", "Takoradi", 612.0, 5_700.0)},
    )


def test_every_finding_has_words_and_a_remedy() -> None:
    listed = everything_wrong()
    assert {finding.code for finding in listed} == CODES
    assert set(SEVERITY_WORDS) == set(SEVERITIES)
    for locale in ("en", "ar"):
        with reading(locale):
            for finding in listed:
                words = finding_words(finding, "Europe/Warsaw")
                assert words.what
                assert words.remedy
                assert "%(" not in words.what + words.remedy


def test_a_market_is_read_in_few_queries(
    session: Session, world: World, count_queries: list[str]
) -> None:
    lint_market(session, world.markets["PL"], AT)
    count_queries.clear()
    listed = lint_market(session, world.markets["PL"], AT)
    assert len(count_queries) <= 12
    assert [f for f in listed if f.severity == "error"] == []
    gulf = lint_market(session, world.markets["GULF"], AT)
    assert [f.country for f in only("ramadan_missing", gulf)] == ["AE", "SA"]


def test_rows_are_read_as_they_are(session: Session, world: World) -> None:
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers["PL-WAW-2"])
    ).one()
    session.execute(update(DealerTerms).where(DealerTerms.id == terms.id).values(lat=0.0, lon=0.0))
    session.add(Absence(user_id=world.users["carla"], starts_at=AT, ends_at=AT + timedelta(days=3)))
    session.flush()
    listed = lint_market(session, world.markets["PL"], AT)
    (outside,) = only("outside_country", listed)
    assert outside.dealers == ("PL-WAW-2",)
    assert outside.figures["found"] != "PL"
    (gone,) = only("nobody_there", listed)
    assert (gone.dealers, gone.figures["name"]) == (("PL-WAW-2",), "Carla")
    deputy = session.scalars(select(Absence)).one()
    deputy.deputy_id = world.users["anna"]
    session.flush()
    assert only("nobody_there", lint_market(session, world.markets["PL"], AT)) == []


def test_470_dealers_take_seconds() -> None:
    random = Random(7)

    def point() -> tuple[float, float]:
        return random.uniform(49.5, 54.3), random.uniform(15.0, 23.5)

    dealers = []
    for number in range(470):
        lat, lon = point()
        hours = f"Mo-Fr {7 + number % 4:02}:{number % 6}0-18:00; Sa 09:00-14:00; PH off"
        closed = (days("2026-12-21", "2026-12-31"),) if number % 3 == 0 else ()
        services = frozenset(("aurel", s) for s in ("sales", "used", "after_sales", "parts"))
        dealers.append(
            dealer(number, hours, closed, lat=lat, lon=lon, competences=services,
                   exclusive_area=box(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1))
        )  # fmt: skip
    spots = [Spot(f"S{n}", "PL", *point(), 20_000) for n in range(300)]
    began = time.process_time()
    assert found(*dealers, spots=spots)
    assert time.process_time() - began < 5
