"""Lists of dealers: cells read, lines compared with the network, plans applied whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import dealers as typed
from lmt.cli import main
from lmt.db import SessionFactory
from lmt.dealerfiles import cells, closurespans, service
from lmt.dealerfiles.afterwards import network_after
from lmt.dealerfiles.areas import BadAreas, drawn_areas
from lmt.dealerfiles.closurespans import BadSpan, closure_spans
from lmt.dealerfiles.columnmap import BadColumnMap, ColumnMap, suggested
from lmt.dealerfiles.coordinates import degrees_of, place_of
from lmt.dealerfiles.offers import BadOffer, Brands, offers_of
from lmt.dealerfiles.plan import Plan
from lmt.dealerfiles.postcodelists import BadPostcodeList, postcode_prefixes
from lmt.dealerfiles.reading import RowReader
from lmt.dealerfiles.row import NOTE
from lmt.dealerfiles.weekdays import BadDay, week_hours, weekday_columns
from lmt.dealerfiles.words import PROBLEM_CODES, problem_words
from lmt.files.table import opened
from lmt.handover import carry_out
from lmt.i18n import reading
from lmt.models import (
    Closure,
    Competence,
    Dealer,
    DealerTerms,
    Handover,
    Lead,
    NetworkVersion,
    Offer,
    SettingChange,
    Territory,
)
from lmt.routing.dealers import candidates_of
from lmt.scope import SYSTEM
from tests.world import FRIDAY, World

BRANDS = Brands.of(
    [("aurel", ["Aurel", "أوريل"]), ("nova", ["Nova Motors"])], [("aurel", "mira", ["Mira"])]
)
TODAY = date(2026, 3, 6)
WEEK = ("mo", "tu", "we", "th", "fr", "sa", "su")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("52.24, 21.03", (52.24, 21.03)),
        ("52,24; 21,03", (52.24, 21.03)),
        ("52,24 21,03", (52.24, 21.03)),
        ("52,24,21,03", (52.24, 21.03)),
        ("(-33.9, 18.4)", (-33.9, 18.4)),
        ("52°14'24\"N 21°1'48\"E", (52.24, 21.03)),
        ("21°1′48″E, 52°14′24″N", (52.24, 21.03)),
        ("N52.24 W21.03", (52.24, -21.03)),
        ("33.9 S, 18.4 E", (-33.9, 18.4)),
        ("٥٢٫٢٤، ٢١٫٠٣", (52.24, 21.03)),
        ("POINT(21.03 52.24)", (52.24, 21.03)),
        ("0.0, 0.0", None),
        ("52,24", None),
        ("52 21", None),
        ("95.0, 200.0", None),
        ("52.24", None),
        ("see map", None),
        ("", None),
    ],
)
def test_coordinates_of_one_cell(text: str, place: tuple[float, float] | None) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize(
    ("text", "axis", "degrees"),
    [
        ("52,24", "lat", 52.24),
        ("-3.9372", "lon", -3.9372),
        ("3.9 W", "lon", -3.9),
        ("52°14'24\"", "lat", 52.24),
        ("52.24 E", "lat", None),
        ("52240000", "lat", None),
        ("-52 S", "lat", None),
        ("190", "lon", None),
    ],
)
def test_coordinates_of_two_cells(text: str, axis: str, degrees: float | None) -> None:
    assert degrees_of(text, axis) == degrees


@pytest.mark.parametrize(
    ("names", "days"),
    [
        ("Mon Tue Wed Thu Fri Sat Sun", WEEK),
        ("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", WEEK),
        ("Mo Di Mi Do Fr Sa So", WEEK),
        ("Lu Ma Me Je Ve Sa Di", WEEK),
        ("lunes martes miércoles jueves viernes sábado domingo", WEEK),
        ("Poniedziałek Wtorek Środa Czwartek Piątek Sobota Niedziela", WEEK),
        ("maandag dinsdag woensdag donderdag vrijdag zaterdag zondag", WEEK),
        ("Pzt Sal Çar Per Cum Cmt Paz", WEEK),
        ("الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد", WEEK),
        ("hours_mon hours_tue", ("mo", "tu")),
        ("Su-Th Fri PH", ("su-th", "fr", "ph")),
        # Tuesday and Sunday in French, Monday and Tuesday in Dutch.
        ("Ma Di", ()),
        ("Name City", ()),
    ],
)
def test_columns_named_after_weekdays(names: str, days: tuple[str, ...]) -> None:
    assert tuple(weekday_columns(names.split()).values()) == days


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ({"mo": "9-18", "tu": "9-18", "we": ""}, "Mo-Tu 09:00-18:00"),
        ({"mo": "9:00–13:00 / 14:00–18:00"}, "Mo 09:00-13:00,14:00-18:00"),
        ({"fr": "9am - 7pm", "sa": "closed"}, "Fr 09:00-19:00"),
        ({"mo": "8h30-12h / 14h-18h"}, "Mo 08:30-12:00,14:00-18:00"),
        ({"mo": "9.00–18.00 Uhr", "ph": "geschlossen"}, "Mo 09:00-18:00; PH off"),
        ({"sa": "9 ص - 6 م", "su": "مغلق"}, "Sa 09:00-18:00"),
        ({"mo": "20:00-02:00"}, "Mo 20:00-02:00"),
        (dict.fromkeys(WEEK, "24h"), "24/7"),
        (dict.fromkeys(WEEK, "zamknięte"), "off"),
        (dict.fromkeys(WEEK, ""), ""),
        ({"mo": "9-5"}, BadDay("mo", "9-5")),
        ({"tu": "by appointment"}, BadDay("tu", "by appointment")),
    ],
)
def test_hours_from_a_cell_for_each_day(written: dict[str, str], hours: str | BadDay) -> None:
    assert week_hours(written) == hours


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        ("10*, 101-103; 20xxx", ("10", "101", "102", "103", "20")),
        ("12050..12101", ("1205", "1206", "1207", "1208", "1209", "12100", "12101")),
        ("00-950", ("00950",)),
        ("SW1A 1AA, ec*", ("EC", "SW1A1AA")),
        ("10000-19999", ("1",)),
        ("", ()),
        ("20-10", None),
        ("all of Mazovia!", None),
    ],
)
def test_postcodes_prefixes_and_ranges(text: str, prefixes: tuple[str, ...] | None) -> None:
    if prefixes is None:
        with pytest.raises(BadPostcodeList):
            postcode_prefixes(text)
    else:
        assert postcode_prefixes(text) == prefixes


def test_days_closed() -> None:
    christmas = (date(2026, 12, 24), date(2026, 12, 31), "Christmas")
    epiphany = (date(2027, 1, 6), date(2027, 1, 6), "")
    assert closure_spans("24.12.2026-31.12.2026 (Christmas); 2027-01-06") == (christmas, epiphany)
    assert closure_spans("05/06/2026") == BadSpan("ambiguous_date", "05/06/2026")
    assert closure_spans("05/06/2026", "mdy") == ((date(2026, 5, 6), date(2026, 5, 6), ""),)
    assert closure_spans("2026-12-31 to 2026-12-24") == BadSpan(
        "days_reversed", "2026-12-31 to 2026-12-24"
    )
    assert closure_spans("in May") == BadSpan("not_dates", "in May")


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("aurel:new_car,after_sales", {("aurel", "sales", ()), ("aurel", "after_sales", ())}),
        ("Aurel: Neuwagen(Mira); Nova Motors: Teile",
         {("aurel", "sales", ("mira",)), ("nova", "parts", ())}),
        ("أوريل: المبيعات، الصيانة", {("aurel", "sales", ()), ("aurel", "after_sales", ())}),
        ("", set()),
        ("sales", BadOffer("no_brand", "sales")),
        ("zeta:sales", BadOffer("unknown_brand", "zeta")),
        ("aurel:juggling", BadOffer("unknown_service", "juggling")),
        ("aurel:sales(zeta)", BadOffer("unknown_model", "zeta")),
    ],
)  # fmt: skip
def test_competences_of_one_cell(text: str, offers: set[Any] | BadOffer) -> None:
    assert offers_of(text, BRANDS) == offers


def test_columns_are_guessed_in_every_language() -> None:
    german = suggested(
        ["Händlernr.", "PLZ", "Breitengrad", "Längengrad", "Mo", "Di", "Aurel Neuwagen", "Fax"],
        BRANDS,
    )
    assert dict(german.columns) == {
        "Händlernr.": "code", "PLZ": "postcode", "Breitengrad": "lat", "Längengrad": "lon",
        "Mo": "hours.mo", "Di": "hours.tu", "Aurel Neuwagen": "offer:aurel:sales",
    }  # fmt: skip
    for row in (
        "dealer code|dealership name|city|opening hours|territory",
        "code concessionnaire|nom de la concession|ville|horaires|codes postaux",
        "código de concesionario|nombre del concesionario|ciudad|horario|códigos postales",
        "kod dealera|nazwa dealera|miasto|godziny otwarcia|kody pocztowe",
        "dealercode|dealernaam|plaats|openingstijden|postcodegebied",
        "bayi kodu|bayi adı|şehir|çalışma saatleri|posta kodları",
        "رمز الوكيل|اسم الوكيل|المدينة|ساعات العمل|الرموز البريدية",
    ):
        fields = suggested(row.split("|"), BRANDS).columns.values()
        assert list(fields) == ["code", "name", "city", "hours", "postcodes.exclusive"], row
    # Half a pair of coordinates is none.
    assert suggested(["x", "Name"], BRANDS).columns == {"Name": "name"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "not_table"),
        ({"columns": {"A": 1}}, "not_table"),
        ({"columns": {"Z": "code"}}, "unknown_column"),
        ({"columns": {"A": "soul"}}, "unknown_field"),
        ({"columns": {"A": "code", "B": "code"}}, "twice"),
        ({"columns": {"A": "hours.mo-fr", "B": "hours.tu"}}, "twice"),
        ({"defaults": {"code": "X"}}, "not_default"),
    ],
)
def test_a_table_of_columns_is_checked(data: Any, code: str) -> None:
    with pytest.raises(BadColumnMap) as bad:
        ColumnMap.from_json(data, ["A", "B"])
    assert bad.value.code == code


def row(**given: str) -> Any:
    """A line read by columns called like their fields."""
    columns = list(given)
    mapping = ColumnMap({name: name for name in columns})
    return RowReader(columns, mapping, BRANDS, TODAY).read(1, list(given.values()))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"code": ""}, ("missing", "code")),
        ({"code": "A B"}, ("bad_code", "code")),
        ({"code": "A", "email": "nobody"}, ("not_a_mail", "email")),
        ({"code": "A", "country": "Ruritania"}, ("unknown_country", "country")),
        ({"code": "A", "languages": "de, gibberish"}, ("unknown_language", "languages")),
        ({"code": "A", "timezone": "Mars/Base"}, ("unknown_timezone", "timezone")),
        ({"code": "A", "kind": "castle"}, ("unknown_kind", "kind")),
        ({"code": "A", "day_cap": "-1"}, ("not_a_cap", "day_cap")),
        ({"code": "A", "day_cap": "9", "month_cap": "5"}, ("day_above_month", "day_cap")),
        ({"code": "A", "weight": "0"}, ("not_a_weight", "weight")),
        ({"code": "A", "paused": "perhaps"}, ("not_yes_or_no", "paused")),
        ({"code": "A", "hours": "whenever"}, ("not_hours", "hours")),
        ({"code": "A", "hours": "Mo-Fr 9-18"}, ("hours_mended", "hours")),
        ({"code": "A", "lat": "52.2", "lon": ""}, ("not_coordinates", "lon")),
        ({"code": "A", "place": "north"}, ("not_coordinates", "place")),
        ({"code": "A", "closures": "2020-01-01"}, ("closures_over", "closures")),
        ({"code": "A", "phone": "ask"}, ("not_a_phone", "phone")),
        ({"code": "A", "brands": "Aurel", "services": ""}, ("no_service", "brands")),
    ],
)
def test_what_is_wrong_is_told_with_its_field(given: dict[str, str], problem: Any) -> None:
    told = row(**given).problems
    assert [(each.code, each.field) for each in told] == [problem]
    with reading("en"):
        assert "%(" not in problem_words(told[0])


def test_cells_become_values() -> None:
    read = row(
        code="A", country="Deutschland", languages="Deutsch, en", phone="030 / 901820 \n030 1",
        paused="nein", weight="1,5", day_cap="12.0", month_cap="", group="Nord  Gruppe",
        closures="2026-12-24", kind="Werkstatt",
    )  # fmt: skip
    assert not read.problems
    assert read.values == {
        "country": "DE", "languages": ("de", "en"), "phone": "+4930901820", "paused": False,
        "weight": 1.5, "day_cap": 12, "month_cap": None, "group": "Nord Gruppe",
        "closures": ((date(2026, 12, 24), date(2026, 12, 24), ""),), "kind": "workshop",
    }  # fmt: skip


def test_the_limits_are_those_of_what_is_typed() -> None:
    assert (cells.HIGHEST_CAP, cells.HIGHEST_WEIGHT) == (typed.HIGHEST_CAP, typed.HIGHEST_WEIGHT)
    assert closurespans.LONGEST_DAYS == typed.LONGEST_CLOSURE_DAYS


def feature(code: str, *points: tuple[float, float], **more: Any) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": [[*points, points[0]]]} if points else None
    return {"type": "Feature", "properties": {"Dealer_Code": code, **more}, "geometry": shape}


def drawn(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def test_areas_are_taken_by_their_dealers_code() -> None:
    square = ((20.0, 52.0), (21.0, 52.0), (21.0, 53.0), (20.0, 53.0))
    areas = drawn_areas(
        drawn(
            feature("A", *square),
            feature("B", *square, shared="yes"),
            feature("", *square),
            feature("C", (20.0, 52.0), (21.0, 53.0), (21.0, 52.0), (20.0, 53.0)),
            feature("D", (52.0, 200.0), (53.0, 200.0), (53.0, 201.0)),
            feature("E"),
        )
    )
    assert {code: area[0][0] for code, area in areas.by_dealer.items()} == {"A": True, "B": False}
    assert [(each.number, each.code) for each in areas.problems] == [
        (3, "no_dealer"), (4, "crosses_itself"), (5, "off_the_map"), (6, "not_an_area"),
    ]  # fmt: skip
    for text in ("", "[]", "{}", '{"type": "Feature"}', "[" * 100_000):
        with pytest.raises(BadAreas):
            drawn_areas(text)


HEADER = "code;name;city;lat;lon;email;hours;competences;postcodes.exclusive;closures;day_cap"
KRAKOW = "PL-KRK-1;Aurel Kraków;Kraków;50.06;19.94;krk@d.example;Mo-Fr 9-18;aurel:sales;30*,31*;;5"


def plan_of(
    session: Session, folder: Path, *lines: str, header: str = HEADER, **more: Any
) -> tuple[Plan, Callable[[], Any], Any]:
    """What a list would do, how to do it, and the book."""
    path = folder / "list"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    at = more.pop("at", FRIDAY)
    order = service.Order(**{"market": "PL", "name": "list.csv", **more})
    table = opened(path, folder)
    mapping = service.suggested_columns(session, table.layout.columns)
    rows = service.read_rows(session, table, mapping, at.date())
    plan, book = service.plan_import(session, rows, order, at=at, actor=SYSTEM)

    def apply() -> Any:
        return service.apply_import(
            session, rows, order, at=at, actor=SYSTEM, reason="gone", seen=plan.mark()
        )[1]

    return plan, apply, book


def of(session: Session, model: Any, code: str, at: datetime) -> Sequence[Any]:
    return session.scalars(
        select(model).join(Dealer).where(Dealer.code == code, model.holds_at(at)).order_by(model.id)
    ).all()


def test_a_dealer_is_added_with_all_that_it_is(session: Session, tmp_path: Path) -> None:
    before = session.get_one(NetworkVersion, 1).version
    plan, apply, book = plan_of(session, tmp_path, KRAKOW)
    (step,) = plan.added
    assert [note.code for note in step.notes] == ["hours_mended"]
    assert {note.kind for note in step.notes} == {NOTE}
    # Looking is free of consequences, and the linter looks at what would be.
    assert session.scalar(select(func.count()).select_from(Dealer)) == 6
    now = candidates_of(session, book.market_ids["PL"], FRIDAY)
    after = network_after(now, plan, "PL")
    assert apply().added == 1
    later = FRIDAY + timedelta(minutes=1)
    (terms,) = of(session, DealerTerms, "PL-KRK-1", later)
    assert (terms.hours, terms.timezone, terms.country, terms.language, terms.day_cap) == (
        "Mo-Fr 09:00-18:00", "Europe/Warsaw", "PL", "pl", 5,
    )  # fmt: skip
    assert [each.service for each in of(session, Competence, "PL-KRK-1", later)] == ["sales"]
    (owned,) = of(session, Territory, "PL-KRK-1", later)
    assert (owned.postcodes, owned.exclusive) == (["30", "31"], True)
    assert session.get_one(NetworkVersion, 1, populate_existing=True).version == before + 1
    noted = session.scalars(select(SettingChange)).all()
    assert [(each.kind, each.subject) for each in noted] == [("dealer", "PL-KRK-1")]
    # What was shown is what routing sees.
    seen = {each.code: each for each in candidates_of(session, book.market_ids["PL"], later)}
    for each in after:
        real = seen[each.code]
        for name in ("lat", "calendar", "competences", "exclusive_postcodes", "day_cap", "kind"):
            assert getattr(each, name) == getattr(real, name), (each.code, name)


def test_only_what_differs_is_changed_and_again_changes_nothing(
    session: Session, tmp_path: Path
) -> None:
    line = (
        "PL-WAW-2;Aurel Wola II;Warszawa;52.23;20.96;pl-waw-2@dealers.example;;aurel:sales;;"
        "2026-12-24;"
    )
    plan, apply, _ = plan_of(session, tmp_path, line)
    (step,) = plan.changed
    assert step.fields == ("name", "closures", "competences")
    apply()
    later = FRIDAY + timedelta(minutes=1)
    (terms,) = of(session, DealerTerms, "PL-WAW-2", later)
    assert (terms.name, terms.hours) == ("Aurel Wola II", "Mo-Fr 09:00-18:00; PH off")
    assert [each.service for each in of(session, Competence, "PL-WAW-2", later)] == ["sales"]
    assert [each.starts_on for each in of(session, Closure, "PL-WAW-2", later)] == [
        date(2026, 12, 24)
    ]
    # The past is as it was.
    assert of(session, DealerTerms, "PL-WAW-2", FRIDAY - timedelta(1))[0].name == "Aurel Wola"
    plan, _, _ = plan_of(session, tmp_path, line, at=later)
    assert (plan.unchanged, plan.steps) == (("PL-WAW-2",), ())
    # An empty cell of days closed takes them back.
    plan, apply, _ = plan_of(session, tmp_path, line.replace("2026-12-24", ""), at=later)
    assert plan.changed[0].fields == ("closures",)
    apply()
    assert not of(session, Closure, "PL-WAW-2", later + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PL-KRK-1;X;Kraków;50.06;19.94;;Mo-Fr 9-18;aurel:sales;;;", "missing"),
        ("PL-KRK-1;X;Kraków;50.06;19.94;x@d.example;;aurel:sales;;;", "missing"),
        ("PL-KRK-1;X;;;;x@d.example;24/7;aurel:sales;;;", "place_nothing_given"),
        ("PL-KRK-1;X;Utopia;;;x@d.example;24/7;aurel:sales;;;", "place_unknown"),
        ("SA-RUH-1;X;Riyadh;24.7;46.7;x@d.example;24/7;aurel:sales;;;", "other_market"),
        ("PL-X;X;Kraków;50.06;19.94;x@d.example;24/7;aurel:sales;;;\n" + KRAKOW + "\n" + KRAKOW,
         "repeated"),
        ("PL-X;X;Kraków;0;-30;x@d.example;24/7;aurel:sales;;;", "no_timezone"),
    ],
)  # fmt: skip
def test_a_line_is_rejected_with_its_reason(
    session: Session, tmp_path: Path, line: str, code: str
) -> None:
    plan, _, _ = plan_of(session, tmp_path, line)
    (rejected,) = plan.rejected
    assert code in [each.code for each in rejected.problems]
    with reading("en"):
        assert all(problem_words(each) for each in rejected.problems)


def test_a_dealer_without_coordinates_stands_in_its_city_and_says_how_exactly(
    session: Session, tmp_path: Path
) -> None:
    line = KRAKOW.replace("50.06;19.94", ";")
    plan, apply, _ = plan_of(session, tmp_path, line)
    (note, *_) = [each for each in plan.added[0].notes if each.code == "located"]
    assert (note.figures["method"], note.figures["place"]) == ("city", "Kraków")
    assert 5 < note.figures["km"] < 15
    apply()
    # The city again doesn't move a dealer that stands somewhere in it.
    exact = "PL-WAW-1;Aurel Centrum;Warsaw;;;pl-waw-1@dealers.example;;aurel:sales,used;;;"
    plan, _, _ = plan_of(session, tmp_path, exact)
    assert plan.changed[0].fields == ("city",)


def test_hours_of_headquarters_move_running_offers(
    session: Session, tmp_path: Path, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead()
    line = "PL-WAW-1;Mo-Fr 12:00-18:00"
    ends_at = session.scalars(select(Offer.expires_at).where(Offer.lead_id == lead.id)).one()
    _plan, apply, _ = plan_of(session, tmp_path, line, header="code;hours")
    assert apply().offers_moved == 1
    session.expire_all()
    moved = session.scalars(select(Offer.expires_at).where(Offer.lead_id == lead.id)).one()
    assert moved > ends_at


def test_dealers_left_out_end_but_for_those_that_cannot(
    session: Session,
    sessions: SessionFactory,
    tmp_path: Path,
    offered_lead: Callable[..., Lead],
    world: World,
) -> None:
    lead = offered_lead()
    plan, apply, _ = plan_of(session, tmp_path, KRAKOW, close_missing=True)
    assert {each.state.code: (each.open_leads, each.obstacle) for each in plan.closing} == {
        "PL-CARE": (0, "fallback"), "PL-WAW-1": (1, ""), "PL-WAW-2": (0, ""),
    }  # fmt: skip
    assert apply().closed == 2
    later = FRIDAY + timedelta(minutes=1)
    for code in ("PL-WAW-1", "PL-WAW-2"):
        assert not of(session, DealerTerms, code, later)
        assert not of(session, Competence, code, later)
    assert session.scalars(select(Handover.reason).distinct()).all() == ["gone"]
    assert carry_out(sessions, later) == 1
    session.expire_all()
    assert session.get_one(Lead, lead.id).dealer_id != world.dealers["PL-WAW-1"]
    # Whoever has ended isn't brought back by a line, nor ended twice.
    line = "PL-WAW-1;X;Warszawa;52.24;21.03;x@d.example;24/7;aurel:sales;;;"
    plan, _, _ = plan_of(session, tmp_path, line, KRAKOW, close_missing=True, at=later)
    assert [each.problems[0].code for each in plan.rejected] == ["ended"]
    assert not plan.ending


def test_a_line_without_a_code_could_be_anybody(session: Session, tmp_path: Path) -> None:
    plan, _, _ = plan_of(session, tmp_path, KRAKOW, ";Nameless;;;;;;;;;", close_missing=True)
    assert not plan.ending
    assert {each.obstacle for each in plan.closing} == {"fallback", "lines_without_code"}


def test_a_plan_of_another_time_is_not_applied(session: Session, tmp_path: Path) -> None:
    _plan, apply, _ = plan_of(session, tmp_path, KRAKOW)
    apply()
    with pytest.raises(service.PlanChanged):
        apply()


def test_without_a_market_each_line_goes_to_that_of_its_country(
    session: Session, tmp_path: Path
) -> None:
    header = "code;name;city;country;lat;lon;email;hours"
    lines = [
        "PL-KRK-1;A;Kraków;Polska;50.06;19.94;a@d.example;24/7",
        "AE-DXB-2;B;Dubai;UAE;25.2;55.3;b@d.example;24/7",
        "PL-LDZ-1;C;;;51.77;19.47;c@d.example;24/7",
        "Y;D;Wien;AT;48.2;16.37;d@d.example;24/7",
    ]
    plan, _, _ = plan_of(session, tmp_path, *lines, header=header, market="")
    assert [(s.after.code, s.after.market, s.after.timezone) for s in plan.added] == [
        ("PL-KRK-1", "PL", "Europe/Warsaw"), ("AE-DXB-2", "GULF", "Asia/Dubai"),
        ("PL-LDZ-1", "PL", "Europe/Warsaw"),
    ]  # fmt: skip
    assert [each.problems[0].code for each in plan.rejected] == ["no_market"]


def test_the_linter_looks_at_the_network_as_it_would_be(session: Session, tmp_path: Path) -> None:
    lines = (
        KRAKOW,
        "PL-KRK-2;B;Kraków;50.05;19.95;b@d.example;2020 Mo-Fr 09:00-18:00;aurel:sales;30*;;",
        "PL-KRK-3;C;Kraków;25.2;55.3;c@d.example;24/7;aurel:sales;;;",
    )
    plan, _, book = plan_of(session, tmp_path, *lines)
    assert not plan.rejected
    found = service.findings_after(session, plan, book, "PL", FRIDAY)
    told = {(each.code, each.dealers) for each in found}
    assert ("postcodes_overlap", ("PL-KRK-1", "PL-KRK-2")) in told
    assert ("never_open", ("PL-KRK-2",)) in told
    assert ("outside_country", ("PL-KRK-3",)) in told
    far = service.findings_after(session, plan, book, "PL", FRIDAY, within_km=5)
    assert "nobody_near" in {each.code for each in far}


def test_the_command_shows_and_applies(
    database_url: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "dealers.csv"
    text = f"{HEADER}\n{KRAKOW}\nPL-X;Nowhere;;;;x@d.example;24/7;aurel:sales;;;"
    path.write_bytes(text.encode("cp1250"))
    drawing = tmp_path / "map.json"
    drawing.write_text(drawn(feature("PL-KRK-1", (19.8, 50.0), (20.1, 50.0), (20.1, 50.2))))

    def run(*more: str) -> Any:
        return CliRunner().invoke(main, ["import", "dealers", str(path), *more])

    shown = run("--market", "PL", "--territories", str(drawing), "--dry-run")
    assert shown.exit_code == 1, shown.output
    assert "1 to be added" in shown.output
    assert "Nothing was written." in shown.output
    assert session.scalar(select(func.count()).select_from(Dealer)) == 6
    session.rollback()
    done = run("--market", "PL", "--territories", str(drawing))
    assert "1 added, 0 changed, 0 closed, 1 rejected" in done.output
    later = datetime.now(UTC)
    assert of(session, DealerTerms, "PL-KRK-1", later)[0].name == "Aurel Kraków"
    assert len(of(session, Territory, "PL-KRK-1", later)) == 2
    named = json.loads(run("--show-mapping").output)
    assert named["columns"]["hours"] == "hours"
    mapping = tmp_path / "map-of-columns.json"
    mapping.write_text(json.dumps({"columns": {"code": "soul"}}))
    assert run("--mapping", str(mapping)).exit_code == 3
    assert run("--market", "MOON").exit_code == 3
    assert run("--close-missing").exit_code == 2


def test_every_problem_has_words() -> None:
    source = "".join(path.read_text() for path in Path(service.__file__).parent.glob("*.py"))
    told = r"(?:\bProblem|tell|BadOffer|BadSpan)\(\s*\"(\w+)\"|_read_as\(\w+, \"(\w+)\"\)"
    codes = {code for pair in re.findall(told, source) for code in pair if code}
    assert len(codes) > 30
    assert codes <= PROBLEM_CODES
