"""What went wrong in strangers' files once: each case is a row lost, or taken for another thing."""

from __future__ import annotations

import pytest

from lmt.files.columns import ColumnStyle, iso_instant
from lmt.files.unanswered import may_be_name
from lmt.imports.rows import RowReader
from lmt.imports.suggesting import suggested
from lmt.ingest.dispositions import disposition
from lmt.mapping.model import Line, Mapping


@pytest.mark.parametrize(
    "text",
    [
        "möchte nicht angerufen werden",
        "will nicht mehr angerufen werden",
        "kein Interesse mehr, nicht mehr anrufen",
        "ne veut plus être contacté",
        "ne souhaite pas être rappelé",
        "No quiere que le llamen",
        "no desea ser contactada",
        "nie chce kontaktu",
        "wil niet gebeld worden",
        "wil niet meer gebeld worden",
        "aranmak istemedi",
        "لا يريد أن نتصل به",
        "wants to be removed from list",
        "Interested - DNC",
        "DNC on customer's request",
        "does not wish to be contacted",
    ],
)
def test_who_says_no_in_a_whole_sentence_is_left_alone(text: str) -> None:
    found = disposition(text)
    assert found is not None
    assert found.action == "suppress"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # The denial stands further off than the word before.
        ("not really interested", "not_interested"),
        ("not at all interested", "not_interested"),
        ("isn't interested", "not_interested"),
        ("nie jest zainteresowana ofertą", "not_interested"),
        ("jamais intéressé", "not_interested"),
        ("n'est plus intéressée", "not_interested"),
        ("not positive", "not_interested"),
        ("not reached", "no_answer"),
        # Of whom nothing was wanted but what they don't want.
        ("Not interested in test drive", "not_interested"),
        ("Cliente no interesado en visita", "not_interested"),
        ("randevu istemiyor", "not_interested"),
        # A letter more is no slip where it says the contrary.
        ("test sürüşü istemiyor", "not_interested"),
        ("uninteressiert", "not_interested"),
        # What begins the next clause denies nothing of this one.
        ("Already a customer, not interested", "already_customer"),
        ("Call back, not today", "call_back"),
        ("Termin vereinbart, nicht erreicht", "appointment"),
        # Nobody asked for silence.
        ("do not call before 5 pm", "call_back"),
        ("Nummer gesperrt", "wrong_number"),
        ("no calls yet", ""),
        ("wurde nicht mehr angerufen", ""),
        ("in a meeting", "busy"),
        ("لم يتم الرد", "no_answer"),
        ("مهتم لكن لاحقا", "interested"),
        # Yes and no.
        ("Ja", "interested"),
        ("Nein", "not_interested"),
        ("نعم", "interested"),
    ],
)
def test_what_is_denied_is_not_what_happened(text: str, code: str) -> None:
    found = disposition(text)
    assert (found.code if found else "") == code


def test_a_name_is_no_empty_cell() -> None:
    lines = {"customer.full_name": "Name", "customer.phone": "Tel", "address.city": "Town"}
    reader = RowReader(
        Mapping(tuple(Line(target, (path,)) for target, path in lines.items())),
        ["Name", "Tel", "Town"],
    )
    named = reader.read(["Nil", "+4915112345678", "Leer"]).lead
    assert (named["customer"]["full_name"], named["address"]["city"]) == ("Nil", "Leer")
    nobody = reader.read(["nil", "+4915112345678", "n/a"]).lead
    assert nobody == {"customer": {"phone": "+4915112345678"}}
    assert not may_be_name("NAN")


def test_a_place_is_on_earth_whatever_the_numbers_beside_it() -> None:
    reader = RowReader(
        Mapping(
            (
                Line("customer.phone", ("Tel",)),
                Line("address.lat", ("Lat",)),
                Line("address.lon", ("Lon",)),
            )
        ),
        ["Tel", "Lat", "Lon"],
        [ColumnStyle(decimal=",")] * 3,
    )
    address = reader.read(["+48602000001", "52.229", "21,012"]).lead["address"]
    assert address == {"lat": "52.229", "lon": "21.012"}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("4-Mar-26", "2026-03-04T00:00:00"),
        ("04-mar-26 9:05 AM", "2026-03-04T09:05:00"),
        ("12 Mar 14", ""),
    ],
)
def test_a_spreadsheets_own_short_dates_are_read(text: str, instant: str) -> None:
    assert iso_instant(text, ColumnStyle()) == instant


def ids_of(header: str, *own: str) -> tuple[str, ...]:
    """The columns that a file of these people would be told apart by."""
    rows = [[each, f"Ewa Nowak{n}", f"+4860200000{n}"] for n, each in enumerate(own)]
    lines = suggested([header, "Name", "Phone"], rows).lines
    return next((line.paths for line in lines if line.target == "id"), ())


def test_rows_that_are_only_numbered_have_no_ids() -> None:
    assert ids_of("Lead ID", "1", "2", "3") == ()
    assert ids_of("Lead ID", "77120", "77121", "77135") == ("Lead ID",)
    # It names a person, who may be called again next year.
    assert ids_of("Customer number", "77120", "77121", "77135") == ()
