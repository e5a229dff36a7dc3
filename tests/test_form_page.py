"""How a form is written out: the control for each type, its steps, sections, words and looks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lmt.forms.conditions import Test as Asks
from lmt.forms.definition import (
    FieldDefinition,
    FormDefinition,
    OptionDefinition,
    StepDefinition,
)
from lmt.forms.look import style_sheet, theme_rules
from lmt.forms.page import form_fragment, render_form
from lmt.forms.thanks import render_thanks, thanks_fragment
from tests.two_markets import parsed

TODAY = date(2026, 11, 22)
STYLESHEET = "/embed/drive.css"


def words(text: str) -> dict[str, str]:
    return {"en": text, "ar": f"{text} بالعربية"}


def field(key: str, type: str, **more: Any) -> FieldDefinition:
    return FieldDefinition(key, type, words(key.replace("_", " ").capitalize()), **more)


def options(*ids: str) -> tuple[OptionDefinition, ...]:
    return tuple(OptionDefinition(id, words(id)) for id in ids)


MODELS = (
    OptionDefinition("aurelia", words("Any model"), {"": "Aurelia"}),
    OptionDefinition("aurelia/vela", {"": "Vela"}, {"": "Aurelia"}),
    OptionDefinition("corvo/kestrel", {"": "Kestrel"}, {"": "Corvo"}),
)
ELECTRIC = Asks("fuel", "is", ("electric",))
FORM = FormDefinition(
    code="drive",
    title=words("Book a test drive"),
    languages=("en", "ar"),
    steps=(
        StepDefinition(
            "car",
            (
                field("fuel", "choice", options=options("petrol", "electric"), required=True),
                field("charger", "choice", options=options("home", "work"), shown_when=ELECTRIC),
                field("extras", "choices", options=options("roof", "hook")),
                field("model", "model", options=MODELS),
                field("colour", "choice", options=options(*"abcdef")),
            ),
            words("Your car"),
        ),
        StepDefinition(
            "charging",
            (field("socket", "text"),),
            words("Charging"),
            shown_when=ELECTRIC,
        ),
        StepDefinition(
            "visit",
            (
                field("when_to_come", "section", help=words("Within a month")),
                field("day", "date", least=1, most=30, required=True),
                field("slot", "time_window", options=options("09:00-12:00", "12:00-15:00")),
                field("paperwork", "section"),
                field("mileage", "number"),
                field("licence", "file", most=3, help=words("Both sides.")),
                field("channel", "hidden", value="web", prefill=False),
            ),
            words("Your visit"),
        ),
        StepDefinition(
            "you",
            (
                field("first", "text", to="customer.first_name"),
                field("phone", "phone", max_length=40),
                field("email", "email", max_length=254, help=words("We never share it.")),
                field("home", "address", countries=("PL", "AE"), required=True),
                field("dealer", "dealer"),
                field("comments", "longtext", max_length=2_000),
                field("agreed", "consent", required=True),
            ),
            words("About you"),
        ),
    ),
)


def shown(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "language": "en",
        "answers": {},
        "errors": {},
        "token": "tok",
        "idempotency_key": "key",
        "action": "/forms/drive",
        "utm": {},
        "stylesheet": STYLESHEET,
        "today": TODAY,
    }
    return parsed(render_form(changes.pop("form", FORM), **(values | changes)))


def control(page: Any, name: str) -> Any:
    return page.xpath(f"//*[@name='{name}'][not(@type='hidden')]")[0]


def seen(page: Any, expression: str) -> list[Any]:
    """What isn't hidden, by itself or by something around it."""
    return [e for e in page.xpath(expression) if not e.xpath("ancestor-or-self::*[@hidden]")]


def text_of(element: Any) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


@pytest.mark.parametrize(
    ("name", "tag", "attributes"),
    [
        ("fuel", "input", {"type": "radio"}),
        ("extras", "input", {"type": "checkbox"}),
        ("model", "select", {}),
        ("colour", "select", {}),
        ("day", "input", {"type": "date", "min": "2026-11-23", "max": "2026-12-22"}),
        ("slot", "input", {"type": "radio"}),
        ("mileage", "input", {"type": "text", "inputmode": "decimal", "dir": "ltr"}),
        ("licence", "input", {"type": "file"}),
        ("first", "input", {"type": "text", "autocomplete": "given-name", "dir": "auto"}),
        ("phone", "input", {"type": "tel", "autocomplete": "tel", "dir": "ltr"}),
        ("email", "input", {"type": "email", "autocomplete": "email", "dir": "ltr"}),
        ("home-country", "select", {"autocomplete": "country"}),
        ("home-postcode", "input", {"autocomplete": "postal-code", "dir": "ltr"}),
        ("home-city", "input", {"autocomplete": "address-level2", "dir": "auto"}),
        ("comments", "textarea", {"maxlength": "2000", "dir": "auto"}),
        ("agreed", "input", {"type": "checkbox", "value": "yes"}),
    ],
)
def test_each_type_of_question_has_its_native_control(
    name: str, tag: str, attributes: dict[str, str]
) -> None:
    found = control(shown(), name)
    assert found.tag == tag
    assert {key: found.get(key) for key in attributes} == attributes


