"""Which vehicle a lead is about: what people write, matched with the brands and models on sale."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

_LETTERS = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "+": " plus ",
        "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ـ": None, "'": None, "’": None, "`": None,
    }
)  # fmt: skip
_WORD = re.compile(r"\d+[.,]\d+|[^\W_]+")
_YEAR = re.compile(r"(?:19[89]|20[0-4])\d")
_TEXT_LENGTH = 200
_MOST_WORDS = 16
_SHORTEST_MISTYPED = 4
# What the text is compared with, the surest first: ties are settled by it.
_NAME, _MARKET_ALIAS, _CODE, _ALIAS = range(4)


@dataclass(frozen=True, slots=True)
class BrandRow:
    """A brand as the tables know it; `aliases` are other ways to write it, in any script."""

    id: int
    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model: `market_aliases` by market code, `markets` that sell it (empty: all of them)."""

    id: int
    brand_id: int
    code: str
    name: str
    aliases: tuple[str, ...] = ()
    market_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    markets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model found, as headquarters calls it."""

    id: int
    name: str
    brand_id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lead asks for, as far as the catalogue knows it."""

    brand_id: int | None
    model: ModelName | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One way to write one model, and the market where it is written so ("": everywhere)."""

    rank: int
    market: str
    model: ModelRow


class Catalogue:
    """The brands and models of one moment, built once and asked for each lead.

    Nothing here raises for any text. What isn't known, or could mean two models, is None.
    """

    def __init__(self, brands: Iterable[BrandRow], models: Iterable[ModelRow]) -> None:
        self._brands: dict[str, int | None] = {}
        for brand in brands:
            for text in (brand.name, brand.code, *brand.aliases):
                key = "".join(folded_words(text))
                if key and self._brands.setdefault(key, brand.id) != brand.id:
                    self._brands[key] = None
        self._models: dict[str, list[_Entry]] = {}
        for model in models:
            for rank, market, text in _writings(model):
                if key := "".join(folded_words(text)):
                    self._models.setdefault(key, []).append(_Entry(rank, market, model))
        self._brand_keys, self._keys = list(self._brands), list(self._models)
        self._longest = 1 + max(
            (len(folded_words(e.model.name)) for e in self._entries()), default=1
        )
        # A file says the same few things a hundred thousand times.
        self._remembered = lru_cache(maxsize=2_048)(self._wanted)

    def brand_of(self, text: str) -> int | None:
        """The brand that a text names or begins with; small typos pass."""
        return self._brand_in(folded_words(text))[0]

    def model_of(self, text: str, brand_id: int | None, market_code: str) -> ModelName | None:
        """The model that a text names, trims and years around it; a brand in the text counts first.

        `brand_id` limits the search where the text names no brand itself. Of several models the one
        named first counts, the longest name of it: "Mira 3 Cross" is no "Mira 3".
        """
        words = folded_words(text)
        named, rest = self._brand_in(words)
        brand_id = named if named is not None else brand_id
        found = self._model_in(rest, brand_id, market_code)
        if found is None and len(rest) < len(words):
            # "Astra Nova" may be a model whose name begins like a brand.
            found = self._model_in(words, brand_id, market_code)
        return found

    def wanted(
        self, brand: str, model: str, market_code: str, default_brand_id: int | None = None
    ) -> Wanted:
        """Brand and model of a lead, each helped by the other's text.

        `default_brand_id` (the source's) counts where no text names a brand, and only after a model
        of any brand was looked for: a text that is clear wins over a default.
        """
        return self._remembered(brand, model, market_code, default_brand_id)

    def _wanted(
        self, brand: str, model: str, market_code: str, default_brand_id: int | None
    ) -> Wanted:
        brand_id = self.brand_of(brand) if brand else None
        found = self.model_of(model, brand_id, market_code) if model else None
        if found is None and brand and model:
            found = self.model_of(f"{brand} {model}", brand_id, market_code)
        if found is None and brand and not model:
            found = self.model_of(brand, brand_id, market_code)
        if found is None and model and brand_id is None and default_brand_id is not None:
            found = self.model_of(model, default_brand_id, market_code)
        if found is not None:
            return Wanted(found.brand_id, found)
        if brand_id is None and model:
            brand_id = self._brand_in(folded_words(model), typos=False)[0]
        if brand_id is None and not brand:
            brand_id = default_brand_id
        return Wanted(brand_id, None)

    def _entries(self) -> Iterator[_Entry]:
        return (entry for entries in self._models.values() for entry in entries)

    def _brand_in(
        self, words: Sequence[str], *, typos: bool = True
    ) -> tuple[int | None, Sequence[str]]:
        """The brand among the words, and the words without it."""
        for start, end in _spans(len(words), 4):
            brand = self._brands.get("".join(words[start:end]))
            if brand is not None and (start == 0 or not words[start].isdecimal()):
                return brand, [*words[:start], *words[end:]]
        if typos:
            for end in range(min(len(words), 4), 0, -1):
                key = "".join(words[:end])
                if key in self._models:
                    continue
                meant = {self._brands[near] for near in _near(key, self._brand_keys)}
                if len(meant) == 1 and None not in meant:
                    return meant.pop(), words[end:]
        return None, words

    def _model_in(
        self, words: Sequence[str], brand_id: int | None, market: str
    ) -> ModelName | None:
        known = False
        for start, end in _spans(len(words), self._longest):
            key = "".join(words[start:end])
            if key not in self._models or (start and not _telling(key)):
                continue
            known = True
            found = self._resolved([key], brand_id, market)
            if found is None:
                continue
            longer = self._typo(words[start:], end - start, key, brand_id, market)
            if longer is not None:
                return longer
            if end < len(words) and self._sibling_number(key, words[end]):
                return None
            return found
        # What is another brand's model, or one of two, is no typo of a third.
        return None if known else self._typo(words, 0, "", brand_id, market)

    def _typo(
        self,
        words: Sequence[str],
        taken: int,
        prefix: str,
        brand_id: int | None,
        market: str,
    ) -> ModelName | None:
        """The one model whose name the first words, more than `taken` of them, nearly are.

        After an exact name (`prefix`) only its longer siblings are in question.
        """
        if taken >= len(words):
            return None
        candidates: Sequence[str] = self._keys
        if prefix:
            least = len(prefix) + _SHORTEST_MISTYPED
            candidates = [k for k in self._keys if len(k) >= least and k.startswith(prefix)]
        for end in range(min(len(words), self._longest), taken, -1):
            near = _near("".join(words[:end]), candidates)
            if not near:
                continue
            after = words[end] if end < len(words) else ""
            if any(self._sibling_number(other, after) for other in near):
                return None
            return self._resolved(near, brand_id, market)
        return None

    def _resolved(self, keys: Iterable[str], brand_id: int | None, market: str) -> ModelName | None:
        """The one model that the keys stand for in this brand and market; None when it isn't one.

        Models that the market doesn't sell count only where none that it sells is meant.
        """
        entries = [
            entry
            for key in keys
            for entry in self._models[key]
            if (brand_id is None or entry.model.brand_id == brand_id)
            and entry.market in ("", market)
        ]
        sold = [e for e in entries if not e.model.markets or market in e.model.markets]
        entries = sold or entries
        surest = min((entry.rank for entry in entries), default=0)
        meant = {e.model.id: e.model for e in entries if e.rank == surest}
        if len(meant) != 1:
            return None
        (model,) = meant.values()
        return ModelName(model.id, model.name, model.brand_id)

    def _sibling_number(self, key: str, after: str) -> bool:
        """Whether the number after a name would make it another model: Mira, Mira 3, "Mira 5"."""
        if not after.isdecimal() or _YEAR.fullmatch(after):
            return False
        return any(
            len(other) == len(key) + len(after)
            and other.startswith(key)
            and other[len(key) :].isdecimal()
            for other in self._keys
        )


def _writings(model: ModelRow) -> Iterator[tuple[int, str, str]]:
    """Every way to write a model: (rank, market or "", text)."""
    yield _NAME, "", model.name
    yield _CODE, "", model.code
    for alias in model.aliases:
        yield _ALIAS, "", alias
    for market, aliases in model.market_aliases.items():
        for alias in aliases:
            yield _MARKET_ALIAS, market, alias


def folded_words(text: str) -> list[str]:
    """The words of a text, folded: no case, no marks, one form of each digit and Arabic letter."""
    if text.isascii():
        folded = text[:_TEXT_LENGTH].lower().translate(_LETTERS)
    else:
        letters = unicodedata.normalize("NFKD", text[:_TEXT_LENGTH].casefold())
        folded = "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else c
            for c in letters.translate(_LETTERS)
            if not unicodedata.combining(c)
        )
    words = _WORD.findall(folded)[:_MOST_WORDS]
    return [w.removeprefix("ال") if len(w) > 4 and w[0] == "ا" else w for w in words]


def _spans(count: int, longest: int) -> Iterator[tuple[int, int]]:
    """Every run of words, the earliest first, the longest of those first."""
    for start in range(count):
        for end in range(min(count, start + longest), start, -1):
            yield start, end


def _telling(key: str) -> bool:
    """Whether a name says enough to be believed in the middle of a text: "5" and "e" don't."""
    return len(key) > 2 or (len(key) == 2 and not key.isdecimal())


def _near(key: str, candidates: Sequence[str]) -> list[str]:
    """All candidates that are a slip or two from this key, digits untouched.

    One slip from four letters on, two from nine. Whether several mean the same is the caller's.
    """
    allowed = 0 if len(key) < _SHORTEST_MISTYPED else 1 if len(key) < 9 else 2
    if not allowed or not candidates:
        return []
    digits = [c for c in key if c.isdecimal()]
    found = process.extract(
        key, candidates, scorer=OSA.distance, score_cutoff=allowed, limit=None, processor=None
    )
    return [
        other
        for other, _distance, _place in found
        if len(other) >= _SHORTEST_MISTYPED and digits == [c for c in other if c.isdecimal()]
    ]
