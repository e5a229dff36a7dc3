"""Texts with places: what may stand in them, and how they read once filled."""

from __future__ import annotations

import pytest

from lmt.i18n import reading
from lmt.placeholders import (
    LONGEST_FILLED,
    LONGEST_TEXT,
    BadText,
    fill,
    missing,
    placeholders_of,
    problem_words,
    problems,
)

KNOWN = ("name", "model", "dealer")
VALUES = {"name": "Jan", "model": "", "dealer": "Aurel <Centrum>"}

FILLED = [
    ("Hello {{ name }},", "Hello Jan,"),
    ("Hello {{name}},", "Hello Jan,"),
    ("Hello {{ model }},", "Hello,"),
    ("The {{ model }} is here", "The is here"),
    ("{{ model }} is here", "is here"),
    ('Your {{ model or "car" }}.', "Your car."),
    ('Your {{ name or "car" }}.', "Your Jan."),
    ("{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}", "Hello Jan,"),
    ("{% if model %}Your {{ model }}{% else %}Your car{% endif %}", "Your car"),
    ("{% if not model %}no model{% endif %}", "no model"),
    ("{% if model %}a{% elif name %}b{% else %}c{% endif %}", "b"),
    ("{% if name and model %}a{% else %}b{% endif %}", "b"),
    ("{% if name or model %}a{% endif %}", "a"),
    ("One\n\n{% if model %}Two{% endif %}\n\nThree", "One\n\nThree"),
    ("One\r\n\r\nTwo", "One\n\nTwo"),
    ("{{ dealer }}", "Aurel <Centrum>"),
    ("100 % {yes} #1", "100 % {yes} #1"),
    ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
    ("سلام {{ model }}، أهلا", "سلام، أهلا"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "filled"), FILLED, ids=range(len(FILLED)))
def test_a_text_is_filled_as_people_would_write_it(text: str, filled: str) -> None:
    assert problems(text, KNOWN) == []
    assert fill(text, VALUES) == filled


REFUSED = [
    ("{{ nome }}", "unknown", "nome", 1),
    ("fine\n{{ name }} {% if nome %}x{% endif %}", "unknown", "nome", 2),
    ("{{ name", "syntax", "{{ name", 1),
    ("{% if name %}x", "syntax", "{% if name %}x", 1),
    ("a\n{{ name.upper() }}", "not_allowed", "{{ name.upper() }}", 2),
    ("{{ name.__class__ }}", "not_allowed", "{{ name.__class__ }}", 1),
    ("{{ name['a'] }}", "not_allowed", "{{ name['a'] }}", 1),
    ("{{ name|upper }}", "not_allowed", "{{ name|upper }}", 1),
    ("{{ 'a' * 999999999 }}", "not_allowed", "{{ 'a' * 999999999 }}", 1),
    ("{{ 7 }}", "not_allowed", "{{ 7 }}", 1),
    ("{{ name ~ model }}", "not_allowed", "{{ name ~ model }}", 1),
    ("{{ name or model }}", "fallback", "{{ name or model }}", 1),
    ("{{ name or 7 }}", "fallback", "{{ name or 7 }}", 1),
    ("{% for x in name %}{% endfor %}", "not_allowed", "{% for x in name %}{% endfor %}", 1),
    ("{% set name = 'x' %}", "not_allowed", "{% set name = 'x' %}", 1),
    ("{% include 'x' %}", "not_allowed", "{% include 'x' %}", 1),
    ("{% macro m() %}{% endmacro %}", "not_allowed", "{% macro m() %}{% endmacro %}", 1),
    ("{% if name == 'x' %}{% endif %}", "condition", "{% if name == 'x' %}{% endif %}", 1),
    ("{% if name() %}{% endif %}", "condition", "{% if name() %}{% endif %}", 1),
    ("{% if name %}" * 4 + "{% endif %}" * 4, "too_deep", None, 1),
    ("{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}", "too_deep", "", 1),
    ("x" * (LONGEST_TEXT + 1), "too_long", "", 1),
]


@pytest.mark.parametrize(
    ("text", "code", "name", "line"), REFUSED, ids=[f"{n}-{r[1]}" for n, r in enumerate(REFUSED)]
)
def test_everything_else_is_refused_with_its_line(
    text: str, code: str, name: str | None, line: int
) -> None:
    found = problems(text, KNOWN)

    assert [(each.code, each.position) for each in found] == [(code, line)]
    assert name is None or found[0].name == name
    if code != "unknown":
        with pytest.raises(BadText):
            fill(text, VALUES)


def test_problems_are_told_in_the_language_of_whoever_wrote_the_text() -> None:
    problem = problems("ok\n{{ nome }}", KNOWN)[0]
    with reading("en"):
        assert problem_words(problem) == "Line 2: there is no variable “nome”."
    with reading("de"):
        assert "nome" in problem_words(problem)


def test_what_is_missing_is_known_before_anybody_reads_it() -> None:
    text = "{{ name }} {{ model }} {{ model or 'car' }} {% if model %}{{ dealer }}{% endif %}"

    assert missing(text, {"name": "Jan"}) == ["model"]
    assert missing("{% if model %}{{ model }}{% endif %}", {}) == []
    assert fill(text, {"name": "Jan"}, gap=lambda name: f"[{name}]") == "Jan [model] car"
    assert placeholders_of(text) == {"name", "model", "dealer"}


def test_what_comes_out_is_bounded_and_values_are_never_read_again() -> None:
    assert fill("{{ name }}", {"name": "{{ dealer }}{% if x %}"}) == "{{ dealer }}{% if x %}"
    long = fill("{{ name }} " * 900, {"name": "x" * 100_000})
    assert len(long) <= LONGEST_FILLED
