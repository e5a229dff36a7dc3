"""A language of no people: every translated text of LMT in accents, so that the others stand out.

Pages are asked for in Arabic. What Babel knows (days, months, units, countries, languages) is then
in Arabic letters, what a catalogue was asked for is accented, and what is left in plain Latin
letters is either data of the world or a text that somebody forgot to translate.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any
from zoneinfo import available_timezones

from babel.support import NullTranslations
from lxml import html as lxml_html

LOCALE = "ar"
_ACCENTS = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž",
)
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|<[^<>]+>|&#?\w+;|\{\{.*?\}\}|\{%.*?%\}|\{\w*\})")
"""Of a text to translate: what is filled in, and its markup."""
_PLAIN = re.compile(r"[A-Za-z]{2,}")
_ID = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_READ_ALOUD = (
    "alt", "aria-description", "aria-label", "aria-placeholder", "aria-roledescription",
    "aria-valuetext", "hx-confirm", "hx-prompt", "label", "placeholder", "summary", "title",
)  # fmt: skip
_BUTTONS = frozenset({"submit", "button", "reset"})
_NOT_WORDS = frozenset({"script", "style", "code", "pre", "kbd", "samp", "textarea"})
"""Elements of what is no sentence of ours: programs, keys, codes, and data that was written in."""


def pseudo(text: str) -> str:
    """The text in accents, between brackets; what is filled in and markup stay as they are.

    >>> pseudo("Save %(name)s")
    '⟦Šåṽé %(name)s⟧'
    """
    parts = _KEPT.split(text)
    parts[::2] = [part.translate(_ACCENTS) for part in parts[::2]]
    return f"⟦{''.join(parts)}⟧"


class PseudoTranslations(NullTranslations):
    """A catalogue that knows every text."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return pseudo(message)

    def upgettext(self, context: str, message: str) -> str:
        return pseudo(message)

    ugettext = gettext
    ungettext = ngettext


class Data:
    """What may stand in plain letters: `phrases` of the world, zones, addresses, product names."""

    def __init__(self, phrases: Collection[str]) -> None:
        wanted = {" ".join(phrase.split()) for phrase in phrases} | {"LMT"} | available_timezones()
        longest = sorted((p for p in wanted if p), key=lambda p: (-len(p), p))
        self._seen: dict[str, str] = {}
        self._known = re.compile(
            rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)|https?://\S+|\S+@\S+|{_ID}"
        )

    def foreign(self, text: str) -> str:
        """Plain words that are no data, with what surrounds them; "" where there are none."""
        text = " ".join(text.split())
        if text not in self._seen:
            # Menus and headings are on every page.
            self._seen[text] = self._foreign(text) if _PLAIN.search(text) else ""
        return self._seen[text]

    def _foreign(self, text: str) -> str:
        found = _PLAIN.search(self._known.sub(lambda known: "·" * len(known[0]), text))
        return f"{found[0]}: {text[max(0, found.start() - 60) : found.end() + 60]}" if found else ""


def visible(page: str) -> Iterator[tuple[str, str]]:
    """(where, text) of whatever a page shows or has read aloud."""
    if not page.strip():
        return
    root = lxml_html.document_fromstring(page)
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        yield from _attributes(node)
        if not _is_no_sentence(node) and node.text:
            yield node.tag, node.text
        parent = node.getparent()
        if node.tail and parent is not None and not _is_no_sentence(parent):
            yield parent.tag, node.tail


def _attributes(node: Any) -> Iterator[tuple[str, str]]:
    for name in _READ_ALOUD:
        if (value := node.get(name)) and (name, node.tag) != ("title", "link"):
            yield f"{node.tag}@{name}", value
    if node.tag == "input" and node.get("type") in _BUTTONS:
        yield "input@value", node.get("value", "")
    if node.tag == "meta" and node.get("name") in {"description", "author"}:
        yield "meta@content", node.get("content", "")
    for name, value in node.attrib.items():
        # Words that a script shows.
        if name.startswith("data-") and " " in value.strip():
            yield f"{node.tag}@{name}", value


def _is_no_sentence(node: Any) -> bool:
    """Code, data that was typed in, or what is said in a language of its own."""
    for each in (node, *node.iterancestors()):
        if each.tag in _NOT_WORDS or {"ltr", "code"} & set((each.get("class") or "").split()):
            return True
        if each.tag not in {"html", "body"} and each.get("lang"):
            return True
    return False