def test_a_form_with_a_file_can_send_it() -> None:
    page = shown()
    assert page.xpath("//form/@enctype") == ["multipart/form-data"]
    assert ".pdf" in control(page, "licence").get("accept")
    assert "at most 3 MB" in text_of(page.xpath("//*[@id='licence-help']")[0])


def test_a_file_that_came_with_an_earlier_step_need_not_be_sent_again() -> None:
    page = shown(answers={"licence": "licence.pdf"}, step="visit")
    assert page.xpath("//input[@type='hidden'][@name='licence']/@value") == ["licence.pdf"]
    assert "licence.pdf" in text_of(page.xpath("//*[@data-field='licence']")[0])


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_control_is_named_and_every_group_too(language: str) -> None:
    page = shown(language=language)
    for each in page.xpath("//form//*[self::input or self::select or self::textarea]"):
        if each.get("type") != "hidden":
            assert page.xpath(f"//label[@for='{each.get('id')}']"), each.get("name")
    for group in page.xpath("//form//fieldset"):
        assert text_of(group.find("legend"))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    described = {id for ids in page.xpath("//@aria-describedby") for id in ids.split()}
    assert described <= set(ids)


def test_an_optional_choice_can_be_left_open_again() -> None:
    page = shown(answers={"fuel": "electric"})
    assert page.xpath("//input[@name='charger']/@value") == ["", "home", "work"]
    assert page.xpath("//input[@name='charger'][@checked]/@value") == [""]
    assert page.xpath("//input[@name='fuel']/@value") == ["petrol", "electric"]


def test_answers_fill_the_controls() -> None:
    given = {
        "fuel": "electric",
        "extras": "roof\nhook",
        "model": "corvo/kestrel",
        "comments": "two\nlines",
        "agreed": "yes",
        "channel": "forged",
    }
    page = shown(answers=given)
    chosen = page.xpath("//input[@checked]")
    assert [(c.get("name"), c.get("value")) for c in chosen if c.get("value")] == [
        ("fuel", "electric"),
        ("extras", "roof"),
        ("extras", "hook"),
        ("agreed", "yes"),
    ]
    assert page.xpath("//select[@name='model']//option[@selected]/@value") == ["corvo/kestrel"]
    assert page.xpath("string(//textarea)").strip() == "two\nlines"
    assert page.xpath("//input[@name='channel']/@value") == ["web"], "not for a page to fill"


def test_one_step_is_seen_and_the_others_travel_along() -> None:
    page = shown(step="you", answers={"fuel": "petrol", "mileage": "12"})
    assert [step.get("data-step") for step in seen(page, "//section[@data-step]")] == ["you"]
    assert control(page, "mileage").get("value") == "12"
    assert text_of(page.xpath("//*[@data-progress]")[0]) == "Step 3 of 3"
    assert page.xpath("//section[@data-step='you']/h2/text()") == ["About you"]


@pytest.mark.parametrize(
    ("fuel", "step", "buttons", "progress"),
    [
        ("", "", ["Next"], "Step 1 of 3"),
        ("electric", "car", ["Next"], "Step 1 of 4"),
        ("electric", "charging", ["Next", "Back"], "Step 2 of 4"),
        ("petrol", "charging", ["Next"], "Step 1 of 3"),
        ("petrol", "visit", ["Next", "Back"], "Step 2 of 3"),
        ("petrol", "you", ["Send", "Back"], "Step 3 of 3"),
        ("petrol", "nowhere", ["Next"], "Step 1 of 3"),
    ],
)
def test_buttons_and_progress_follow_the_steps_that_are_walked(
    fuel: str, step: str, buttons: list[str], progress: str
) -> None:
    page = shown(answers={"fuel": fuel}, step=step)
    named = seen(page, "//form//div[@class='buttons']/button")
    assert [text_of(button) for button in named] == buttons
    assert text_of(page.xpath("//*[@data-progress]")[0]) == progress


