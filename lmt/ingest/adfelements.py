"""The elements of one ADF prospect while it is read, and what remains of them afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lxml import etree

from lmt.ingest.characters import clean_line, text_of_markup

MAX_KEPT = 200
KEPT_LENGTH = 4_000
NOWHERE = ""
"""The place of an element whose text moved to another one."""
_ORDER_ONLY = frozenset(["preferredcontact", "primarycontact", "line", "sequence"])
_PLAIN_ORDER = frozenset(["", "0", "1", "true", "false", "yes", "no"])
# What ADF assumes where nothing is said.
_ASSUMED = {"part": "full", "type": "individual", "time": "nopreference"}
# Of an element without text they say nothing.
_MUTE = frozenset(["part", "type", "time", "unit", "units", "currency", "limit", "line"])
_KNOWN_NAMES = (
    "adf id requestdate vehicle year make model vin stock trim doors bodystyle transmission"
    " odometer condition colorcombination interiorcolor exteriorcolor preference imagetag"
    " price pricecomments option optionname manufacturercode weighting finance method amount"
    " balance comments customer contact name email phone address street apartment city"
    " regioncode postalcode country timeframe description earliestdate latestdate vendor"
    " vendorname url provider service"
)
_KNOWN = frozenset(_KNOWN_NAMES.split())


class Elements:
    """Finds elements by name; remembers which were understood, so that the rest is kept.

    An understood element has a place: the name under which `lmt.notify.adfout` writes it again.
    """

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self.places: dict[etree._Element, str] = {}
        self.written: dict[etree._Element, dict[etree._Element, str]] = {}
        self.apart: set[etree._Element] = set()
        """Elements that are read, and kept, by themselves."""
        self.heard: set[etree._Element] = set()
        self.said: set[tuple[etree._Element, str]] = set()

    def use(self, element: etree._Element, place: str, *attributes: str) -> None:
        """Its text is understood, and what these attributes say; it is written as `place`."""
        self.place(element, place, *attributes)
        self.heard.add(element)

    def place(self, element: etree._Element, place: str, *attributes: str) -> None:
        """As `use`, of an element whose own text is not."""
        parent = element.getparent()
        self.places[element] = place
        if place and parent is not None:
            self.written.setdefault(parent, {})[element] = place
        self.said.update((element, name) for name in attributes)

    def children(self, parent: etree._Element | None, *names: str) -> list[etree._Element]:
        """Those of the first name before those of the second."""
        if parent is None:
            return []
        return [child for name in names for child in parent if child.tag == name]

    def child(self, parent: etree._Element | None, *names: str) -> etree._Element | None:
        return next(iter(self.children(parent, *names)), None)

    def line(self, parent: etree._Element | None, *names: str, place: str | None = None) -> str:
        """The text of the first such child that has any, on one line; uses it as the first name,
        or as `place`."""
        for element in self.children(parent, *names):
            text = line_of(element)
            if text:
                self.use(element, names[0] if place is None else place)
                return text
        return ""

    def lines(self, parent: etree._Element | None, *names: str, place: str) -> list[str]:
        """The texts of all such children, HTML taken out. They are written as one `place`."""
        texts: list[str] = []
        for element in self.children(parent, *names):
            text = text_of_markup(own_text(element)).strip()
            self.use(element, NOWHERE if texts or not text else place)
            if text and text not in texts:
                texts.append(text)
        return texts

    def not_understood(self) -> dict[str, str]:
        """Path → text of every element and attribute of the prospect that found no other place."""
        return bounded(self.leftovers(self.element))

    def leftovers(self, top: etree._Element) -> Iterator[tuple[str, str]]:
        """The same below `top`, one by one: `a/b`, the second of a name `a/b[2]`, an attribute
        `a/b@c`. Numbers count elements as they are written again: understood ones first."""
        telling = self._telling(top)
        waiting: list[tuple[str, etree._Element]] = [("", top)]
        while waiting:
            path, element = waiting.pop()
            carries = any(child in telling for child in element)
            yield from self._own(path, element, carries=carries)
            counts: Counter[str] = Counter()
            below: list[tuple[str, etree._Element]] = []
            for tag, child in self._as_written(element, telling):
                counts[tag] += 1
                number = f"[{counts[tag]}]" if counts[tag] > 1 else ""
                if child in telling:
                    below.append((f"{path}/{tag}{number}".lstrip("/"), child))
            waiting += reversed(below)

    def _as_written(
        self, element: etree._Element, telling: set[etree._Element]
    ) -> list[tuple[str, etree._Element]]:
        written = self.written.get(element, {})
        rest = [(str(c.tag), c) for c in element if c in telling and c not in written]
        return [(tag, child) for child, tag in written.items()] + rest

    def _telling(self, top: etree._Element) -> set[etree._Element]:
        """Elements that hold, or carry below, something that is not understood."""
        telling: set[etree._Element] = set()
        waiting, order = [top], []
        while waiting:
            element = waiting.pop()
            order.append(element)
            waiting += [c for c in element if c.tag != "prospect" and c not in self.apart]
        for element in reversed(order):
            carries = any(child in telling for child in element)
            if carries or any(self._own("-", element, carries=False)):
                telling.add(element)
        return telling

    def _own(
        self, path: str, element: etree._Element, *, carries: bool
    ) -> Iterator[tuple[str, str]]:
        text = "" if element in self.heard else text_of_markup(own_text(element)).strip()
        is_empty = not carries and not text and element not in self.heard
        odd = [
            (str(name), clean_line(str(value)))
            for name, value in element.items()
            if (element, name) not in self.said
        ]
        odd = [
            (name, value)
            for name, value in odd
            if value
            and _ASSUMED.get(name) != value.lower()
            and (element.tag, name, value.lower()) != ("prospect", "status", "new")
            and not (is_empty and name in _MUTE)
            and not (name in _ORDER_ONLY and (value.isdecimal() or value.lower() in _PLAIN_ORDER))
        ]
        if text or (is_empty and not odd and element.tag not in _KNOWN and path):
            yield path, text
        for name, value in odd:
            yield f"{path}@{name}", value


def bounded(leftovers: Iterable[tuple[str, str]], most: int = MAX_KEPT) -> dict[str, str]:
    """As a mapping of at most so many entries; what exceeds is still in the raw delivery."""
    kept: dict[str, str] = {}
    for path, text in leftovers:
        if len(kept) >= most:
            kept["…"] = "truncated"
            break
        kept[path] = text[:KEPT_LENGTH].strip()
    return kept


def own_text(element: etree._Element) -> str:
    """The element's text without that of its children."""
    return " ".join(part for part in (element.text, *(c.tail for c in element)) if part)


def line_of(element: etree._Element) -> str:
    """The element's own text on one line, HTML taken out."""
    return clean_line(text_of_markup(own_text(element)))


def child_text(parent: etree._Element, tag: str) -> str:
    """The text of the first such child that has any, without using it."""
    texts = (line_of(child) for child in parent if child.tag == tag)
    return next((text for text in texts if text), "")


def word(text: str) -> str:
    """A word for comparing: clean, in lower case."""
    return clean_line(text).lower()


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts that are not empty, each once, in order."""
    return list(dict.fromkeys(text for text in texts if text))
