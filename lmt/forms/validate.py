"""Are the answers to a form good enough to be a lead? Each problem in the visitor's words."""

from __future__ import annotations

from datetime import date

from lmt.forms.answers import Answers
from lmt.forms.definition import FormDefinition
from lmt.forms.problemwords import problem_words
from lmt.forms.rules import problems


def check(
    definition: FormDefinition, answers: Answers, language: str, today: date
) -> dict[str, str]:
    """What is wrong, by name of the input, in the form's order and `language`; empty when all is
    well. `today` is the day at the visitor's."""
    found = problems(definition, answers, today)
    return {
        name: problem_words(found[name], item, definition, language)
        for item in definition.fields
        for name in item.inputs
        if name in found
    }
