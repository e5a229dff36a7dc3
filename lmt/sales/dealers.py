"""Which dealer of a market a file means: by code, else by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz.fuzz import token_sort_ratio

from lmt.ingest.namekeys import folded

LIKE_NAMES = 88
"""Of 100, by words in any order: what two spellings of a dealer's name have in common."""
CLEARLY = 5


@dataclass(frozen=True, slots=True)
class DealerBook:
    """The dealers of a market: {code in capitals: id}, {id: name}."""

    codes: Mapping[str, int]
    names: Mapping[int, str]
    _known: dict[str, int | None] = field(default_factory=dict)

    def named(self, text: str) -> int | None:
        """The dealer, None where the text names none or might name two."""
        if text not in self._known:
            self._known[text] = self._found(text.strip())
        return self._known[text]

    def _found(self, text: str) -> int | None:
        if not text:
            return None
        if (by_code := self.codes.get(text.upper())) is not None:
            return by_code
        # "PL-WAW-1 Aurel Centrum": many lists put the code in front.
        for word in text.upper().replace(",", " ").replace("(", " ").replace(")", " ").split():
            if word in self.codes:
                return self.codes[word]
        said = folded(text)
        ranked = sorted(
            ((token_sort_ratio(said, folded(name)), id) for id, name in self.names.items()),
            reverse=True,
        )
        if not ranked or ranked[0][0] < LIKE_NAMES:
            return None
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < CLEARLY:
            return None
        return ranked[0][1]
