"""A form walked without scripts: what each page sent leads to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pytest

from lmt.forms.conditions import Test as Asks
from lmt.forms.definition import (
    FieldDefinition,
    FormDefinition,
    OptionDefinition,
    StepDefinition,
)
from lmt.forms.rules import Problem
from lmt.forms.turns import Turn, next_page

TODAY = date(2026, 11, 22)
FUELS = tuple(OptionDefinition(id, {"en": id}) for id in ("petrol", "electric"))
ELECTRIC = Asks("fuel", "is", ("electric",))
FORM = FormDefinition(
    code="walk",
    title={"en": "A walk"},
    steps=(
        StepDefinition(
            "car",
            (
                FieldDefinition("fuel", "choice", options=FUELS, required=True),
                FieldDefinition("range_km", "number", required=True, shown_when=ELECTRIC),
                FieldDefinition("colour", "text", shown_when=ELECTRIC),
            ),
        ),
        StepDefinition(
            "charging", (FieldDefinition("socket", "text", required=True),), shown_when=ELECTRIC
        ),
        StepDefinition("inward", (FieldDefinition("channel", "hidden", value="web"),)),
        StepDefinition(
            "you",
            (
                FieldDefinition("name", "name", required=True),
                FieldDefinition("email", "email"),
                FieldDefinition("home", "address", countries=("AE", "PL"), required=True),
            ),
        ),
    ),
)
PETROL = {"fuel": "petrol"}
ELECTRIC_CAR = {"fuel": "electric", "range_km": "300"}
PERSON = {
    "name": "Nora Example",
    "email": "nora@mail.example.com",
    "home-country": "PL",
    "home-postcode": "00-001",
    "home-city": "Warszawa",
}
CAR = ("fuel",)
WHOLE_CAR = ("fuel", "range_km", "colour")
YOU = ("name", "email", "home-PL")


def turn(answers: dict[str, str], step: str, asked: Collection[str], *, back: bool = False) -> Turn:
    return next_page(FORM, answers, step, asked, TODAY, back=back)


@pytest.mark.parametrize(
    ("answers", "step", "asked", "leads_to"),
    [
        pytest.param(PETROL, "car", CAR, "you", id="a step that isn't asked is left out"),
        pytest.param(ELECTRIC_CAR, "car", WHOLE_CAR, "charging", id="one that is, comes next"),
        pytest.param(
            ELECTRIC_CAR | {"socket": "CCS"},
            "charging",
            (*WHOLE_CAR, "socket"),
            "you",
            id="one that nobody sees is never a page",
        ),
        pytest.param(PETROL, "charging", CAR, "car", id="a step that isn't asked begins anew"),
        pytest.param(PETROL, "garage", CAR, "car", id="a step that there isn't begins anew"),
        pytest.param(PETROL, "inward", CAR, "car", id="a step of hidden fields begins anew"),
    ],
)
def test_where_a_page_leads(
    answers: dict[str, str], step: str, asked: Collection[str], leads_to: str
) -> None:
    assert turn(answers, step, asked) == Turn(leads_to)


@pytest.mark.parametrize(
    ("answers", "asked", "errors", "unseen"),
    [
        pytest.param({}, CAR, {"fuel": "choose"}, (), id="missing"),
        pytest.param(
            {"fuel": "electric"},
            CAR,
            {},
            ("range_km", "colour"),
            id="what has just appeared is shown before it is called missing",
        ),
        pytest.param(
            {"fuel": "electric"}, WHOLE_CAR, {"range_km": "missing"}, (), id="shown and left empty"
        ),
        pytest.param(
            {"fuel": "electric", "range_km": "far"},
            ("fuel", "range_km"),
            {"range_km": "number"},
            ("colour",),
            id="something wrong beside something new",
        ),
        pytest.param({"fuel": "coal"}, CAR, {"fuel": "unknown_option"}, (), id="forged"),
    ],
)
def test_a_page_that_is_shown_again(
    answers: dict[str, str], asked: Collection[str], errors: dict[str, str], unseen: Collection[str]
) -> None:
    again = turn(answers, "car", asked)
    assert again.step == "car"
    assert not again.complete
    assert {name: problem.code for name, problem in again.errors.items()} == errors
    assert again.unseen == unseen
    assert bool(again.notice) == bool(unseen)


def test_the_last_page_completes_the_form() -> None:
    assert turn(PETROL | PERSON, "you", (*CAR, *YOU)) == Turn("you", complete=True)


def test_a_way_to_be_reached_is_missed_where_it_is_asked() -> None:
    nobody = PETROL | PERSON | {"email": ""}
    assert turn(nobody, "car", CAR).step == "you"
    assert set(turn(nobody, "you", (*CAR, *YOU)).errors) == {"email"}


@pytest.mark.parametrize(
    ("changed", "asked", "leads_to", "errors"),
    [
        pytest.param({"fuel": ""}, (*CAR, *YOU), "car", ["fuel"], id="an answer taken out"),
        pytest.param(
            {"fuel": "electric"}, (*CAR, *YOU), "car", [], id="a change that asks for more"
        ),
        pytest.param(
            {"fuel": "electric", "range_km": "300"},
            (*WHOLE_CAR, *YOU),
            "charging",
            [],
            id="a step that came up behind",
        ),
        pytest.param(
            {"home-country": "AE"}, (*CAR, *YOU), "you", [], id="another country asks other things"
        ),
    ],
)
def test_what_is_wrong_or_unseen_before_the_last_page_comes_first(
    changed: dict[str, str], asked: Collection[str], leads_to: str, errors: list[str]
) -> None:
    led = turn(PETROL | PERSON | changed, "you", asked)
    assert (led.step, list(led.errors), led.complete) == (leads_to, errors, False)


@pytest.mark.parametrize(
    ("step", "leads_to"), [("you", "charging"), ("charging", "car"), ("car", "car")]
)
def test_going_back_asks_for_nothing(step: str, leads_to: str) -> None:
    assert turn({"fuel": "electric"}, step, WHOLE_CAR, back=True) == Turn(leads_to)


@pytest.mark.parametrize(
    ("answers", "complete", "errors"),
    [
        (PETROL | PERSON, True, []),
        ({"fuel": "electric"} | PERSON, False, ["range_km"]),
        (ELECTRIC_CAR | PERSON, False, ["socket"]),
    ],
)
def test_a_form_sent_at_once_is_checked_whole(
    answers: dict[str, str], complete: bool, errors: list[str]
) -> None:
    sent = turn(answers, "", ())
    assert (sent.complete, list(sent.errors)) == (complete, errors)


def test_what_is_known_to_be_wrong_besides_counts_too() -> None:
    refused = {"name": Problem("file_type")}
    led = next_page(FORM, PETROL | PERSON, "you", (*CAR, *YOU), TODAY, wrong=refused)
    assert (led.step, dict(led.errors)) == ("you", refused)
