"""Browser and server decide alike: the real JavaScript in Chromium against Python."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, sync_playwright

import lmt.forms
from lmt.forms.answers import cleaned, given_answers, shown_fields
from lmt.forms.definition import FormDefinition
from lmt.forms.digits import ZEROS
from lmt.forms.fields import FIELD_TYPES
from lmt.forms.pagefacts import page_facts
from lmt.forms.rules import problems
from lmt.forms.validate import check
from tests.generatedforms import LANGUAGES, TODAY, answered_forms, edges
from tests.test_browser import QUIET

pytestmark = pytest.mark.browser

CASES = int(os.environ.get("LMT_FORM_CASES", "600"))
RULES = (Path(lmt.forms.__file__).parent / "static" / "rules.js").read_text()
# One string in and one out: quicker than letting the browser's own protocol copy every value.
DECIDE = """(told) => {
  const {facts, several} = JSON.parse(told);
  return JSON.stringify(several.map((answers) => {
    const problems = Object.entries(LmtRules.problems(facts, answers));
    return {
      given: Array.from(LmtRules.given(facts, answers)),
      shown: LmtRules.shown(facts, answers),
      problems: problems.map(([name, why]) => [name, why.code, why.facts]),
      words: problems.map(([name, why]) => LmtRules.words(facts, name, why)),
    };
  }));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=installed, args=QUIET)
        page = browser.new_page()
        page.add_script_tag(content=RULES)
        yield page
        browser.close()


def in_the_browser(
    page: Page, form: FormDefinition, answers: Sequence[dict[str, str]], language: str
) -> list[dict[str, Any]]:
    told = json.dumps({"facts": page_facts(form, language, TODAY), "several": answers})
    return json.loads(page.evaluate(DECIDE, told))


def on_the_server(form: FormDefinition, answers: dict[str, str], language: str) -> dict[str, Any]:
    counted = given_answers(form, lambda name: [answers.get(name, "")])
    asked = shown_fields(form, counted)
    return {
        "given": [[name, text] for name, text in counted.items()],
        "shown": [item.key for item in form.fields if item.key in asked],
        "problems": [
            [name, problem.code, dict(problem.facts)]
            for name, problem in problems(form, answers, TODAY).items()
        ],
        "words": list(check(form, answers, language, TODAY).values()),
    }


@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(answered=answered_forms(), language=st.sampled_from(LANGUAGES))
def test_browser_and_server_agree(
    page: Page, answered: tuple[FormDefinition, dict[str, str]], language: str
) -> None:
    form, answers = answered
    (told,) = in_the_browser(page, form, [answers], language)
    assert told == on_the_server(form, answers, language)


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_they_agree_where_a_rule_begins_and_ends(page: Page, kind: str) -> None:
    form, several = edges(kind)
    told = in_the_browser(page, form, several, "en")
    for answers, decided in zip(several, told, strict=True):
        assert decided == on_the_server(form, answers, "en"), answers


def test_they_cut_off_the_same_blanks(page: Page) -> None:
    cut = page.evaluate(
        """() => Array.from({length: 0x10000}, (_, code) => code)
          .filter((code) => !LmtRules.cleaned(String.fromCharCode(code)))"""
    )
    assert cut == [code for code in range(0x10000) if not cleaned(chr(code))]


def test_they_know_the_same_digits(page: Page) -> None:
    facts = {"fields": [{"key": "n", "type": "number", "inputs": ["n"]}], "steps": []}
    written = ["".join(chr(zero + value) for value in range(10)) for zero in ZEROS]
    read = page.evaluate(
        "([facts, texts]) => texts.map(n => LmtRules.given(facts, {n}).get('n'))", [facts, written]
    )
    assert set(read) == {"0123456789"}
