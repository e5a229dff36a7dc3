"""Answers as they are read from a page or a request, and as a condition or a lead asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lmt.forms.definition import FormDefinition

Answers = Mapping[str, str]
"""By the name of the input; several options of one field are joined by a line feed."""

SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What is cut off around an answer, in the browser as here: neither language's own notion."""


def cleaned(text: str) -> str:
    """A text as it counts: lines end in a line feed, nothing blank around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(SPACES)


def given_answers(
    definition: FormDefinition, values_of: Callable[[str], Sequence[str]]
) -> dict[str, str]:
    """The answers among what was sent; `values_of` gives all values sent under a name.

    A hidden field that the page may not fill keeps the value that its form gives it.
    """
    found: dict[str, str] = {}
    for item in definition.fields:
        if item.type == "hidden" and not item.prefill:
            found[item.key] = item.value
            continue
        for name in item.inputs:
            values = [cleaned(value) for value in values_of(name)]
            text = "\n".join(value for value in values if value) if item.type == "choices" else ""
            found[name] = text or (values[0] if values else "")
        if len(item.countries) == 1:
            found[f"{item.key}-country"] = item.countries[0]
    return found


def shown_fields(definition: FormDefinition, answers: Answers) -> frozenset[str]:
    """The keys of the fields that are asked, given the answers: top to bottom, as conditions look
    at earlier fields only. A field that isn't asked has no answer for those below it."""
    asked: set[str] = set()
    by_key = {item.key: item for item in definition.fields}

    def answered(key: str) -> str:
        return answers.get(by_key[key].inputs[0], "") if key in asked else ""

    for step in definition.steps:
        if step.shown_when is not None and not step.shown_when.holds(answered):
            continue
        section_shown = True
        for item in step.fields:
            shown = item.shown_when is None or item.shown_when.holds(answered)
            if item.type == "section":
                section_shown = shown
            if shown and section_shown:
                asked.add(item.key)
    return frozenset(asked)
