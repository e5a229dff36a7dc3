"""A form as data: what it refuses, in whose language, what becomes of the answers, the page."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lmt.config import LOCALES
from lmt.forms.defaults import BrandModels, contact_form
from lmt.forms.definition import (
    BadForm,
    FieldDefinition,
    FormDefinition,
    StepDefinition,
    in_words,
)
from lmt.forms.lead import lead_of
from lmt.forms.page import HONEYPOT_FIELD, render_form
from lmt.forms.thanks import render_thanks
from lmt.forms.token import issue_token, token_problem
from lmt.forms.validate import check
from tests.two_markets import parsed

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 6)
STYLESHEET = "/embed/gulf.css"
FORM = contact_form(
    "gulf",
    countries=["SA", "AE", "KW"],
    brands=[
        BrandModels("aurelia", "Aurelia", (("vela", "Vela"), ("nimbus_gt", "Nimbus GT"))),
        BrandModels("corvo", "Corvo", (("kestrel", "Kestrel"),)),
    ],
    default_language="ar",
)
GOOD = {
    "request_type": "test_drive",
    "model": "aurelia/nimbus_gt",
    "name": "Nora Example",
    "phone": "+966 50 123 4567",
    "email": "",
    "country": "SA",
    "city": "الرياض",
    "postcode": "",
    "comments": "",
    "consent": "yes",
}


def shown(**changes: object) -> Any:
    values: dict[str, object] = {
        "language": "en",
        "answers": {},
        "errors": {},
        "token": "tok",
        "idempotency_key": "key",
        "action": "/f/gulf",
        "utm": {},
        "stylesheet": STYLESHEET,
    }
    return parsed(render_form(FORM, **(values | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"name": "  "}, ["name"]),
        ({"phone": ""}, ["phone"]),
        ({"phone": "", "email": "nora@mail.example.com"}, []),
        ({"phone": "٠٥٠ ١٢٣ ٤٥٦٧"}, []),
        ({"phone": "12345"}, ["phone"]),
        ({"phone": "call me"}, ["phone"]),
        ({"phone": "1" * 21}, ["phone"]),
        ({"phone": "", "email": "nora@"}, ["email"]),
        ({"email": "nora@example.com\nBcc: all@example.com"}, ["email"]),
        ({"country": "DE"}, ["country"]),
        ({"country": "Saudi Arabia"}, ["country"]),
        ({"model": "aurelia/unknown"}, ["model"]),
        ({"model": ""}, []),
        ({"request_type": ""}, ["request_type"]),
        ({"consent": ""}, ["consent"]),
        ({"name": "x" * 200}, []),
        ({"name": "x" * 201}, ["name"]),
        ({"comments": "x" * 2_001}, ["comments"]),
        ({"comments": "two\nlines"}, []),
        ({"city": "two\nlines"}, ["city"]),
        ({"name": "", "consent": "", "city": ""}, ["name", "city", "consent"]),
    ],
)
def test_answers_that_are_refused(change: dict[str, str], wrong: list[str]) -> None:
    assert list(check(FORM, GOOD | change, "en", TODAY)) == wrong


def test_nothing_at_all_is_refused_field_by_field() -> None:
    assert list(check(FORM, {}, "en", TODAY)) == [
        "request_type",
        "name",
        "phone",
        "country",
        "city",
        "consent",
    ]


def test_answers_become_a_lead_in_the_shape_of_the_api() -> None:
    answers = GOOD | {"utm_source": "radio", "gclid": "g1", "comments": "Soon, please"}
    lead = lead_of(FORM, answers, language="ar")
    assert lead["customer"] == {
        "language": "ar",
        "full_name": "Nora Example",
        "phone": "+966 50 123 4567",
    }
    assert lead["address"] == {"country": "SA", "city": "الرياض"}
    assert lead["request"] == {
        "type": "test_drive",
        "brand": "aurelia",
        "model": "Nimbus GT",
        "comments": "Soon, please",
    }
    assert lead["campaign"] == {"utm_source": "radio", "gclid": "g1"}
    assert lead["attributes"] == {}
    (consent,) = lead["consents"]
    assert (consent["purpose"], consent["given"]) == ("contact", True)


def test_a_brand_without_a_model_is_an_answer_too() -> None:
    assert lead_of(FORM, GOOD | {"model": "corvo"})["request"]["brand"] == "corvo"
    assert "model" not in lead_of(FORM, GOOD | {"model": "corvo"})["request"]


def test_a_refused_consent_is_kept_as_refused() -> None:
    (consent,) = lead_of(FORM, GOOD | {"consent": ""}, language="en")["consents"]
    assert consent["given"] is False


def test_the_consent_names_the_very_words_that_were_shown() -> None:
    versions = {
        lead_of(FORM, GOOD, language=language)["consents"][0]["text_version"]
        for language in LOCALES
    }
    assert len(versions) == len(LOCALES)


def test_one_country_is_not_asked_but_sent() -> None:
    form = contact_form("pl", countries=["PL"], brands=[BrandModels("aurelia", "Aurelia")])
    answers = {key: value for key, value in GOOD.items() if key != "country"} | {"model": "aurelia"}
    assert check(form, answers, "pl", TODAY) == {}
    assert lead_of(form, answers)["address"]["country"] == "PL"


def test_what_has_no_place_in_a_lead_is_an_attribute() -> None:
    form = FormDefinition(
        code="x",
        title={"en": "X"},
        steps=(
            StepDefinition(
                "all",
                (
                    FieldDefinition("shoe_size", "text", {"en": "Shoe size"}),
                    FieldDefinition("campaign_code", "hidden", value="SPRING", to="campaign.code"),
                ),
            ),
        ),
    )
    lead = lead_of(form, {"shoe_size": "44"})
    assert lead["attributes"] == {"shoe_size": "44"}
    assert lead["campaign"] == {"code": "SPRING"}


def test_a_definition_survives_json() -> None:
    assert FormDefinition.from_json(json.loads(json.dumps(FORM.to_json()))) == FORM


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "form_token", "type": "text"},
        {"key": "two words", "type": "text"},
        {"key": "a", "type": "photo"},
        {"key": "a", "type": "choice"},
        {"key": "a", "type": "text", "options": [{"id": "1", "label": {}}]},
        {"key": "a", "type": "text", "to": "customer.password"},
        {"key": "a", "type": "text", "max_length": 5_001},
        {"type": "text"},
        {
            "key": "a",
            "type": "choice",
            "options": [{"id": "1", "label": {}}, {"id": "1", "label": {}}],
        },
    ],
)
def test_a_definition_that_cannot_be_a_form(wrong: dict[str, object]) -> None:
    data = {"code": "x", "title": {}, "languages": ["en"], "default_language": "en"}
    with pytest.raises(BadForm):
        FormDefinition.from_json(data | {"fields": [wrong]})


def test_words_fall_back_rather_than_vanish() -> None:
    assert in_words({"de": "Farbe", "en": "Colour"}, "de") == "Farbe"
    assert in_words({"de": "Farbe", "en": "Colour"}, "fr") == "Colour"
    assert in_words({"": "Vela"}, "ar") == "Vela"
    assert in_words({"nl": "Kleur"}, "fr", "de") == "Kleur"
    assert in_words({}, "fr") == ""


@pytest.mark.parametrize("language", LOCALES)
def test_the_contact_form_speaks_every_language(language: str) -> None:
    texts = [FORM.title, FORM.intro, FORM.submit]
    for item in FORM.fields:
        texts += [item.label, *([item.help] if item.help else [])]
        texts += [option.label for option in item.options if "" not in option.label]
    assert all(words.get(language) for words in texts)
    page = parsed(
        render_form(
            FORM,
            language=language,
            answers={},
            errors={},
            token="t",
            idempotency_key="k",
            action="/f",
            utm={},
            stylesheet=STYLESHEET,
        )
    )
    assert page.get("lang") == language
    assert page.get("dir") == ("rtl" if language == "ar" else "ltr")


def test_a_language_the_form_does_not_speak_gets_its_default() -> None:
    assert shown(language="ja").get("lang") == "ar"
    assert shown(language="en-GB").get("lang") == "en"


def test_every_field_has_a_label_and_tells_browsers_what_it_is() -> None:
    page = shown()
    for field in page.xpath("//main//*[self::input or self::select or self::textarea]"):
        if field.get("type") == "hidden":
            continue
        assert page.xpath(f"//label[@for='{field.get('id')}']"), field.get("name")
    told = {f.get("name"): f.get("autocomplete") for f in page.xpath("//*[@autocomplete]")}
    assert told == {
        "name": "name",
        "phone": "tel",
        "email": "email",
        "country": "country",
        "city": "address-level2",
        "postcode": "postal-code",
        HONEYPOT_FIELD: "off",
    }


def test_errors_are_listed_first_with_focus_and_a_way_to_each_field() -> None:
    answers = GOOD | {"name": "", "phone": "12"}
    page = shown(answers=answers, errors=check(FORM, answers, "en", TODAY))
    (summary,) = page.xpath("//div[@role='alert']")
    assert "autofocus" in summary.attrib
    targets = [link.get("href")[1:] for link in summary.xpath(".//a")]
    assert targets == ["name", "phone"]
    for target in targets:
        (field,) = page.xpath(f"//*[@id='{target}']")
        assert field.get("aria-invalid") == "true"
        described = field.get("aria-describedby").split()
        assert all(page.xpath(f"//*[@id='{id}']") for id in described)
    assert page.xpath("//input[@name='phone']/@value") == ["12"], "answers are kept"
    assert page.xpath("//option[@selected]/@value") == ["test_drive", "aurelia/nimbus_gt", "SA"]


def test_errors_and_page_agree_on_the_language() -> None:
    english = check(FORM, {}, "en", TODAY)
    assert english["name"] == "Please fill this in."


def test_answers_are_shown_as_text_never_as_markup() -> None:
    nasty = '"><script>alert(1)</script>'
    page = render_form(
        FORM,
        language="en",
        answers=GOOD | {"name": nasty, "comments": "</textarea><script>1</script>"},
        errors={},
        token="t",
        idempotency_key="k",
        action="/f",
        utm={"utm_source": nasty},
        stylesheet=STYLESHEET,
    )
    assert "<script" not in page
    assert parsed(page).xpath("//input[@name='name']/@value") == [nasty]


def test_the_campaign_travels_along_and_nothing_else_does() -> None:
    page = shown(utm={"utm_source": "radio", "utm_campaign": "spring", "admin": "1"})
    hidden = {i.get("name"): i.get("value") for i in page.xpath("//input[@type='hidden']")}
    assert hidden.pop("asked").split() == list(GOOD), "all of them are on the page"
    assert hidden == {
        "utm_source": "radio",
        "utm_campaign": "spring",
        "form_token": "tok",
        "idempotency_key": "key",
        "lang": "en",
        "step": "all",
    }
    assert all("utm_source=radio" in a for a in page.xpath("//nav//a/@href"))


def test_the_trap_is_out_of_reach_of_people() -> None:
    (trap,) = shown().xpath(f"//input[@name='{HONEYPOT_FIELD}']")
    assert trap.get("tabindex") == "-1"
    assert trap.getparent().get("aria-hidden") == "true"


def test_the_page_runs_no_script_and_loads_only_its_own_style() -> None:
    page = shown()
    assert not page.xpath("//script")
    assert not page.xpath("//*[@style]")
    assert page.xpath("//link[@rel='stylesheet']/@href") == [STYLESHEET]


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        (timedelta(0), "too_fast"),
        (timedelta(seconds=1), "too_fast"),
        (timedelta(seconds=2), None),
        (timedelta(minutes=20), None),
        (timedelta(hours=24), None),
        (timedelta(hours=24, seconds=1), "expired"),
        (timedelta(seconds=-60), "too_fast"),
    ],
)
def test_how_old_a_token_may_be(age: timedelta, problem: str | None) -> None:
    token = issue_token("secret", "gulf", 3, NOW)
    assert token_problem("secret", token, "gulf", 3, NOW + age) == problem


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "missing"),
        ("gulf:1", "forged"),
        ("gulf:1772787600.abc", "forged"),
        (issue_token("another secret", "gulf", 3, NOW), "forged"),
        (issue_token("secret", "poland", 3, NOW), "forged"),
        (issue_token("secret", "gulf", 2, NOW), "forged"),
        ("\udcff", "forged"),
        ("ł.ł", "forged"),
    ],
)
def test_tokens_that_nobody_issued(token: str, problem: str) -> None:
    assert token_problem("secret", token, "gulf", 3, NOW + timedelta(minutes=1)) == problem


def test_thanks_name_the_dealer_and_the_time_where_they_are_known() -> None:
    page = parsed(
        render_thanks(
            FORM,
            language="en",
            stylesheet=STYLESHEET,
            reference="K7QF-2M9D",
            status_url="https://lmt.example/r/abc",
            dealer="Aurelia <Riyadh>",
            respond_by=datetime(2026, 3, 8, 7, 20, tzinfo=UTC),
            timezone="Asia/Riyadh",
        )
    )
    text = re.sub(r"\s+", " ", page.text_content())
    assert "Aurelia <Riyadh> will contact you by Sun" in text
    assert "10:20" in text
    assert "K7QF-2M9D" in text
    assert page.xpath("//a/@href") == ["https://lmt.example/r/abc"]


def test_thanks_promise_nothing_before_a_dealer_is_found() -> None:
    page = render_thanks(
        FORM, language="en", stylesheet=STYLESHEET, reference="K7QF-2M9D", status_url="/r/abc"
    )
    assert "looking for the dealer" in page


def test_options_keep_their_group_and_order() -> None:
    groups = shown().xpath("//select[@name='model']/optgroup")
    assert [group.get("label") for group in groups] == ["Aurelia", "Corvo"]
    assert groups[0].xpath("./option/@value") == [
        "aurelia",
        "aurelia/vela",
        "aurelia/nimbus_gt",
    ]
