"""Which answers a form takes, type by type."""

from __future__ import annotations

import sys
import unicodedata
from datetime import date
from typing import Any

import pytest

from lmt.config import LOCALES
from lmt.forms.answers import given_answers, shown_fields
from lmt.forms.conditions import condition_from
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.digits import ZEROS, number_text
from lmt.forms.fields import FieldDefinition, OptionDefinition
from lmt.forms.lead import lead_of
from lmt.forms.pagefacts import page_facts
from lmt.forms.problemwords import sentences
from lmt.forms.rules import Problem, problems
from lmt.forms.validate import check

TODAY = date(2026, 3, 6)
MB = 1024 * 1024
COLOURS = (OptionDefinition("red", {"en": "Red"}), OptionDefinition("blue", {"en": "Blue"}))


def form_of(*fields: FieldDefinition, steps: tuple[StepDefinition, ...] = ()) -> FormDefinition:
    return FormDefinition(
        code="f",
        title={"en": "F"},
        languages=LOCALES,
        steps=steps or (StepDefinition("s", fields),),
    )


def asked(kind: str, *, key: str = "q", **values: Any) -> FieldDefinition:
    return FieldDefinition(key, kind, {"en": "Question"}, **values)


def code(item: FieldDefinition, answer: str, **others: str) -> str:
    """What is wrong with one answer of one field, in a form that needs nothing else."""
    found = problems(form_of(item), {item.key: answer, **others}, TODAY)
    return next((problem.code for problem in found.values()), "")


@pytest.mark.parametrize(
    ("kind", "values", "wrong"),
    [
        ("text", {}, "missing"),
        ("longtext", {}, "missing"),
        ("name", {}, "missing"),
        ("email", {}, "missing"),
        ("phone", {}, "missing"),
        ("number", {}, "missing"),
        ("date", {}, "missing"),
        ("postcode", {}, "missing"),
        ("city", {}, "missing"),
        ("file", {}, "missing"),
        ("choice", {"options": COLOURS}, "choose"),
        ("choices", {"options": COLOURS}, "choose"),
        ("time_window", {"options": COLOURS}, "choose"),
        ("country", {"options": COLOURS}, "choose"),
        ("model", {"options": COLOURS}, "choose"),
        ("dealer", {}, "choose"),
        ("consent", {}, "consent"),
        ("hidden", {}, ""),
        ("section", {}, ""),
    ],
)
@pytest.mark.parametrize("blank", ["", "  \r\n\u3000"], ids=["nothing", "blanks"])
def test_what_is_required_must_be_there(
    kind: str, values: dict[str, Any], wrong: str, blank: str
) -> None:
    assert code(asked(kind, required=True, **values), blank) == wrong


@pytest.mark.parametrize("kind", ["text", "longtext", "number", "date", "city", "file", "consent"])
def test_what_is_not_required_may_be_left_out(kind: str) -> None:
    assert code(asked(kind), " ") == ""


@pytest.mark.parametrize(
    ("kind", "answer", "wrong"),
    [
        ("text", "x" * 5, ""),
        ("text", "x" * 6, "too_long"),
        ("text", "  xxxxx  ", ""),
        ("text", "😀" * 5, ""),
        ("text", "😀" * 6, "too_long"),
        ("text", "a\nb", "one_line"),
        ("text", "a\rb", "one_line"),
        ("text", "a\0b", "one_line"),
        ("name", "a\nb", "one_line"),
        ("city", "a\nb", "one_line"),
        ("postcode", "a\nb", "one_line"),
        ("hidden", "a\nb", "one_line"),
        ("hidden", "x" * 6, "too_long"),
        ("longtext", "a\nb", ""),
        ("longtext", "a\r\nbcd", ""),
        ("longtext", "a\r\nbcde", "too_long"),
        ("postcode", "00-95", ""),
        ("postcode", "any", ""),
        ("phone", "1234567", "too_long"),
        ("email", "a@b.cd", "too_long"),
    ],
)
def test_texts(kind: str, answer: str, wrong: str) -> None:
    assert code(asked(kind, max_length=5), answer) == wrong


