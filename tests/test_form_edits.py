"""Edits of a draft: what each does, what it refuses, and that no sequence of them breaks a form."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FIELD_TYPES
from lmt.hq import formedits as edits
from lmt.hq.draftconditions import Row, Rows, as_rows, from_rows
from lmt.hq.draftfields import blank_field
from lmt.hq.formedits import BadEdit, Draft

COUNTRIES = ["SA", "AE"]
MODELS = [{"id": "aurel/mira", "label": {"": "Mira"}}]


def new_draft() -> Draft:
    draft = edits.begun({}, code="drive", languages=["en", "pl"], default_language="pl")
    return edits.add_step(draft, {"en": "You"})


def with_fields(*kinds: str, step: str = "step-1") -> Draft:
    draft = new_draft()
    for kind in kinds:
        draft = edits.add_field(draft, step, blank(draft, kind))
    return draft


def blank(draft: Draft, kind: str) -> dict[str, Any]:
    taken = [item["key"] for each in draft["steps"] for item in each["fields"]]
    return blank_field(kind, taken, MODELS if kind == "model" else _countries(kind), COUNTRIES)


def _countries(kind: str) -> list[dict[str, Any]]:
    return [{"id": c, "label": {"": c}} for c in COUNTRIES] if kind == "country" else []


def keys(draft: Draft) -> list[list[str]]:
    return [[item["key"] for item in step["fields"]] for step in draft["steps"]]


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_a_blank_field_of_every_type_can_be_shown_at_once(kind: str) -> None:
    draft = with_fields(kind, kind)
    assert keys(draft) == [[kind, f"{kind}_1"], []]
    assert FormDefinition.from_json(draft).fields[0].type == kind


def test_a_draft_begins_with_what_it_takes_to_show_it() -> None:
    draft = edits.begun({}, code="x", languages=["ar", "en"], default_language="ar")
    assert FormDefinition.from_json(draft).steps[0].fields == ()
    assert draft["default_language"] == "ar"
    kept = edits.begun(
        {"languages": ["de"], "fields": [{"key": "name", "type": "name"}]},
        code="x", languages=["ar"], default_language="ar",
    )  # fmt: skip
    assert (kept["languages"], kept["default_language"], keys(kept)) == (["de"], "de", [["name"]])


def test_fields_move_within_and_between_steps() -> None:
    draft = with_fields("text", "name", "email")
    assert keys(edits.move_field(draft, "email", "step-1", 0)) == [["email", "text", "name"], []]
    assert edits.nudged(draft, "email", down=True) == ("step-2", 0)
    assert edits.nudged(draft, "text", down=False) is None
    moved = edits.move_field(draft, "email", "step-2", 0)
    assert keys(moved) == [["text", "name"], ["email"]]
    assert edits.nudged(moved, "email", down=False) == ("step-1", 2)
    assert keys(draft) == [["text", "name", "email"], []], "the former draft is as it was"


def conditional() -> Draft:
    draft = with_fields("choice", "text")
    return edits.set_field(draft, "text", {"shown_when": {"field": "choice", "is": ["option-1"]}})


def test_what_depends_on_a_field_stays_below_it() -> None:
    draft = conditional()
    with pytest.raises(BadEdit) as refused:
        edits.move_field(draft, "text", "step-1", 0)
    assert (refused.value.code, refused.value.facts) == ("below", {"part": "text", "by": "choice"})
    with pytest.raises(BadEdit):
        edits.move_field(draft, "choice", "step-2", 0)


def test_a_field_takes_the_conditions_on_it_along() -> None:
    draft = conditional()
    draft = edits.set_step(draft, "step-2", {"shown_when": {"all": [
        {"field": "choice", "filled": ["yes"]}, {"field": "text", "filled": ["yes"]},
    ]}})  # fmt: skip
    assert edits.shown_by(draft, ["choice"]) == ("text", "step-2")
    left = edits.remove_field(draft, "choice")
    assert edits.field_of(left, "text").get("shown_when") is None
    assert edits.step_of(left, "step-2")["shown_when"] == {
        "all": [{"field": "text", "filled": ["yes"]}]
    }
    renamed = edits.set_field(draft, "choice", {"key": "wish"})
    assert edits.field_of(renamed, "text")["shown_when"]["field"] == "wish"


def test_options_keep_their_ids_once_they_have_words() -> None:
    draft = with_fields("choice")
    named = edits.set_field(draft, "choice", {"options": [
        {"id": "option-1", "label": {"en": "Test drive"}},
        {"id": "option-2", "label": {}},
        {"id": "", "label": {"en": "Test drive"}},
    ]})  # fmt: skip
    ids = [option["id"] for option in edits.field_of(named, "choice")["options"]]
    assert ids == ["test-drive", "option-2", "test-drive-1"]
    again = edits.set_field(named, "choice", {"options": [
        {"id": "test-drive", "label": {"en": "A drive", "pl": "Jazda"}},
        {"id": "test-drive-1", "label": {}},
    ]})  # fmt: skip
    options = edits.field_of(again, "choice")["options"]
    assert [(o["id"], o["label"]) for o in options] == [
        ("test-drive", {"en": "A drive", "pl": "Jazda"}),
        ("test-drive-1", {"en": "Test drive"}),
    ]


Refusal = tuple[str, Callable[[Draft], Draft]]
REFUSED: list[Refusal] = [
    ("gone", lambda d: edits.remove_field(d, "nobody")),
    ("gone", lambda d: edits.add_field(d, "nowhere", {"key": "a", "type": "text"})),
    ("taken", lambda d: edits.add_field(d, "step-1", {"key": "text", "type": "text"})),
    ("taken", lambda d: edits.set_field(d, "text", {"key": "number"})),
    ("key", lambda d: edits.set_field(d, "text", {"key": "Not a key"})),
    ("key", lambda d: edits.set_field(d, "text", {"key": "form_token"})),
    ("bounds", lambda d: edits.set_field(d, "number", {"least": 3, "most": 2})),
    ("length", lambda d: edits.set_field(d, "text", {"max_length": 9_000})),
    ("retention", lambda d: edits.set_field(d, "text", {"retention_days": 0})),
    ("file_size", lambda d: edits.set_field(d, "file", {"most": 50})),
    ("no_options", lambda d: edits.set_field(d, "choice", {"options": []})),
    ("option_id", lambda d: edits.set_field(d, "choice",
                                            {"options": [{"id": "no space", "label": {}}]})),
    ("no_country_chosen", lambda d: edits.set_field(d, "address", {"countries": []})),
    ("below", lambda d: edits.set_field(d, "text", {"shown_when": {"field": "file",
                                                                   "filled": ["yes"]}})),
    ("languages", lambda d: edits.set_form(d, {"languages": []})),
    ("default_language", lambda d: edits.set_form(d, {"languages": ["de"]})),
    ("redirect", lambda d: edits.set_form(d, {"redirect": "javascript:alert(1)"})),
    ("theme", lambda d: edits.set_form(d, {"theme": {"accent": "red"}})),
    ("last_step", lambda d: edits.remove_step(edits.remove_step(d, "step-2"), "step-1")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "edit"), REFUSED, ids=[f"{n}-{code}" for n, (code, _edit) in enumerate(REFUSED)]
)
def test_an_edit_that_cannot_be_says_why(code: str, edit: Callable[[Draft], Draft]) -> None:
    draft = with_fields("text", "number", "choice", "address", "file")
    before = copy.deepcopy(draft)
    with pytest.raises(BadEdit) as refused:
        edit(draft)
    assert refused.value.code == code
    assert draft == before


def test_words_are_laid_over_and_taken_away_by_language() -> None:
    draft = edits.set_field(with_fields("text"), "text", {"label": {"en": " Name ", "pl": "Imię"}})
    draft = edits.set_field(draft, "text", {"label": {"en": ""}})
    assert edits.field_of(draft, "text")["label"] == {"pl": "Imię"}
    draft = edits.set_texts(
        draft,
        {
            ("field/text/label", "ar"): "الاسم",
            ("step/step-2/title", "pl"): "Ty",
            ("form/thanks", "pl"): "Dziękujemy",
            ("field/gone/label", "pl"): "Nic",
        },
    )
    assert edits.field_of(draft, "text")["label"] == {"pl": "Imię", "ar": "الاسم"}
    assert edits.step_of(draft, "step-2")["title"] == {"en": "You", "pl": "Ty"}
    assert draft["thanks"] == {"pl": "Dziękujemy"}
    fewer = edits.set_form(draft, {"languages": ["en"], "default_language": "en"})
    assert edits.field_of(fewer, "text")["label"]["ar"] == "الاسم", "it may come back"


def test_rows_and_conditions_are_each_other() -> None:
    rows = Rows("any", (Row("a", "is", ("x", "y")), Row("b", "filled", ("no",))))
    assert as_rows(from_rows(rows)) == rows
    assert from_rows(Rows("all", (Row(),))) is None
    assert as_rows(from_rows(Rows("any", (Row("a", "at_least", ("3",)),)))) == Rows(
        "all", (Row("a", "at_least", ("3",)),)
    )
    nested = {"all": [{"any": [{"field": "a", "filled": ["yes"]}]}]}
    assert as_rows(nested) is None


@st.composite
def steps_taken(draw: st.DrawFn) -> list[tuple[str, int, int, str]]:
    acts = st.sampled_from(("add", "step", "move", "drop", "drop-step", "when", "say", "rename"))
    numbers = st.integers(0, 7)
    texts = st.text("aб ع", max_size=4)
    return draw(st.lists(st.tuples(acts, numbers, numbers, texts), max_size=25))


@settings(max_examples=150, deadline=None)
@given(steps_taken())
def test_no_sequence_of_edits_leaves_a_draft_that_cannot_be_shown(
    acts: list[tuple[str, int, int, str]],
) -> None:
    draft = new_draft()
    said: dict[str, str] = {}
    for act, one, other, text in acts:
        fields = [item["key"] for step in draft["steps"] for item in step["fields"]]
        steps = [step["key"] for step in draft["steps"]]
        key = fields[one % len(fields)] if fields else ""
        step = steps[other % len(steps)]
        before = copy.deepcopy(draft)
        try:
            if act == "add":
                draft = edits.add_field(
                    draft, step, blank(draft, FIELD_TYPES[(one * 8 + other) % 20])
                )
            elif act == "step":
                draft = edits.add_step(draft, {"en": text}, after=step)
            elif act == "move":
                draft = edits.move_field(draft, key, step, one)
            elif act == "drop":
                draft = edits.remove_field(draft, key)
                said.pop(key, None)
            elif act == "drop-step":
                inside = [item["key"] for item in edits.step_of(draft, step)["fields"]]
                draft = edits.remove_step(draft, step)
                said = {k: v for k, v in said.items() if k not in inside}
            elif act == "when":
                by = fields[other % len(fields)] if fields else ""
                draft = edits.set_field(
                    draft, key, {"shown_when": {"field": by, "filled": ["yes"]}}
                )
            elif act == "say":
                draft = edits.set_field(draft, key, {"label": {"pl": text}})
                said[key] = text.strip()
            else:
                draft = edits.set_field(draft, key, {"key": f"renamed_{other}"})
                if key in said:
                    said[f"renamed_{other}"] = said.pop(key)
        except BadEdit:
            assert draft == before
        FormDefinition.from_json(draft)
    for key, words in said.items():
        assert edits.field_of(draft, key)["label"].get("pl", "") == words
