"""What the address of a page brings along: answers to begin with, and how the visitor came here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from lmt.embed.origins import origin_of
from lmt.forms.answers import given_answers
from lmt.forms.definition import CAMPAIGN_KEYS, FormDefinition
from lmt.forms.fields import CLICK_KEYS
from lmt.forms.rules import problems
from lmt.ingest.characters import clean_line

LONGEST = 500
LONGEST_ADDRESS = 2_000
_ADDRESSES = frozenset({"referrer", "landing_page"})
_NEVER = frozenset({"consent", "file", "section"})
"""What only the visitor says."""


def campaign(values: Mapping[str, str]) -> dict[str, str]:
    """The campaign inputs and click ids among `values`, each on a line and cut to its length."""
    found = {}
    for key in (*CAMPAIGN_KEYS, *CLICK_KEYS):
        most = LONGEST_ADDRESS if key in _ADDRESSES else LONGEST
        if text := clean_line(values.get(key, "")[:most]):
            found[key] = text
    return found


def came_from(values: Mapping[str, str], referrer: str, base_url: str) -> dict[str, str]:
    """The same, and the page that led here where neither the address says so nor it is ours."""
    found = campaign(values)
    if referrer and origin_of(referrer) != origin_of(base_url):
        found.setdefault("referrer", clean_line(referrer[:LONGEST_ADDRESS]))
    return found


def prefilled(
    definition: FormDefinition, values: Mapping[str, Sequence[str]], today: date
) -> dict[str, str]:
    """Answers that the page was asked for with: of fields that may be filled so, and only what
    the visitor could have answered, too. A consent and a file are never among them."""
    allowed = {
        name
        for item in definition.fields
        if item.prefill and item.type not in _NEVER
        for name in item.inputs
        if any(values.get(name, ()))
    }
    given = given_answers(definition, lambda name: values[name] if name in allowed else ())
    found = {name: given[name] for name in allowed if given[name]}
    wrong = problems(definition, found, today)
    return {name: text for name, text in found.items() if name not in wrong}