@pytest.mark.parametrize(
    "address",
    [
        "nora@example.com",
        "o'neil+cars@mail.example.co.uk",
        "n@1.de",
        "x" * 64 + "@example.com",
        "a@" + "x" * 63 + ".de",
        "żółw@łódź.pl",
        "用户@例子.广告",
        "a@example.xn--p1ai",
        " nora@example.com\t",
    ],
)
def test_mail_addresses(address: str) -> None:
    assert code(asked("email", max_length=254), address) == ""


@pytest.mark.parametrize(
    "text",
    [
        "nora",
        "nora@",
        "@example.com",
        "nora@localhost",
        "a@@example.com",
        "a@b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a b@example.com",
        "a\u3000b@example.com",
        "a\u202eb@example.com",
        '"a b"@example.com',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@-example.com",
        "a@example-.com",
        "a@example..com",
        "a@example.com.",
        "a@example.c0m",
        "a@example.xn--",
        "x" * 65 + "@example.com",
        "a@" + "x" * 64 + ".de",
    ],
)
def test_what_is_no_mail_address(text: str) -> None:
    assert code(asked("email", max_length=254), text) == "email"


def test_a_second_line_in_a_mail_address_cannot_name_another_receiver() -> None:
    item = asked("email", max_length=254)
    assert code(item, "nora@example.com\nBcc: all@example.com") == "one_line"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("+48 22 555 01 00", ""),
        ("(050) 123-4567", ""),
        ("٠٥٠ ١٢٣ ٤٥٦٧", ""),
        ("०५० १२३ ४५६७", ""),
        ("０５０１２３", ""),
        ("12345", "phone"),
        ("123456", ""),
        ("1" * 20, ""),
        ("1" * 21, "phone"),
        ("call me", "phone"),
        ("²³¹²³¹", "phone"),
    ],
)
def test_phones(text: str, wrong: str) -> None:
    assert code(asked("phone", max_length=40), text) == wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("5", ""),
        ("0", "too_small"),
        ("1", ""),
        ("10", ""),
        ("10.000001", "too_big"),
        ("-5", "too_small"),
        ("−5", "too_small"),
        ("5,5", ""),
        ("٥٫٥", ""),
        ("1 000", "too_big"),
        ("five", "number"),
        ("1e1", "number"),
        ("5.", "number"),
        (".5", "number"),
        ("+5", "number"),
        ("5.1234567", "number"),
        ("0x5", "number"),
        ("NaN", "number"),
        ("9" * 16, "number"),
    ],
)
def test_numbers(text: str, wrong: str) -> None:
    assert code(asked("number", least=1, most=10), text) == wrong


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        ("٤٢", "42"),
        ("١٢٫٥", "12.5"),
        ("12,5", "12.5"),
        ("−7", "-7"),
        ("12\u00a0000", "12000"),
        ("١٢٬٠٠٠", "12000"),
        ("about 12", "about 12"),
    ],
)
def test_a_number_is_kept_in_ascii_where_it_is_one(written: str, counts: str) -> None:
    assert number_text(written) == counts
    assert number_text(counts) == counts


def test_conditions_and_leads_see_the_number_that_was_meant() -> None:
    form = form_of(
        asked("number", key="cars"),
        asked("text", key="why", shown_when=condition_from({"field": "cars", "at_least": ["10"]})),
    )
    given = given_answers(form, lambda name: {"cars": [" ١٢٫٥ "], "why": ["fleet"]}[name])
    assert shown_fields(form, given) == {"cars", "why"}
    assert lead_of(form, given)["attributes"] == {"cars": 12.5, "why": "fleet"}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("2026-03-07", ""),
        ("2026-03-06", "too_early"),
        ("2026-03-16", ""),
        ("2026-03-17", "too_late"),
        ("2026-02-29", "date"),
        ("2026-04-31", "date"),
        ("2026-13-01", "date"),
        ("0000-01-01", "date"),
        ("0001-01-01", "too_early"),
        ("06.03.2026", "date"),
        ("2026-3-7", "date"),
        ("2026-03-07T10:00", "date"),
        ("٢٠٢٦-٠٣-٠٧", "date"),
    ],
)
def test_dates(text: str, wrong: str) -> None:
    assert code(asked("date", least=1, most=10), text) == wrong


