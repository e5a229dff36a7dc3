"""Whether two people gave one address, for telling namesakes from one person who came twice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.fuzz import token_set_ratio

from lmt.ingest.namekeys import folded, sounding

LIKE_STREETS = 85


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody said they live, as they wrote it; every part may be ""."""

    country: str = ""
    postcode: str = ""
    city: str = ""
    street: str = ""


def nearness(a: Home, b: Home) -> str:
    """address, postcode or city, as closely as the two agree; "" where they don't."""
    if a.country and b.country and a.country.upper() != b.country.upper():
        return ""
    postcodes = {postcode_key(a.postcode), postcode_key(b.postcode)}
    cities = {city_key(a.city), city_key(b.city)}
    same_postcode = len(postcodes) == 1 and "" not in postcodes
    same_city = len(cities) == 1 and "" not in cities
    if len(postcodes - {""}) == 2:
        # Another postcode is another address; in a large city still the same city.
        return "city" if same_city else ""
    if not same_postcode and not same_city:
        return ""
    if same_postcode and _same_street(a.street, b.street):
        return "address"
    return "postcode" if same_postcode else "city"


_STREET_WORDS = {
    "str": "strasse", "st": "street", "rd": "road", "ave": "avenue", "av": "avenue",
    "ul": "", "ulica": "", "blvd": "boulevard", "sok": "sokak", "cad": "caddesi", "cd": "caddesi",
}  # fmt: skip


def _same_street(a: str, b: str) -> bool:
    """One street and one number; a street without a number is no address."""
    (one, number), (other, number2) = _street(a), _street(b)
    if not one or not other or not number or number != number2:
        return False
    return token_set_ratio(*sorted((one, other))) >= LIKE_STREETS


@lru_cache(maxsize=512)
def _street(text: str) -> tuple[str, str]:
    """The street's words and its numbers, each in one line."""
    text = text[:300]
    signs = "".join(_digit(c) if c.isdecimal() else c.lower() if c.isalnum() else " " for c in text)
    words: list[str] = []
    numbers: list[str] = []
    for word in signs.split():
        (numbers if word[0].isdecimal() else words).append(word)
    named = []
    for word in folded(" ".join(words)).split():
        name = _STREET_WORDS.get(word, word)
        named.append(name.removesuffix("str") + "strasse" if name.endswith("str") else name)
    return " ".join(w for w in named if w), " ".join(numbers)


@lru_cache(maxsize=1024)
def city_key(city: str) -> str:
    """A city's name, folded; only names in one script agree."""
    return sounding(folded(city[:100]).replace(" ", ""))


@lru_cache(maxsize=4096)
def postcode_key(code: str) -> str:
    """A postcode as capitals and digits of any script, nothing between them."""
    return "".join(_digit(c) if c.isdecimal() else c.upper() for c in code[:20] if c.isalnum())


def _digit(sign: str) -> str:
    return str(int(sign))
