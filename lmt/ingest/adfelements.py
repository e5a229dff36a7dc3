"""The elements of one ADF prospect while it is read, and what remains of them afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lxml import etree

from lmt.ingest.characters import clean_line, text_of_markup

MAX_KEPT = 200
KEPT_LENGTH = 4_000
# What the lead shows of an element that was understood, and what never says anything by itself.
_SHOWN = frozenset(["interest", "status", "part", "type", "time", "source", "unit", "units"])
_SILENT = frozenset(["preferredcontact", "primarycontact", "line", "sequence"])


class Elements:
    """Finds elements by name; remembers which were understood, so that the rest is kept."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self.used: set[etree._Element] = set()

    def children(self, parent: etree._Element | None, *names: str) -> list[etree._Element]:
        if parent is None:
            return []
        return [child for name in names for child in parent if child.tag == name]

    def child(self, parent: etree._Element | None, *names: str) -> etree._Element | None:
        return next(iter(self.children(parent, *names)), None)

    def line(self, parent: etree._Element | None, *names: str) -> str:
        """The text of the first such child that has any, on one line; marks it as understood."""
        for element in self.children(parent, *names):
            text = line_of(element)
            if text:
                self.used.add(element)
                return text
        return ""

    def lines(self, parent: etree._Element | None, *names: str) -> list[str]:
        """The texts of all such children, HTML taken out; marks them as understood."""
        texts: list[str] = []
        for element in self.children(parent, *names):
            text = text_of_markup(element.text or "")
            self.used.add(element)
            if text.strip() and text not in texts:
                texts.append(text.strip())
        return texts

    def not_understood(self) -> dict[str, str]:
        """Path → text of every element, stray text and attribute that found no place of its own.

        Bounded; what exceeds the bounds is still in the raw delivery.
        """
        kept: dict[str, str] = {}
        for path, text in self.leftovers():
            if len(kept) >= MAX_KEPT:
                kept["…"] = "truncated"
                break
            kept[path] = text[:KEPT_LENGTH]
        return kept

    def leftovers(self) -> Iterator[tuple[str, str]]:
        """The same, one by one in the order of the document."""
        if word(self.element.get("status", "")) not in ("", "new"):
            yield "@status", clean_line(self.element.get("status", ""))
        waiting: list[tuple[str, etree._Element]] = [("", self.element)]
        while waiting:
            path, element = waiting.pop()
            strays = [] if element in self.used else [element.text or ""]
            text = text_of_markup(" ".join((*strays, *(child.tail or "" for child in element))))
            if text.strip():
                yield f"{path}#text" if len(element) else path, text.strip()
            if element is not self.element:
                yield from _odd_attributes(path, element, understood=element in self.used)
            waiting += reversed(_below(path, element))


def _below(path: str, element: etree._Element) -> list[tuple[str, etree._Element]]:
    """The child elements with their paths: `a/b`, the second of a name `a/b[2]`."""
    counts: Counter[str] = Counter()
    below: list[tuple[str, etree._Element]] = []
    for child in element:
        tag = str(child.tag)
        counts[tag] += 1
        number = f"[{counts[tag]}]" if counts[tag] > 1 else ""
        if tag != "prospect":
            below.append((f"{path}/{tag}{number}".lstrip("/"), child))
    return below


def _odd_attributes(
    path: str, element: etree._Element, *, understood: bool
) -> Iterator[tuple[str, str]]:
    """Attributes that carry something which nothing else of the lead shows."""
    hidden = _SHOWN | _SILENT if understood else _SILENT
    for name, value in element.items():
        if value.strip() and name not in hidden:
            yield f"{path}@{name!s}", clean_line(str(value))


def line_of(element: etree._Element) -> str:
    """The element's own text on one line, HTML taken out."""
    return clean_line(text_of_markup(element.text or ""))


def child_text(parent: etree._Element, tag: str) -> str:
    """The text of the first such child, without marking it as understood."""
    element = next((child for child in parent if child.tag == tag), None)
    return "" if element is None else line_of(element)


def word(text: str) -> str:
    """A word for comparing: clean, in lower case."""
    return clean_line(text).lower()


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts that are not empty, each once, in order."""
    return list(dict.fromkeys(text for text in texts if text))
