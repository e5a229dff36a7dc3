"""Which language a customer writes, where neither the lead nor its source says it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from lmt.config import LOCALES

FEWEST_LETTERS = 20
LEAST_PROBABILITY = 0.9
_MOST_LETTERS = 1_000


def written_language(text: str, allowed: Collection[str]) -> str:
    """The language of a text among those allowed (the market's), or "" rather than a guess.

    Arabic letters say Arabic by themselves where it is allowed. Anything else needs twenty letters
    and a probability of 0.9 among the allowed languages that are shipped.
    """
    candidates = sorted({code.split("-")[0] for code in allowed} & set(LOCALES))
    if not candidates:
        return ""
    letters = [c for c in text[:_MOST_LETTERS] if c.isalpha()]
    arabic = sum("ARABIC" in unicodedata.name(c, "") for c in letters if c > "\u05ff")
    if letters and arabic * 2 > len(letters):
        return "ar" if "ar" in candidates else ""
    latin = [code for code in candidates if code != "ar"]
    if len(letters) < FEWEST_LETTERS or not latin:
        return ""
    language, probability = _identifier().classify(text[:_MOST_LETTERS])
    if language not in latin or float(probability) < LEAST_PROBABILITY:
        return ""
    return str(language)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Loaded by the first text that needs it: a second and tens of megabytes that few leads need.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(list(LOCALES))
    # Built again from the languages shipped alone, so that the others' tables can be given back.
    return LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )
