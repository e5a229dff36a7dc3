"""What a form lacks before visitors may see it: found, weighed, and told in whole sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmt.config import LOCALES
from lmt.forms.contrast import TEXT_RATIO, contrast, passing
from lmt.forms.defaults import BrandModels, contact_form
from lmt.forms.definition import FormDefinition
from lmt.forms.findings import Finding, findings
from lmt.forms.findingwords import finding_words
from lmt.forms.reachable import never_shown
from lmt.forms.texts import texts_of
from lmt.i18n import reading

BRANDS = [BrandModels("aurel", "Aurel", [("mira", "Mira")])]
NAME = {"key": "name", "type": "name", "label": {"en": "Name", "pl": "Imię"}, "required": True}
PHONE = {"key": "phone", "type": "phone", "label": {"en": "Phone", "pl": "Telefon"}}
CITY = {"key": "city", "type": "city", "label": {"en": "City", "pl": "Miasto"}}
WISH = {
    "key": "wish", "type": "choice", "label": {"en": "Wish", "pl": "Życzenie"},
    "options": [{"id": "a", "label": {"": "A"}}, {"id": "b", "label": {"": "B"}}],
}  # fmt: skip
AGREE = {
    "key": "agree",
    "type": "consent",
    "label": {"en": "Yes", "pl": "Tak"},
    "purpose": "contact",
}
COUNT = {"key": "count", "type": "number", "label": {"en": "Count", "pl": "Ile"}, "most": 9}


def form(*fields: Mapping[str, Any], **changes: Any) -> FormDefinition:
    return FormDefinition.from_json(
        {
            "code": "f",
            "title": {"en": "Form", "pl": "Formularz"},
            "languages": ["en", "pl"],
            "default_language": "en",
            "steps": [{"key": "one", "fields": list(fields)}],
            **changes,
        }
    )


def codes(definition: FormDefinition) -> list[tuple[str, str, str]]:
    return [(each.code, each.severity, each.where) for each in findings(definition)]


def when(asked: Mapping[str, Any], **condition: Any) -> dict[str, Any]:
    return {**asked, "shown_when": condition}


def test_the_ready_made_form_lacks_nothing() -> None:
    for language in LOCALES:
        made = contact_form("c", countries=["PL", "DE"], brands=BRANDS, default_language=language)
        assert codes(made) == []


CASES: dict[str, tuple[FormDefinition, list[tuple[str, str, str]]]] = {
    "in order": (form(NAME, PHONE, CITY, WISH, AGREE), []),
    "nothing asked": (form(), [("no_fields", "error", "form")]),
    "nobody could be reached": (form(NAME, CITY), [("reach", "error", "form")]),
    "no place": (form(NAME, PHONE), [("no_place", "warning", "form")]),
    "a dealer is a place": (
        form(PHONE, {"key": "dealer", "type": "dealer", "label": {"": "Dealer"}}), []),
    "no title": (
        form(PHONE, CITY, title={}),
        [("no_title", "error", "form"), ("untranslated", "warning", "texts"),
         ("untranslated", "warning", "texts")]),
    "a label is missing": (
        form(PHONE, {**CITY, "label": {}}),
        [("no_label", "error", "field/city"), ("untranslated", "warning", "texts"),
         ("untranslated", "warning", "texts")]),
    "a translation is missing": (
        form(PHONE, {**CITY, "label": {"en": "City"}}), [("untranslated", "warning", "texts")]),
    "a consent without words": (
        form(PHONE, CITY, {**AGREE, "label": {}}),
        [("consent_text", "error", "field/agree"), ("untranslated", "warning", "texts"),
         ("untranslated", "warning", "texts")]),
    "a consent in another language only": (
        form(PHONE, CITY, {**AGREE, "label": {"en": "Yes"}}),
        [("consent_language", "error", "field/agree"), ("untranslated", "warning", "texts")]),
    "a consent to nothing": (
        form(PHONE, CITY, {**AGREE, "purpose": " "}),
        [("consent_purpose", "error", "field/agree")]),
    "one option": (
        form(PHONE, CITY, {**WISH, "options": WISH["options"][:1]}),
        [("one_option", "warning", "field/wish")]),
    "a hidden field for nothing": (
        form(PHONE, CITY, {"key": "h", "type": "hidden", "prefill": False}),
        [("hidden_empty", "warning", "field/h")]),
    "many fields": (
        form(PHONE, CITY, *({**NAME, "key": f"n{i}"} for i in range(11))),
        [("many_fields", "warning", "step/one")]),
    "a long label": (
        form(PHONE, {**CITY, "label": {"": "x" * 151}}), [("long_label", "warning", "field/city")]),
    "required and never shown": (
        form(PHONE, CITY, WISH, when(NAME, field="wish", **{"is": ["c"]})),
        [("never_field", "error", "field/name")]),
    "never shown": (
        form(PHONE, CITY, WISH, when(COUNT, field="wish", **{"is": ["c"]})),
        [("never_field", "warning", "field/count")]),
    "pale text": (
        form(PHONE, CITY, theme={"text": "#999999"}), [("contrast_text", "error", "theme")]),
    "a pale accent": (
        form(PHONE, CITY, theme={"accent": "#ffee88"}), [("contrast_accent", "error", "theme")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_findings(case: str) -> None:
    definition, expected = CASES[case]
    assert codes(definition) == expected
    for language in LOCALES:
        with reading(language):
            for each in findings(definition):
                words = finding_words(each, "Miasto")
                assert "%(" not in words
                assert words.strip()


def test_steps_of_a_form_of_several_need_titles_and_questions() -> None:
    steps = [
        {"key": "one", "fields": [PHONE, CITY]},
        {"key": "two", "title": {"": "II"}, "fields": []},
    ]
    found = codes(form(steps=steps))
    assert ("no_step", "warning", "step/one") in found
    assert ("empty_step", "warning", "step/two") in found


REACH: list[tuple[str, dict[str, Any], bool]] = [
    ("an option", {"field": "wish", "is": ["a", "zzz"]}, True),
    ("no option", {"field": "wish", "is": ["zzz"]}, False),
    ("anything but", {"field": "wish", "is_not": ["a"]}, True),
    ("answered", {"field": "wish", "filled": ["yes"]}, True),
    ("ticked", {"field": "agree", "is": ["yes"]}, True),
    ("ticked otherwise", {"field": "agree", "is": ["true"]}, False),
    ("up to", {"field": "count", "at_least": ["9"]}, True),
    ("beyond", {"field": "count", "at_least": ["10"]}, False),
    ("a word compared", {"field": "name", "at_least": ["1"]}, False),
    ("a fixed value", {"field": "fixed", "is": ["PL"]}, True),
    ("another value", {"field": "fixed", "is": ["DE"]}, False),
    ("a fixed value empty", {"field": "fixed", "filled": ["no"]}, False),
    ("of one never shown", {"field": "never", "filled": ["yes"]}, False),
    ("of one never shown, empty", {"field": "never", "filled": ["no"]}, True),
    ("both", {"all": [{"field": "wish", "is": ["a"]}, {"field": "wish", "is": ["b"]}]}, False),
    ("either", {"any": [{"field": "wish", "is": ["c"]}, {"field": "wish", "is": ["b"]}]}, True),
    ("neither", {"any": [{"field": "wish", "is": ["c"]}, {"field": "wish", "is": ["d"]}]}, False),
]


@pytest.mark.parametrize(("case", "condition", "reached"), REACH, ids=[c for c, _w, _r in REACH])
def test_a_question_that_nobody_can_reach(
    case: str, condition: dict[str, Any], reached: bool
) -> None:
    definition = form(
        {"key": "head", "type": "section", "label": {"": "H"}}, NAME, WISH, AGREE, COUNT,
        {"key": "fixed", "type": "hidden", "value": "PL", "prefill": False},
        when(CITY | {"key": "never"}, field="wish", **{"is": ["zzz"]}),
        {**PHONE, "shown_when": condition},
    )  # fmt: skip
    _steps, fields = never_shown(definition)
    assert ("phone" not in fields) == reached, case


def test_what_stands_below_a_heading_or_in_a_step_never_shown_isnt_shown() -> None:
    never = {"field": "wish", "is": ["zzz"]}
    definition = form(steps=[
        {"key": "one", "fields": [WISH, {"key": "head", "type": "section", "shown_when": never},
                                  NAME]},
        {"key": "two", "shown_when": never, "fields": [PHONE]},
    ])  # fmt: skip
    assert never_shown(definition) == (
        frozenset({"two"}), frozenset({"head", "name", "phone"}),
    )  # fmt: skip


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_a_suggested_colour_passes_and_one_that_passes_is_left(colour: int, other: int) -> None:
    one, against = f"#{colour:06x}", f"#{other:06x}"
    # Black or white passes on any colour, so there is always something to suggest.
    assert contrast(passing(one, against, TEXT_RATIO), against) >= TEXT_RATIO
    if contrast(one, against) >= TEXT_RATIO:
        assert passing(one, against, TEXT_RATIO) == one


def test_a_suggestion_mends_what_was_found() -> None:
    definition = form(PHONE, CITY, theme={"text": "#aaaaaa", "accent": "#eeeeee"})
    mended = {f.facts["token"]: f.facts["suggested"] for f in findings(definition)}
    assert findings(replace(definition, theme=mended)) == ()


def test_every_text_is_listed_and_what_is_missing() -> None:
    definition = form(
        PHONE, {**CITY, "help": {"en": "Where you live"}}, WISH, intro={"pl": "Cześć"}
    )
    texts = {text.path: text for text in texts_of(definition.to_json())}
    assert "field/wish/option/a" in texts
    assert not texts["field/wish/option/a"].is_missing("pl"), "it holds for every language"
    assert texts["field/city/help"].is_missing("pl")
    assert texts["form/intro"].is_missing("en")
    assert not texts["form/thanks"].is_missing("en"), "nobody wrote one, and none is needed"


def test_words_for_a_code_nobody_knows_are_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        finding_words(Finding("unheard_of", "error", "form"), "")
