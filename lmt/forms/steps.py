"""Which steps of a form a visitor walks, and what they are shown on each, given their answers."""

from __future__ import annotations

from lmt.forms.answers import Answers, shown_fields
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import FieldDefinition

UNSEEN_TYPES = frozenset({"section", "hidden"})
"""Types of fields that nobody is asked by themselves."""


def walked_steps(definition: FormDefinition, answers: Answers) -> tuple[StepDefinition, ...]:
    """The steps that ask something, in order; the first one where none does."""
    asked = shown_fields(definition, answers)
    walked = tuple(
        step
        for step in definition.steps
        if any(item.key in asked and item.type not in UNSEEN_TYPES for item in step.fields)
    )
    return walked or definition.steps[:1]


def step_named(definition: FormDefinition, answers: Answers, key: str) -> StepDefinition:
    """The walked step of this key, else the first."""
    walked = walked_steps(definition, answers)
    return next((step for step in walked if step.key == key), walked[0])


def questions_on(
    definition: FormDefinition, step: StepDefinition, answers: Answers
) -> dict[str, FieldDefinition]:
    """What a visitor sees on a step: the question by the name that the page remembers it under.

    An address asks other things in each country, so each country's is another question.
    """
    asked = shown_fields(definition, answers)
    return {
        question_name(item, answers): item
        for item in step.fields
        if item.key in asked and item.type not in UNSEEN_TYPES
    }


def question_name(item: FieldDefinition, answers: Answers) -> str:
    return f"{item.key}-{country_of(item, answers)}" if item.countries else item.key


def country_of(item: FieldDefinition, answers: Answers) -> str:
    """The country that an address is asked for: the one chosen, else the form's first."""
    chosen = answers.get(f"{item.key}-country", "")
    return chosen if chosen in item.countries else item.countries[0]