def test_enter_never_goes_back() -> None:
    first = shown(step="you").xpath("//form//button")[0]
    assert (first.get("name"), first.get("type")) == (None, None)
    assert (first.get("tabindex"), first.get("aria-hidden")) == ("-1", "true")


def test_a_form_of_one_step_has_no_step_words() -> None:
    form = FormDefinition(
        code="x", title=words("X"), steps=(StepDefinition("all", (field("a", "text"),)),)
    )
    page = shown(form=form)
    assert not page.xpath("//*[@data-progress or @data-next or @data-back]")
    assert not page.xpath("//section/h2")


def test_conditions_decide_what_is_seen() -> None:
    assert not seen(shown(answers={"fuel": "petrol"}), "//*[@data-field='charger']")
    assert seen(shown(answers={"fuel": "electric"}), "//*[@data-field='charger']")


def test_the_page_remembers_what_its_visitor_saw() -> None:
    page = shown(step="you", asked=["fuel", "extras"], answers={"home-country": "AE"})
    asked = page.xpath("//input[@name='asked']/@value")[0].split()
    assert asked[:2] == ["fuel", "extras"]
    assert "home-AE" in asked
    assert not {"charger", "channel", "socket"} & set(asked)


def test_sections_group_the_questions_below_them() -> None:
    page = shown(step="visit")
    groups = page.xpath("//fieldset[@data-section]")
    assert [group.get("data-section") for group in groups] == ["when_to_come", "paperwork"]
    assert [text_of(group.find("legend")) for group in groups] == ["When to come", "Paperwork"]
    assert groups[0].xpath(".//*[@data-field]/@data-field") == ["day", "slot"]
    assert groups[0].get("aria-describedby") == "when_to_come-help"


@pytest.mark.parametrize(
    ("country", "parts", "optional"),
    [
        ("PL", ["country", "street", "postcode", "city"], {"street", "city"}),
        ("AE", ["country", "street", "region", "city"], {"street", "city"}),
        ("FR", ["country", "street", "postcode", "city"], {"street", "city"}),
    ],
)
def test_an_address_asks_what_its_country_has(
    country: str, parts: list[str], optional: set[str]
) -> None:
    page = shown(step="you", answers={"home-country": country})
    found = seen(page, "//*[@data-field='home']//*[@data-part]")
    assert found[0].get("data-part") == "country"
    assert {part.get("data-part") for part in found} == set(parts)
    without_need = {p.get("data-part") for p in found if p.xpath(".//*[@class='optional']")}
    assert without_need == optional
    everything = page.xpath("//*[@data-field='home']//*[@data-part]/@data-part")
    assert len(everything) == 5, "a script brings forward what another country asks"


def test_areas_are_chosen_by_their_own_names() -> None:
    page = shown(step="you", language="ar", answers={"home-country": "AE"})
    region = control(page, "home-region")
    assert region.tag == "select"
    assert region.xpath("./option[@value='Dubai']/text()") == ["دبي"]


def test_an_address_in_one_country_does_not_ask_which() -> None:
    form = FormDefinition(
        code="x",
        title=words("X"),
        steps=(StepDefinition("all", (field("home", "address", countries=("PL",)),)),),
    )
    assert not shown(form=form).xpath("//*[@name='home-country']")


def test_an_error_stands_beside_its_question_and_in_the_summary() -> None:
    errors = {"fuel": "Choose one.", "home-city": "Where?", "agreed": "We need your consent."}
    page = shown(step="you", errors=errors)
    (summary,) = page.xpath("//div[@role='alert']")
    assert "autofocus" in summary.attrib
    assert "hidden" not in summary.attrib
    assert [text_of(link) for link in summary.xpath(".//a")] == [
        "Fuel Choose one.",
        "City Where?",
        "We need your consent.",
    ]
    for name, sentence in errors.items():
        assert summary.xpath(f".//a[@href='#{name}']")
        (target,) = page.xpath(f"//*[@id='{name}']")
        assert target.tag in {"input", "select"}, "the link gives it the focus"
        assert text_of(page.xpath(f"//*[@id='{name}-error']")[0]) == sentence
        marked = target.xpath("ancestor-or-self::*[@aria-invalid='true']")
        assert f"{name}-error" in marked[0].get("aria-describedby")


def test_an_error_of_a_hidden_field_is_told_without_a_link() -> None:
    (summary,) = shown(errors={"channel": "Too long."}).xpath("//div[@role='alert']")
    assert text_of(summary.find("ul")) == "Too long."
    assert not summary.xpath(".//a")


def test_without_errors_the_summary_waits_unseen() -> None:
    (summary,) = shown().xpath("//div[@role='alert']")
    assert "hidden" in summary.attrib
    assert "autofocus" not in summary.attrib


