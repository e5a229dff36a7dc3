"""What a stranger's values look like: grounds to suggest a field, or not to believe its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_MAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}\.[^\W\d_][\w-]{1,30}")
_PHONE = re.compile(
    r"(?:tel:)?\s*[+(]?[\d+().\-/\s\u00a0]{6,30}(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.I
)
_INTERNATIONAL = re.compile(r"\s*(?:\+|00)\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:Z|[+-]\d\d:?\d\d)")
_DATE_LIKE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{9,13}$")
_TAG = re.compile(r"[a-z]{2}[-_][A-Z]{2}")
_VIN = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-HJ-NPR-Z0-9]{17}")
_GCLID = re.compile(r"(?:Cj|EAIaIQ)[\w-]{18,}")
_URL = re.compile(r"https?://[^\s/]+\S*", re.I)
_UTM = re.compile(r"[?&]utm_(?:source|medium|campaign)=")
_YEAR = re.compile(r"(?:18|19|20)\d\d(?:\.0)?")
_YES_NO_WORDS = (
    "yes no true false y n 1 0 on off oui non ja nein si sí tak nie nee evet hayır نعم لا x t f"
)
_YES_NO = frozenset(_YES_NO_WORDS.split())
# Shapes that say a country, too: nobody else writes postcodes so.
_POSTCODES = (
    re.compile(r"\d\d-\d{3}"),
    re.compile(r"\d{4} ?[A-Z]{2}"),
    re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"),
    re.compile(r"[A-Z]\d[A-Z] ?\d[A-Z]\d"),
    re.compile(r"\d{5}-\d{4}"),
)
_FEWEST = 0.8

Question = Callable[[str], bool]


def _fully(pattern: re.Pattern[str]) -> Question:
    return lambda text: pattern.fullmatch(text.strip()) is not None


def is_mail(text: str) -> bool:
    return _MAIL.fullmatch(text.strip()) is not None


def is_phone(text: str) -> bool:
    digits = sum(c.isdecimal() for c in text)
    return 6 <= digits <= 20 and _PHONE.fullmatch(text) is not None


def is_yes_or_no(text: str) -> bool:
    return text.strip().casefold() in _YES_NO


def _is_sure_phone(text: str) -> bool:
    return is_phone(text) and _INTERNATIONAL.match(text) is not None


def _is_postcode(text: str) -> bool:
    return any(shape.fullmatch(text.strip()) for shape in _POSTCODES)


def _is_worded(text: str) -> bool:
    """Words, as names and places are: no address of any kind, no bare number, no yes or no."""
    text = text.strip()
    bare = not any(c.isalpha() for c in text)
    return not (bare or "@" in text or _URL.match(text) or text.casefold() in ("true", "false"))


def _is_coordinate(text: str) -> bool:
    try:
        return -180 <= float(text.replace(",", ".")) <= 180
    except ValueError:
        return False


#: What some values alone tell of their field, and how surely, the surest first.
_TELLING: tuple[tuple[str, float, Question], ...] = (
    ("customer.email", 0.9, is_mail),
    ("vehicle.vin", 0.85, _fully(_VIN)),
    ("campaign.gclid", 0.8, _fully(_GCLID)),
    ("customer.phone", 0.8, _is_sure_phone),
    ("campaign.landing_page", 0.7, lambda text: bool(_URL.match(text) and _UTM.search(text))),
    ("sent_at", 0.65, _fully(_INSTANT)),
    ("customer.language", 0.65, _fully(_TAG)),
    ("address.postcode", 0.65, _is_postcode),
)
#: What a field's values must look like, for its name to be believed.
_EXPECTED: Mapping[str, Question] = {
    "customer.email": is_mail,
    "customer.phone": lambda text: 6 <= sum(c.isdecimal() for c in text) <= 40 and "@" not in text,
    "customer.first_name": _is_worded,
    "customer.last_name": _is_worded,
    "customer.full_name": _is_worded,
    "customer.company": lambda text: "@" not in text and not is_yes_or_no(text),
    "customer.title": _is_worded,
    "customer.language": lambda text: len(text) <= 40 and not any(c.isdigit() for c in text),
    "address.city": _is_worded,
    "address.country": lambda text: any(c.isalpha() for c in text) and "@" not in text,
    "address.postcode": lambda text: len(text) <= 12 and any(c.isdecimal() for c in text),
    "address.street": lambda text: "@" not in text,
    "address.lat": _is_coordinate,
    "address.lon": _is_coordinate,
    "sent_at": lambda text: bool(_INSTANT.match(text) or _DATE_LIKE.match(text.strip())),
    "test": is_yes_or_no,
    "vehicle.year": lambda text: _YEAR.search(text) is not None,
    "vehicle.vin": lambda text: 5 <= len(text.replace(" ", "")) <= 20,
    "vehicle.trade_in.year": lambda text: _YEAR.search(text) is not None,
    "vehicle.trade_in.odometer": lambda text: any(c.isdecimal() for c in text),
    "campaign.landing_page": lambda text: "/" in text or "." in text,
    "campaign.referrer": lambda text: "/" in text or "." in text,
    "consents.contact": is_yes_or_no,
    "consents.marketing": is_yes_or_no,
    "request.brand": lambda text: not is_yes_or_no(text) and "@" not in text,
    "request.model": lambda text: "@" not in text,
}


def told_targets(values: Sequence[str]) -> dict[str, float]:
    """{target: how surely} of what these values, none of them empty, look like."""
    for target, score, question in _TELLING:
        if values and _share(values, question) >= _FEWEST:
            return {target: score}
    return {}


def is_believable(target: str, values: Sequence[str]) -> bool:
    """Whether values may be of the field that their name says; nothing is held against no value."""
    question = _EXPECTED.get(target)
    return question is None or not values or _share(values, question) >= 1 - _FEWEST


def _share(values: Sequence[str], question: Question) -> float:
    return sum(question(value) for value in values) / len(values)
