"""Answers as they are read from a page or a request, and as a condition or a lead asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lmt.forms.definition import FormDefinition
from lmt.forms.digits import number_text, with_ascii_digits
from lmt.forms.fields import FieldDefinition

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

    A hidden field that the page may not fill keeps the value that its form gives it; one that it
    may, but didn't, has that too. A file also has its size in bytes, as `<key>-size`. Reading the
    answers once more changes nothing.
    """
    found: dict[str, str] = {}
    for item in definition.fields:
        if item.type == "hidden" and not item.prefill:
            found[item.key] = cleaned(item.value)
            continue
        for name in item.inputs:
            found[name] = normalised(item, name, values_of(name))
        if item.type == "hidden":
            found[item.key] = found[item.key] or cleaned(item.value)
        elif item.type == "file":
            name = f"{item.key}-size"
            found[name] = normalised(item, name, values_of(name))
        elif len(item.countries) == 1:
            found[f"{item.key}-country"] = item.countries[0]
    return found


def normalised(item: FieldDefinition, name: str, values: Sequence[str]) -> str:
    """What was sent for one input as it counts: cleaned, several options joined, a number and the
    digits of a postcode in ASCII. Of several values of any other field the first."""
    if item.type == "choices":
        lines = [cleaned(line) for value in values for line in cleaned(value).split("\n")]
        return "\n".join(line for line in lines if line)
    text = cleaned(values[0]) if values else ""
    if item.type == "postcode" or name == f"{item.key}-postcode":
        return with_ascii_digits(text)
    return number_text(text) if item.type == "number" else text


def shown_fields(definition: FormDefinition, answers: Answers) -> frozenset[str]:
    """The keys of the fields that are asked, given the answers: top to bottom, as conditions look
    at earlier fields only. A field that isn't asked has no answer for those below it."""
    asked: set[str] = set()
    by_key = {item.key: item for item in definition.fields}

    def answered(key: str) -> str:
        inputs = by_key[key].inputs if key in asked else ()
        return answers.get(inputs[0], "") if inputs else ""

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
