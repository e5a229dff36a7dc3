"""How a place is called, folded: so that a city typed in any script finds its place.

One key stands for every way to write one name: case, marks, punctuation and blanks don't count.
Where habits differ by more than that, a name is stored under several keys (`index_keys`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Letters that Unicode does not take apart, though people write them with plain ones.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "đ": "d",
        "ø": "o",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        "ŋ": "n",
        "ə": "a",
        # Arabic: one letter where spelling wavers, and the Persian and Urdu twins.
        "ى": "ي",
        "ة": "ه",
        "ٱ": "ا",
        "ی": "ي",
        "ے": "ي",
        "ې": "ي",
        "ک": "ك",
        "ڪ": "ك",
        "ہ": "ه",
        "ھ": "ه",
        "ە": "ه",
        "ۀ": "ه",
        "ـ": None,
    }
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cc"})
_APART = re.compile(r"[^\w]+|_+")
_APOSTROPHES = re.compile("['`´ʹʻʼʽʾʿ‘’‛′]")
_SAINTS = {"st": "saint", "ste": "sainte"}
_QUALIFIER = re.compile(r"\s*(?:\(|/|,).*$")
_LATIN_ARTICLES = frozenset(
    [
        "al",
        "ar",
        "as",
        "ash",
        "ad",
        "adh",
        "an",
        "at",
        "ath",
        "az",
        "el",
        "er",
        "es",
        "esh",
        "ed",
        "en",
        "et",
        "ez",
    ]
)
SHORTEST_WITHOUT_ARTICLE = 3


def place_key(name: str) -> str:
    """The key of a name: its letters and digits, folded and joined without blanks.

    `Łódź` is `lodz`, `İSTANBUL` and `ıstanbul` are `istanbul`, `’s-Hertogenbosch` is
    `shertogenbosch`, `الرّيـاض` is `الرياض`. "St." and "Ste" as words are "saint", "sainte".
    Marks go in every script, which makes some scripts' vowels equal: the key is for looking up,
    never for showing. Empty when the name holds no letter or digit.
    """
    return "".join(_words(name))


def index_keys(name: str) -> set[str]:
    """Every key under which a name is stored, or looked up a second time.

    Beside `place_key`: umlauts spelled out (Koeln), what follows the Arabic article (رياض, Riyadh
    for Ar-Riyadh), and the name without what tells it from namesakes (Halle for Halle (Saale)).
    """
    keys = {key for variant in _variants(name) for key in _with_and_without_article(variant)}
    keys.discard("")
    return keys


def postcode_key(code: str) -> str:
    """A postcode as it is stored: capitals and digits of any script, nothing between them."""
    folded = unicodedata.normalize("NFKC", code).upper()
    return "".join(_digit(sign) for sign in folded if sign.isalnum())


def postcode_keys(country: str, code: str) -> list[str]:
    """The keys to look for, best first: as given, then as the country's lists may carry it.

    A leading country code (`D-50667`, `PL-00-950`) is left off. The outer part of a longer code
    follows where public lists hold that alone: Dutch and Portuguese four digits, British outward
    codes, the first three of Canada and Ireland.
    """
    key = postcode_key(code)
    keys = [key]
    plain = key
    for prefix in (country, country[:1]):
        rest = key.removeprefix(prefix)
        if prefix and rest != key and rest.isdigit():
            plain = rest
            keys.append(rest)
            break
    match country:
        case "NL" | "PT":
            keys.append(plain[:4])
        case "GB":
            keys.append(plain[:-3])
        case "CA" | "IE":
            keys.append(plain[:3])
        case _:
            pass
    return list(dict.fromkeys(key for key in keys if key))


def _words(name: str) -> list[str]:
    if name.isascii():
        folded = name.lower()
    else:
        # İ is taken apart before lower-casing, so that its dot goes with the other marks.
        apart = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
        folded = "".join(
            _digit(sign)
            for sign in unicodedata.normalize("NFKD", apart)
            if unicodedata.category(sign) not in _DROPPED
        )
    words = _APART.split(_APOSTROPHES.sub("", folded))
    return [_SAINTS.get(word, word) for word in words if word]


def _variants(name: str) -> Iterator[str]:
    yield name
    if not name.isascii():
        lowered = unicodedata.normalize("NFC", name).lower()
        spelled = lowered.translate(_UMLAUTS)
        if spelled != lowered:
            yield spelled
    base = _QUALIFIER.sub("", name)
    if base and base != name:
        yield base


def _with_and_without_article(name: str) -> Iterator[str]:
    words = _words(name)
    key = "".join(words)
    yield key
    if key.startswith("ال") and len(key) >= 2 + SHORTEST_WITHOUT_ARTICLE:
        yield key[2:]
    elif len(words) > 1 and words[0] in _LATIN_ARTICLES:
        rest = "".join(words[1:])
        if len(rest) >= SHORTEST_WITHOUT_ARTICLE:
            yield rest


@lru_cache(maxsize=256)
def _digit(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)
