"""Where things stand in an ADF document: elements by their paths, in the order of its DTD."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lxml import etree

MOST_DEEP = 45
LONGEST_NAME = 200
# What XML 1.0 can't hold, and what no reader shows, is left out.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_MARKUP = re.compile(r"<\s*[/!]?\s*[A-Za-z]|&(?:#|[A-Za-z])")
_STEP = re.compile(r"([^\s/@\[\]{}:]+)(?:\[(\d{1,4})\])?")
_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_ORDER = {
    "prospect": "id requestdate vehicle customer vendor provider",
    "vehicle": "id year make model vin stock trim doors bodystyle transmission odometer condition"
    " colorcombination imagetag price pricecomments option finance comments",
    "colorcombination": "interiorcolor exteriorcolor preference",
    "option": "optionname manufacturercode stock weighting price",
    "finance": "method amount balance",
    "customer": "contact id timeframe comments",
    "contact": "name email phone address",
    "address": "street apartment city regioncode postalcode country",
    "vendor": "id vendorname url contact",
    "provider": "id name service url email phone contact",
}
_RANKS = {
    parent: {tag: rank for rank, tag in enumerate(tags.split())} for parent, tags in _ORDER.items()
}


def put_back(prospect: etree._Element, kept: Mapping[str, Any]) -> None:
    for path, text in kept.items():
        put(prospect, path, text if isinstance(text, str) else shown(text))


def put(top: etree._Element, path: str, text: str) -> bool:
    """Set the element or the attribute at the path, made where it is missing; False for no path."""
    way, at, attribute = path.partition("@")
    steps = [_STEP.fullmatch(step) for step in way.split("/")] if way else []
    if len(steps) > MOST_DEEP or not (steps or at):
        return False
    if not all(step is not None and _is_name(step[1].lower()) for step in steps):
        return False
    if at and not _ATTRIBUTE.fullmatch(attribute):
        return False
    element = top
    for step in steps:
        assert step is not None
        same = [child for child in element if child.tag == step[1].lower()]
        number = int(step[2] or 1)
        element = same[number - 1] if 0 < number <= len(same) else made(element, step[1].lower())
    if at:
        element.set(attribute, clean(text))
    else:
        element.text = guarded(text)
    return True


@lru_cache(maxsize=1024)
def _is_name(tag: str) -> bool:
    """Whether XML allows an element of this name."""
    try:
        etree.Element(tag)
    except ValueError:
        return False
    return len(tag) <= LONGEST_NAME


def made(parent: etree._Element, tag: str) -> etree._Element:
    """A new element where the DTD wants one of this name; after all others where it knows none."""
    ranks = _RANKS.get(str(parent.tag), {})
    rank = ranks.get(tag, len(ranks))
    element = etree.Element(tag)
    later = (at for at, child in enumerate(parent) if ranks.get(str(child.tag), len(ranks)) > rank)
    parent.insert(next(later, len(parent)), element)
    return element


def clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def guarded(text: str) -> str:
    """Readers take HTML out of texts: what only looks like it is written so that it survives."""
    kept = clean(text)
    return html.escape(kept, quote=False) if _MARKUP.search(kept) else kept


def shown(value: Any) -> str:
    """A figure as it is read; nothing for what is no text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
