"""Every text of a form, one by one, as translators and checks go through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lmt.forms.fields import Words

FORM_TEXTS = ("title", "intro", "submit", "thanks")
FIELD_TEXTS = ("label", "help", "error")


@dataclass(frozen=True, slots=True)
class FormText:
    """`path` finds it again: `form/title`, `step/KEY/title`, `field/KEY/help`,
    `field/KEY/option/ID`.

    `owner` is the key of its step or field, "" for the form's own; `kind` is title, intro, submit,
    thanks, step, label, help, error or option. `needed`: it can't be left out.
    """

    path: str
    kind: str
    owner: str
    words: Words
    needed: bool

    def is_missing(self, language: str) -> bool:
        """Does a reader of this language get another one's text, or none where one is needed?

        What is nowhere filled and needn't be is not missing.
        """
        filled = any(self.words.values())
        return (self.needed or filled) and not (self.words.get(language) or self.words.get(""))


def texts_of(draft: Mapping[str, Any]) -> Iterator[FormText]:
    """Those of a definition as JSON, also where it can't be a form yet, in the form's order."""
    for name in FORM_TEXTS:
        yield FormText(f"form/{name}", name, "", draft.get(name) or {}, name == "title")
    steps = draft.get("steps") or ()
    for step in steps:
        key = step["key"]
        yield FormText(
            f"step/{key}/title", "step", key, step.get("title") or {}, needed=len(steps) > 1
        )
        for item in step["fields"]:
            yield from _texts_of_field(item)


def _texts_of_field(item: Mapping[str, Any]) -> Iterator[FormText]:
    key = item["key"]
    if item["type"] == "hidden":
        return
    for name in FIELD_TEXTS:
        words = item.get(name) or {}
        yield FormText(f"field/{key}/{name}", name, key, words, name == "label")
    for option in item.get("options") or ():
        path = f"field/{key}/option/{option['id']}"
        yield FormText(path, "option", key, option.get("label") or {}, needed=True)
