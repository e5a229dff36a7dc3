"""Does a submission look like a machine's? Then a person looks at it before any dealer does.

Pure: from what is known of the submission to the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lmt.forms.definition import FormDefinition

REASONS = ("honeypot", "token_missing", "token_forged", "origin", "rate", "text")

MOST_LINKS = 2
"""That somebody may put into a message; who sells something puts more."""
ALIKE = 3
"""So many fields with one and the same text were filled by no person."""
_LINK = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)
_NAMES = frozenset({"full_name", "first_name", "last_name", "company"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one submission. `token` is one of `lmt.forms.token.PROBLEMS` or None;
    `answers` are those to the form's fields."""

    honeypot: str = ""
    token: str | None = None
    foreign_origin: bool = False
    over_rate: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)


def reasons(definition: FormDefinition, facts: Facts) -> tuple[str, ...]:
    """Why a person should look at it, in the order of REASONS; () for a person's submission."""
    found = {
        "honeypot": bool(facts.honeypot),
        "token_missing": facts.token == "missing",
        "token_forged": facts.token == "forged",
        "origin": facts.foreign_origin,
        "rate": facts.over_rate,
        "text": is_machine_text(definition, facts.answers),
    }
    return tuple(reason for reason in REASONS if found[reason])


def is_machine_text(definition: FormDefinition, answers: Mapping[str, str]) -> bool:
    """A link in a name, many in a message, or the same words in every field."""
    written: list[str] = []
    for item in definition.fields:
        text = answers.get(item.key, "")
        if not text or item.type not in {"text", "longtext", "name", "city"}:
            continue
        written.append(text.casefold())
        links = len(_LINK.findall(text))
        if links > (0 if _is_name(item.type, item.place) else MOST_LINKS):
            return True
    return len(written) >= ALIKE and len(set(written)) == 1


def _is_name(kind: str, place: str) -> bool:
    section, _, name = place.partition(".")
    return kind in {"name", "city"} or (section == "customer" and name in _NAMES)