def test_scripts_come_only_where_asked_for() -> None:
    page = shown(scripted=True, scripts=["/embed/drive.js"])
    assert page.xpath("//script/@src") == ["/embed/drive.js"]
    assert not shown(scripts=["/embed/drive.js"]).xpath("//script")


@pytest.mark.parametrize(("face", "languages"), [("page", 1), ("frame", 0)])
def test_a_frame_leaves_languages_to_the_page_around_it(face: str, languages: int) -> None:
    page = shown(face=face)
    assert len(page.xpath("//nav//a")) == languages
    assert page.xpath("//body/@class") == [f"lmt-{face}"]


def test_the_fragment_is_the_form_of_the_page() -> None:
    page = shown(language="ar", step="visit", version="7")
    fragment = parsed(
        form_fragment(
            FORM,
            language="ar",
            action="/forms/drive",
            token="tok",
            idempotency_key="key",
            step="visit",
            version="7",
            today=TODAY,
        )
    )
    root = fragment if fragment.get("class") == "lmt-form" else fragment.xpath("//*[@lang]")[0]
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    assert root.xpath(".//h2[@class='title']"), "a page has its own first heading"

    def fields(tree: Any) -> list[tuple[str, str, str]]:
        named = tree.xpath("//form//*[@name]")
        return [
            (e.get("name"), e.tag, e.get("value", "")) for e in named if e.get("name") != "asked"
        ]

    assert fields(fragment) == fields(page)


THANKS = {
    "language": "en",
    "reference": "K7QF-2M9D",
    "status_url": "https://lmt.example/r/abc",
    "dealer": "Aurelia Riyadh",
    "respond_by": datetime(2026, 3, 8, 7, 20, tzinfo=UTC),
    "timezone": "Asia/Riyadh",
}


@pytest.mark.parametrize(
    ("facts", "said", "unsaid"),
    [
        (THANKS, ["Aurelia Riyadh will contact you by", "10:20", "K7QF-2M9D"], ["looking for"]),
        (THANKS | {"respond_by": None}, ["Aurelia Riyadh will contact you."], ["by"]),
        ({"language": "en"}, ["looking for the dealer"], ["reference", "Follow"]),
        ({"language": "en", "known": True}, ["your earlier request"], ["looking for", "Follow"]),
        ({"language": "en", "to_confirm": True}, ["confirm by the link"], []),
    ],
)
def test_thanks_say_what_is_known(facts: Any, said: list[str], unsaid: list[str]) -> None:
    text = text_of(parsed(thanks_fragment(FORM, **facts)))
    for each in said:
        assert each in text
    for each in unsaid:
        assert not re.search(rf"\b{each}\b", text)


def test_thanks_in_the_words_of_the_form() -> None:
    form = FormDefinition.from_json(
        FORM.to_json() | {"thanks": words("See you soon."), "redirect": "https://brand.example/ok"}
    )
    page = parsed(render_thanks(form, stylesheet=STYLESHEET, **THANKS))
    assert "See you soon." in text_of(page)
    assert "https://brand.example/ok" in page.xpath("//a/@href")
    assert page.xpath("//h1")


def test_thanks_in_arabic_keep_names_and_numbers_apart() -> None:
    page = parsed(render_thanks(FORM, stylesheet=STYLESHEET, **(THANKS | {"language": "ar"})))
    assert page.get("dir") == "rtl"
    assert page.xpath("//bdi[1]/text()")[0] == "Aurelia Riyadh"
    assert page.xpath("//*[@class='reference']/@dir") == ["ltr"]


def test_no_theme_adds_nothing() -> None:
    assert theme_rules({}) == ""
    assert style_sheet({}).startswith(":host{all:initial !important;")


@pytest.mark.parametrize(
    ("theme", "said"),
    [
        ({"background": "#111418"}, "color-scheme:only dark"),
        ({"background": "#fff8e7"}, "color-scheme:only light"),
        ({"text": "#222222"}, "color-scheme:only light"),
        ({"accent": "#ffcc00", "background": "#111418"}, "--lmt-on-accent:light-dark(#000000"),
        ({"accent": "#7a0019"}, "--lmt-accent:light-dark(#7a0019,#"),
        ({"radius": "0"}, "--lmt-radius:0px"),
        ({"font": "inherit"}, ".lmt-form{font-family:inherit}"),
    ],
)
def test_what_a_theme_changes(theme: dict[str, str], said: str) -> None:
    assert said in theme_rules(theme)
    if not {"background", "text"} & theme.keys():
        assert "color-scheme" not in theme_rules(theme)