def test_leap_days_are_days() -> None:
    item = asked("date")
    days = ["2024-02-29", "2000-02-29", "1900-02-29", "2023-02-29"]
    assert [code(item, day) for day in days] == ["", "", "date", "date"]


def test_bounds_beyond_the_calendar_bound_nothing() -> None:
    item = asked("date", least=-10_000_000, most=10_000_000)
    assert [code(item, day) for day in ("0001-01-01", "9999-12-31")] == ["", ""]


@pytest.mark.parametrize("kind", ["choice", "time_window", "country", "model", "choices"])
@pytest.mark.parametrize(
    ("answer", "wrong"),
    [("red", ""), (" red ", ""), ("green", "unknown_option"), ("Red", "unknown_option")],
)
def test_options(kind: str, answer: str, wrong: str) -> None:
    assert code(asked(kind, options=COLOURS), answer) == wrong


@pytest.mark.parametrize(
    ("answer", "most", "wrong"),
    [
        ("red\nblue", None, ""),
        ("blue\r\n\r\nred\n", None, ""),
        ("red\nblue", 1, "too_many"),
        ("red\nred", None, "unknown_option"),
        ("red\ngreen", None, "unknown_option"),
    ],
)
def test_several_options(answer: str, most: int | None, wrong: str) -> None:
    assert code(asked("choices", options=COLOURS, most=most), answer) == wrong


def test_one_option_only_where_one_is_asked_for() -> None:
    assert code(asked("choice", options=COLOURS), "red\nblue") == "unknown_option"


@pytest.mark.parametrize(
    ("answer", "wrong"), [("yes", ""), ("no", "unknown_option"), ("on", "unknown_option")]
)
def test_a_consent_is_a_clear_yes(answer: str, wrong: str) -> None:
    assert code(asked("consent", required=True), answer) == wrong


@pytest.mark.parametrize(
    ("name", "size", "wrong"),
    [
        ("car.jpg", "", ""),
        ("CAR.JPEG", str(2 * MB), ""),
        ("car.heic", str(2 * MB + 1), "file_size"),
        ("papers.pdf", "many", "file_size"),
        ("papers.pdf", "-1", "file_size"),
        ("papers.pdf.exe", "", "file_type"),
        ("pdf", "", "file_type"),
        ("drawing.svg", "", "file_type"),
    ],
)
def test_files(name: str, size: str, wrong: str) -> None:
    assert code(asked("file", most=2), name, **{"q-size": size}) == wrong


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"q": "PL-001"}, {}),
        ({"q": "PL 001"}, {"q": "unknown_option"}),
        ({"q": "x" * 61}, {"q": "unknown_option"}),
        ({"q": "../x"}, {"q": "unknown_option"}),
        ({}, {"q": "choose"}),
        ({"q": "a", "q-place": "Kraków"}, {}),
        ({"q": "a", "q-place": "x" * 201}, {"q-place": "too_long"}),
        ({"q": "a", "q-lat": "52.2", "q-lon": "21.01"}, {}),
        ({"q": "a", "q-lat": "91", "q-lon": "21.01"}, {"q-place": "place"}),
        ({"q": "a", "q-lat": "52", "q-lon": "-181"}, {"q-place": "place"}),
        ({"q": "a", "q-lat": "1e1", "q-lon": "1"}, {"q-place": "place"}),
    ],
)
def test_dealers(answers: dict[str, str], wrong: dict[str, str]) -> None:
    found = problems(form_of(asked("dealer", required=True)), answers, TODAY)
    assert {name: problem.code for name, problem in found.items()} == wrong


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ({}, {"country": "choose"}),
        ({"country": "DE"}, {"country": "unknown_option"}),
        ({"country": "PL"}, {"postcode": "missing"}),
        ({"country": "PL", "postcode": "00-950"}, {}),
        ({"country": "PL", "postcode": "٠٠-٩٥٠"}, {}),
        ({"country": "PL", "postcode": "950"}, {"postcode": "postcode"}),
        ({"country": "GB", "postcode": "sw1a 1aa"}, {}),
        ({"country": "GB", "postcode": "ſw1a 1aa"}, {"postcode": "postcode"}),
        ({"country": "AE"}, {"region": "choose"}),
        ({"country": "AE", "region": "Dubai"}, {}),
        ({"country": "AE", "region": "Texas"}, {"region": "unknown_option"}),
        ({"country": "AE", "region": "Dubai", "postcode": "any"}, {}),
        ({"country": "AE", "region": "Dubai", "city": "a\nb"}, {"city": "one_line"}),
    ],
)
def test_addresses_by_country(parts: dict[str, str], wrong: dict[str, str]) -> None:
    item = asked("address", countries=("PL", "GB", "AE"), required=True)
    answers = {f"q-{part}": text for part, text in parts.items()}
    found = problems(form_of(item), answers, TODAY)
    assert {name.removeprefix("q-"): each.code for name, each in found.items()} == wrong


