"""The vehicles of an ADF prospect: the one wanted, and the one offered in exchange."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from lmt.ingest.adfelements import Elements, bounded, child_text, line_of, own_text, word
from lmt.ingest.characters import text_of_markup
from lmt.ingest.normalise import model_year

MOST_OF_A_TRADE_IN = 60
_TRADED = frozenset(["tradein", "trade", "sell"])
_UNITS = {"mile": "mi", "miles": "mi", "kms": "km", "kilometers": "km", "kilometres": "km"}
TAKEN_NAMES = frozenset(["condition", "interest", "odometer_units"])
"""Keys of a trade-in that are no elements; an element of such a name has the key `./name`."""


def interest_of(vehicle: etree._Element) -> str:
    """What the sender wants with it, in letters only: `tradein`, `testdrive`, `buy`."""
    return re.sub(r"[^a-z]", "", vehicle.get("interest", "").lower())


def vehicles_of(elements: Elements) -> tuple[etree._Element | None, etree._Element | None]:
    """The vehicle wanted, and the one offered; one that only repeats the wanted one is neither."""
    wanted: etree._Element | None = None
    traded: etree._Element | None = None
    for vehicle in elements.children(elements.element, "vehicle"):
        if interest_of(vehicle) in _TRADED:
            traded = vehicle if traded is None else traded
        elif wanted is None:
            wanted = vehicle
    if wanted is not None and traded is not None and _mirrors(traded, wanted):
        traded = None
    if wanted is not None:
        elements.place(wanted, "vehicle", "interest", "status")
    if traded is not None:
        elements.place(traded, "vehicle", "interest", "status")
        elements.apart.add(traded)
    return wanted, traded


def year_of(elements: Elements, vehicle: etree._Element | None) -> int | None:
    """The model year where the text is one."""
    for element in elements.children(vehicle, "year"):
        if text := line_of(element):
            year = model_year(text)
            if year is not None:
                elements.use(element, "year")
            return year
    return None


def traded_vehicle(vehicle: etree._Element) -> dict[str, Any]:
    """The vehicle offered with all its parts: each under its own name, or its path."""
    elements = Elements(vehicle)
    elements.place(vehicle, "vehicle", "interest", "status")
    described: dict[str, Any] = {}
    if vehicle.get("status"):
        described["condition"] = word(vehicle.get("status", ""))
    if interest_of(vehicle) != "tradein":
        described["interest"] = word(vehicle.get("interest", ""))
    for leaf in vehicle:
        tag = str(leaf.tag)
        key = f"./{tag}" if tag in TAKEN_NAMES else tag
        text = text_of_markup(own_text(leaf)).strip()
        if not text or key in described or tag == "prospect" or len(described) >= 40:
            continue
        elements.use(leaf, tag)
        year = model_year(text) if tag == "year" else None
        described[key] = year if year is not None else text
        if tag == "odometer":
            name = next((name for name in ("units", "unit") if leaf.get(name)), "")
            if name:
                elements.said.add((leaf, name))
                units = word(leaf.get(name, ""))
                described["odometer_units"] = _UNITS.get(units, units)
    rest = bounded(elements.leftovers(vehicle), MOST_OF_A_TRADE_IN)
    for path, text in rest.items():
        described.setdefault(f"./{path}" if path in TAKEN_NAMES else path or "text", text)
    return described


def _mirrors(traded: etree._Element, wanted: etree._Element) -> bool:
    """Whether a sender's form only repeated the wanted vehicle as the one offered."""
    vins = [child_text(vehicle, "vin") for vehicle in (traded, wanted)]
    if any(vins):
        return vins[0] == vins[1]
    return _compared(traded) == _compared(wanted)


def _compared(vehicle: etree._Element) -> list[Any]:
    year = child_text(vehicle, "year")
    texts = [child_text(vehicle, tag) for tag in ("make", "model", "odometer")]
    return [model_year(year) or year, *texts]
