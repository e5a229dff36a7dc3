"""What a row of a sales file says, which column is what, and how surely a sale came of a lead."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lmt.files.columns import ColumnStyle, column_styles
from lmt.ingest.identity import Known, Person
from lmt.sales.columns import guessed, problem_of
from lmt.sales.dealers import DealerBook
from lmt.sales.matching import Asked, Sold, judged, outranks, score
from lmt.sales.rows import Home, ReadRow, SaleReader

TODAY = date(2026, 3, 6)
POLAND = Home(("PL",), "PLN")
FIELDS = ("sold_on", "order_number", "vin", "full_name", "phone", "email", "value", "currency")


def read(home: Home = POLAND, dates: str = "ymd", **told: str) -> ReadRow:
    row = {"sold_on": "2026-02-03", "order_number": "A-1", **told}
    columns = {name: place for place, name in enumerate(FIELDS)}
    styles = [ColumnStyle(dates, "." if home.currency == "USD" else ",")] * len(FIELDS)
    cells = tuple(row.get(name, "") for name in FIELDS)
    return SaleReader(columns, styles, home, TODAY).read(1, cells)


@pytest.mark.parametrize(
    ("told", "errors"),
    [
        ({}, []),
        ({"sold_on": ""}, [("sold_on", "missing")]),
        ({"sold_on": "n/a"}, [("sold_on", "missing")]),
        ({"sold_on": "31.13.2026"}, [("sold_on", "not_a_date")]),
        ({"sold_on": "1899-12-31"}, [("sold_on", "not_a_date")]),
        ({"sold_on": "2026-03-07"}, []),
        ({"sold_on": "2026-03-08"}, [("sold_on", "not_yet")]),
        ({"value": "hundred"}, [("value", "not_a_number")]),
        ({"value": "-5"}, [("value", "not_a_number")]),
        ({"value": "5", "currency": "shells"}, [("currency", "not_a_currency")]),
        ({"order_number": "", "phone": "123"}, [("", "nothing_telling")]),
        ({"order_number": "", "full_name": "Ewa Lis"}, []),
        ({"sold_on": "", "value": "x"}, [("sold_on", "missing"), ("value", "not_a_number")]),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_is_wrong_with_a_row_names_the_field(
    told: dict[str, str], errors: list[tuple[str, str]]
) -> None:
    row = read(**told)
    assert [(error.field, error.code) for error in row.errors] == errors
    assert (row.sale is None) == bool(errors)


@pytest.mark.parametrize(
    ("home", "dates", "told", "wanted"),
    [
        (POLAND, "", {"sold_on": "03.02.2026"}, {"sold_on": date(2026, 2, 3)}),
        (POLAND, "", {"sold_on": "03/02/2026"}, {"sold_on": date(2026, 2, 3)}),
        (Home(("US",), "USD"), "", {"sold_on": "03/02/2026"}, {"sold_on": date(2026, 3, 2)}),
        (POLAND, "excel", {"sold_on": "46056"}, {"sold_on": date(2026, 2, 3)}),
        (
            POLAND,
            "ymd",
            {"value": "149 900,50 zł"},
            {"value": Decimal("149900.50"), "currency": "PLN"},
        ),
        (POLAND, "ymd", {"value": "€ 32.500,-"}, {"value": Decimal(32500), "currency": "EUR"}),
        (POLAND, "ymd", {"value": "100 SAR"}, {"value": Decimal(100), "currency": "SAR"}),
        (POLAND, "ymd", {"value": "100", "currency": "usd"}, {"currency": "USD"}),
        (POLAND, "ymd", {"value": ""}, {"value": None, "currency": None}),
        (Home(("US",), "USD"), "ymd", {"value": "$1,234.50"}, {"value": Decimal("1234.50")}),
        (POLAND, "ymd", {"phone": "512 300 101"}, {"phone": "+48512300101"}),
        (POLAND, "ymd", {"phone": "4.85123E+10"}, {"phone": "4.85123E+10"}),
        (POLAND, "ymd", {"vin": "wvw-zzz 1kzaw000123"}, {"vin": "WVWZZZ1KZAW000123"}),
        (POLAND, "ymd", {"email": "keine"}, {"email": ""}),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_a_row_says_is_read_as_the_market_writes_it(
    home: Home, dates: str, told: dict[str, str], wanted: dict[str, Any]
) -> None:
    row = read(home, dates, **told)
    assert row.sale is not None, row.errors
    assert {name: getattr(row.sale, name) for name in wanted} == wanted


def test_a_repeat_has_the_same_key_and_another_sale_another() -> None:
    keys = [
        read(**told).sale.key  # type: ignore[union-attr]
        for told in (
            {"order_number": "A-1"},
            {"order_number": "a 1", "full_name": "Ewa Lis", "sold_on": "2026-02-09"},
            {"order_number": "A-2"},
            {"order_number": "", "vin": "WVWZZZ1KZAW000123"},
            {"order_number": "", "full_name": "Ewa Lis"},
            {"order_number": "", "full_name": "EWA LIS"},
            {"order_number": "", "full_name": "Ewa Lis", "sold_on": "2026-02-09"},
        )
    ]
    assert keys[0] == keys[1]
    assert keys[4] == keys[5]
    assert len(set(keys)) == 5
    assert not any("lis" in key.lower() for key in keys)


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ("Sale date|Order no.|Customer|Phone|E-mail|Dealer|Price",
         "sold_on order_number full_name phone email dealer value"),
        ("Verkaufsdatum|Auftragsnr.|Vorname|Name|Telefon|Händler|Kaufpreis",
         "sold_on order_number first_name last_name phone dealer value"),
        ("Date de vente|N° de commande|Client|Téléphone|Concession|Prix TTC",
         "sold_on order_number full_name phone dealer value"),
        ("Fecha de venta|Bastidor|Cliente|Teléfono|Concesionario|Importe",
         "sold_on vin full_name phone dealer value"),
        ("Data sprzedaży|Nr zamówienia|Nabywca|Telefon|Salon|Cena brutto",
         "sold_on order_number full_name phone dealer value"),
        ("Verkoopdatum|Ordernummer|Klant|Telefoon|Vestiging|Verkoopprijs",
         "sold_on order_number full_name phone dealer value"),
        ("Satış tarihi|Şasi no|Müşteri adı|Telefon|Bayi kodu|Tutar",
         "sold_on vin full_name phone dealer value"),
        ("تاريخ البيع|رقم الطلب|اسم العميل|الجوال|المعرض|السعر",
         "sold_on order_number full_name phone dealer value"),
    ],
    ids=["en", "de", "fr", "es", "pl", "nl", "tr", "ar"],
)  # fmt: skip
def test_columns_are_guessed_in_every_language(columns: str, fields: str) -> None:
    names = columns.split("|")
    rows = [("2026-02-03", *("x" for _ in names[1:]))]
    found = guessed(names, rows, column_styles(rows))
    assert [field for field, _place in sorted(found.items(), key=lambda pair: pair[1])] == (
        fields.split()
    )
    assert problem_of(found, len(names)) == ""


def test_a_column_is_no_date_for_being_called_one() -> None:
    rows = [("tomorrow", "2026-02-03"), ("soon", "2026-02-04")]
    names = ["Sale date", "Contract date"]
    assert guessed(names, rows, column_styles(rows)) == {"sold_on": 1}
    assert problem_of({"vin": 0}, 1) == "no_date"
    assert problem_of({"sold_on": 0, "value": 1}, 2) == "nothing_telling"
    assert problem_of({"sold_on": 0, "vin": 0}, 2) == "not_table"


@pytest.mark.parametrize(
    ("text", "dealer"),
    [
        ("PL-WAW-1", 1), ("pl-waw-2", 2), ("PL-WAW-1 Aurel Centrum", 1), ("Aurel Centrum", 1),
        ("Centrum, Aurel", 1), ("AUREL WOLA", 2), ("Aurel", None), ("Nobody's", None), ("", None),
    ],
)  # fmt: skip
def test_a_dealer_is_known_by_code_or_by_a_name_that_names_one(
    text: str, dealer: int | None
) -> None:
    book = DealerBook({"PL-WAW-1": 1, "PL-WAW-2": 2}, {1: "Aurel Centrum", 2: "Aurel Wola"})
    assert book.named(text) == dealer


EWA = Person(full_name="Ewa Lis", phone="+48512300101", email="ewa@mail.example", country="PL",
             postcode="00-100", city="Warszawa")  # fmt: skip
LEAD = Asked(
    lead_id=uuid.UUID(int=1),
    known=Known(1, EWA, ("ewa@mail.example",), ("+48512300101",)),
    arrived_on=date(2026, 1, 10),
    model="Mira",
    vin="WVWZZZ1KZAW000123",
    traded_vin="WVWZZZ1KZAW000999",
    order_number="A-1",
    dealer_ids=frozenset({1}),
)
NAMESAKE = replace(EWA, phone="", email="", postcode="")
SPOUSE = replace(EWA, full_name="Adam Lis", email="")
NOBODY = Person(country="PL")


def sold(person: Person = NOBODY, days: int = 120, **told: Any) -> Sold:
    return Sold(person, LEAD.arrived_on + timedelta(days=days), **told)


@pytest.mark.parametrize(
    ("sale", "least", "most"),
    [
        (sold(), 0, 0),
        (sold(replace(EWA, email="", postcode="", city="")), 0.95, 0.95),
        (sold(replace(EWA, phone="", postcode="", city="")), 0.96, 0.96),
        (sold(replace(EWA, postcode="", city="")), 0.99, 0.99),
        (sold(replace(EWA, phone="", email="")), 0.65, 0.65),
        (sold(replace(EWA, phone="", email=""), 20, dealer_id=1, model="Mira"), 0.9, 0.95),
        (sold(NAMESAKE), 0.55, 0.55),
        # A name and a city never suffice, whatever else agrees.
        (sold(NAMESAKE, 9, dealer_id=1, model="Mira"), 0.8, 0.8),
        # A household's phone: the spouse bought, or somebody else did.
        (sold(SPOUSE), 0.2, 0.4),
        (sold(SPOUSE, 9, dealer_id=1, model="Mira"), 0.7, 0.84),
        (sold(replace(EWA, full_name="Ola Rak", email="")), 0.2, 0.2),
        (sold(order_number="a1"), 0.97, 0.97),
        (sold(order_number="a1", dealer_id=1), 0.98, 0.99),
        (sold(order_number="a1", dealer_id=2), 0.6, 0.6),
        (sold(vin="WVWZZZ1KZAW000123"), 0.9, 0.9),
        (sold(vin="WVWZZZ1KZAW000999"), 0.3, 0.3),
        (sold(Person(full_name="Ola Rak", country="PL"), vin="WVWZZZ1KZAW000123"), 0.85, 0.89),
        (sold(EWA, -1), 0.99, 1),
        (sold(EWA, -2), 0, 0),
        (sold(EWA, 365), 0.98, 0.99),
        (sold(EWA, 366), 0, 0),
    ],
    ids=lambda each: None,
)  # fmt: skip
def test_how_sure_it_is_that_a_sale_came_of_a_lead(sale: Sold, least: float, most: float) -> None:
    found = score(sale, LEAD)
    assert least - 1e-9 <= found.confidence <= most + 1e-9, found
    if found.confidence:
        assert sum(each.weight for each in found.reasons) == pytest.approx(
            found.confidence, abs=0.001
        )


def test_what_agrees_makes_it_surer_and_what_differs_less_so() -> None:
    plain = sold(replace(EWA, email=""))
    told = [
        score(sale, LEAD).confidence
        for sale in (
            replace(plain, model="Orvo"),
            plain,
            replace(plain, model="Aurel Mira 1.5 Hybrid"),
            replace(plain, model="Mira", dealer_id=1),
        )
    ]
    assert told == sorted(told)
    assert len(set(told)) == 4
    days = [score(sold(plain.person, each), LEAD).confidence for each in (300, 120, 60, 5)]
    assert days == sorted(days)
    # Sold by another dealer than the one that had the lead: that is to be found, not doubted.
    assert score(replace(plain, dealer_id=2), LEAD).confidence == told[1]


@pytest.mark.parametrize(
    ("others", "state", "best"),
    [
        ([], "matched", 1),
        # Another customer with the same phone and name: people must say which.
        ([{"customer": 2}], "proposed", 1),
        # The same customer's second lead is no doubt about the person: the later one counts.
        ([{"customer": 1, "arrived_on": date(2026, 1, 12)}], "matched", 2),
        ([{"customer": 1, "arrived_on": date(2025, 6, 1)}], "matched", 1),
        ([{"customer": 1, "arrived_on": date(2026, 1, 12), "model": "Orvo"}], "matched", 1),
        ([{"customer": 2, "arrived_on": date(2027, 1, 1)}], "matched", 1),
    ],
)
def test_which_lead_it_is_when_there_are_several(
    others: list[dict[str, Any]], state: str, best: int
) -> None:
    sale = sold(replace(EWA, email=""), 20, model="Mira")
    leads = [LEAD]
    for number, other in enumerate(others, 2):
        told = dict(other)
        known = replace(LEAD.known, customer_id=told.pop("customer"))
        leads.append(replace(LEAD, lead_id=uuid.UUID(int=number), known=known, **told))
    for order in (leads, leads[::-1]):
        verdict = judged(sale, order)
        assert verdict.state == state
        assert verdict.best is not None
        if state == "matched":
            assert verdict.best.asked.lead_id == uuid.UUID(int=best)


def test_of_two_sales_one_has_the_better_claim_and_never_both() -> None:
    claims = [
        (0.99, date(2026, 1, 3), "b"), (0.9, date(2026, 1, 1), "b"), (0.9, date(2026, 1, 2), "a"),
        (0.9, date(2026, 1, 2), "b"),
    ]  # fmt: skip
    for place, one in enumerate(claims):
        assert not outranks(one, one)
        for other in claims[place + 1 :]:
            assert outranks(one, other)
            assert not outranks(other, one)