def test_an_address_that_is_not_required_is_still_one_where_it_is_given() -> None:
    item = asked("address", countries=("PL",))
    assert problems(form_of(item), {}, TODAY) == {}
    assert problems(form_of(item), {"q-postcode": "x"}, TODAY) == {
        "q-postcode": Problem("postcode")
    }


PHONE, EMAIL = asked("phone", key="phone"), asked("email", key="email")
IF_MAIL = condition_from({"field": "how", "is": ["red"]})


@pytest.mark.parametrize(
    ("fields", "answers", "wrong"),
    [
        ((PHONE, EMAIL), {}, {"phone": "reach"}),
        ((EMAIL, PHONE), {}, {"email": "reach"}),
        ((PHONE, EMAIL), {"email": "a@b.cd"}, {}),
        ((PHONE, EMAIL), {"phone": "123456"}, {}),
        ((PHONE, EMAIL), {"phone": "1"}, {"phone": "phone"}),
        ((PHONE,), {}, {"phone": "missing"}),
        ((asked("text"),), {}, {}),
    ],
)
def test_a_way_to_reach_the_person_is_always_asked_for(
    fields: tuple[FieldDefinition, ...], answers: dict[str, str], wrong: dict[str, str]
) -> None:
    found = problems(form_of(*fields), answers, TODAY)
    assert {name: problem.code for name, problem in found.items()} == wrong


def test_a_way_that_is_not_shown_reaches_nobody() -> None:
    how = asked("choice", key="how", options=COLOURS)
    email = asked("email", key="email", shown_when=IF_MAIL)
    form = form_of(how, PHONE, email)
    hidden = problems(form, {"how": "blue", "email": "a@b.cd"}, TODAY)
    assert hidden == {"phone": Problem("missing")}
    assert problems(form, {"how": "red", "email": "a@b.cd"}, TODAY) == {}


def test_that_neither_was_given_is_told_where_the_last_was_asked_for() -> None:
    steps = StepDefinition("one", (PHONE,)), StepDefinition("two", (EMAIL,))
    assert problems(form_of(steps=steps), {}, TODAY) == {"email": Problem("reach")}


def test_what_is_not_shown_is_not_checked() -> None:
    form = form_of(
        asked("choice", key="how", options=COLOURS),
        asked("section", key="more", shown_when=IF_MAIL),
        asked("text", key="why", required=True),
        asked("number", key="cars"),
    )
    assert problems(form, {"how": "blue", "cars": "many"}, TODAY) == {}
    assert list(problems(form, {"how": "red", "cars": "many"}, TODAY)) == ["why", "cars"]


def test_problems_come_in_the_order_of_the_form() -> None:
    form = form_of(
        asked("text", key="z", required=True),
        PHONE,
        EMAIL,
        asked("consent", key="a", required=True),
    )
    assert list(problems(form, {"email": ""}, TODAY)) == ["z", "phone", "a"]


@pytest.mark.parametrize(
    ("sent", "prefill", "kept"),
    [("summer", True, "summer"), ("", True, "spring"), ("summer", False, "spring")],
)
def test_a_hidden_field_keeps_what_the_page_may_not_change(
    sent: str, prefill: bool, kept: str
) -> None:
    form = form_of(
        asked("hidden", key="code", value="spring", prefill=prefill),
        asked("text", key="why", shown_when=condition_from({"field": "code", "is": [kept]})),
    )
    given = given_answers(form, lambda name: [sent])
    assert given["code"] == kept
    assert "why" in shown_fields(form, given)
    assert lead_of(form, given)["attributes"]["code"] == kept


def test_reading_answers_again_changes_nothing() -> None:
    form = form_of(
        asked("choices", key="c", options=COLOURS), asked("number", key="n"), asked("text", key="t")
    )
    sent = {"c": [" red ", "blue\r\n"], "n": ["١٬٠٠٠"], "t": ["\ufeff a\rb "]}
    given = given_answers(form, lambda name: sent[name])
    assert given == {"c": "red\nblue", "n": "1000", "t": "a\nb"}
    assert given_answers(form, lambda name: [given[name]]) == given


@pytest.mark.parametrize("language", LOCALES)
def test_every_problem_has_a_sentence_in_the_language_of_the_form(language: str) -> None:
    form = form_of(
        asked("date", key="day", least=3, most=5),
        asked("text", key="short", max_length=3),
        asked("file", key="file", most=1),
    )
    answers = {"day": "2026-03-01", "short": "long", "file": "a.pdf", "file-size": str(9 * MB)}
    told = check(form, answers, language, TODAY)
    assert list(told) == ["day", "short", "file"]
    assert "3" in told["short"]
    assert not any("{" in sentence or "%" in sentence for sentence in told.values())


def test_a_date_is_told_as_the_reader_writes_it() -> None:
    form = form_of(asked("date", least=3))
    assert check(form, {"q": "2026-03-01"}, "en", TODAY) == {
        "q": "Choose Mar 9, 2026 or a later day."
    }


def test_the_words_of_the_field_itself_come_first() -> None:
    item = asked("number", error={"en": "How many {cars} do you drive?", "de": "Wie viele Autos?"})
    assert check(form_of(item), {"q": "x"}, "en", TODAY) == {"q": "How many {cars} do you drive?"}
    assert check(form_of(item), {"q": "x"}, "de-AT", TODAY) == {"q": "Wie viele Autos?"}


def test_a_browser_is_told_no_words_it_does_not_need() -> None:
    item = asked("choice", options=COLOURS, help={"en": "Any you like"})
    facts = page_facts(form_of(item), "en", TODAY)
    assert facts["fields"] == [
        {
            "key": "q",
            "type": "choice",
            "inputs": ["q"],
            "max_length": 200,
            "options": ["red", "blue"],
        }
    ]
    assert facts["steps"] == [{"key": "s", "fields": ["q"]}]
    of_others = {"number", "too_small", "too_big", "date", "too_early", "too_late"}
    of_others |= {"too_many", "file_type", "file_size"}
    assert facts["messages"].keys() == sentences().keys() - of_others


def test_digits_are_those_that_unicode_calls_decimal() -> None:
    ours = {zero + value: value for zero in ZEROS for value in range(10)}
    if unicodedata.unidata_version == "14.0.0":
        letters = map(chr, range(sys.maxunicode + 1))
        assert {ord(each) for each in letters if each.isdecimal()} == ours.keys()
    assert all(unicodedata.decimal(chr(point)) == value for point, value in ours.items())
