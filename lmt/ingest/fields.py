"""One field of a delivery at a time, read tolerantly: what doesn't fit becomes a problem."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from lmt.ingest.characters import clean_line, clean_text
from lmt.ingest.instants import epoch_instant, written_instant
from lmt.ingest.leadinput import MULTILINE, TEXT_LENGTHS, Problem

_TRUE = frozenset(["true", "yes", "y", "1", "on", "ja", "oui", "si", "sí", "tak", "evet", "نعم"])
_FALSE = frozenset(["false", "no", "n", "0", "off", "", "nein", "non", "nie", "nee", "hayır", "لا"])
_UNANSWERED = frozenset(
    ["-", "--", "---", ".", "_", "?", "n/a", "#n/a", "undefined", "[object object]"]
)
_LONGEST_UNANSWERED = max(map(len, _UNANSWERED))
_GIVEN_LENGTH = 500
_NO_TEXTS = {name: dict.fromkeys(lengths, "") for name, lengths in TEXT_LENGTHS.items()}


@dataclass(slots=True)
class Reading:
    """The problems met while one delivery is read; its methods never raise.

    `zone` and `country` (ISO) are the sender's: they say what a bare date and time mean.
    """

    problems: list[Problem] = field(default_factory=list)
    zone: tzinfo | None = None
    country: str = ""

    def note(self, path: str, code: str, given: Any = "") -> None:
        """Remember what could not be understood; a long text is cut, `given` keeps it whole."""
        text = given if isinstance(given, str) else _shown(given)
        self.problems.append(Problem(path, code, clean_line(text[:_GIVEN_LENGTH])))

    def section(self, data: Mapping[Any, Any], name: str) -> Mapping[Any, Any]:
        """An object of the lead, empty when absent; anything but an object is noted."""
        value = data.get(name)
        if type(value) is dict or isinstance(value, Mapping):
            return value
        if value not in (None, "", []):
            self.note(name, "not_an_object", value)
        return {}

    def texts(self, data: Mapping[Any, Any], name: str, *, but: str = "") -> dict[str, str]:
        """Every text of one section of TEXT_LENGTHS, cleaned and within its length.

        `but` names the one that the caller reads itself; it is left empty.
        """
        given = self.section(data, name)
        texts = dict(_NO_TEXTS[name])
        lengths = TEXT_LENGTHS[name]
        for key, value in given.items():
            if value is not None and value != "" and key != but and key in lengths:
                texts[key] = self.text(value, f"{name}.{key}", lengths[key], lines=key in MULTILINE)
        return texts

    def text(self, value: Any, path: str, length: int, *, lines: bool = False) -> str:
        """The value as clean text; lists of texts are joined, objects noted."""
        if value is None or value == "":
            return ""
        text: str | None
        if type(value) is str:
            text = value
        elif isinstance(value, list | tuple):
            text = ("\n" if lines else ", ").join(_scalar(item) or "" for item in value)
        else:
            text = _scalar(value)
        if text is None:
            self.note(path, "not_text", value)
            return ""
        clean = clean_text(text) if lines else clean_line(text)
        if len(clean) <= _LONGEST_UNANSWERED and clean.lower() in _UNANSWERED:
            return ""
        if len(clean) > length:
            self.note(path, "too_long", clean)
            clean = clean[:length].rstrip()
        return clean

    def flag(self, value: Any, path: str) -> bool | None:
        """True or false as people and systems write it; None when it says neither."""
        word = (_scalar(value) or "").strip().lower() if value is not None else ""
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        self.note(path, "not_a_yes_or_no", value)
        return None

    def number(self, value: Any, path: str) -> float | None:
        """A finite number, also with a decimal comma or Arabic digits; None when absent or none."""
        text = clean_line(_scalar(value) or "") if value is not None else ""
        if not text:
            if isinstance(value, Mapping | list | tuple) and value:
                self.note(path, "not_a_number", value)
            return None
        try:
            number = float(text.replace("٫", ".").replace(",", "."))
        except (ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            self.note(path, "not_a_number", value)
            return None
        return number

    def instant(self, value: Any, path: str) -> datetime | None:
        """An instant in UTC, from a written date and time or a count since 1970.

        What is written without an offset is in `zone`, its numbers in the order of `country`.
        """
        if value is None or value == "":
            return None
        at: datetime | None = None
        if isinstance(value, str):
            text = clean_line(value)
            if text.isdecimal() and len(text) in (10, 13):
                at = epoch_instant(int(text))
            else:
                at = written_instant(text, self.zone, self.country)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            # False for NaN and for integers that no float can hold, too.
            at = epoch_instant(value) if abs(value) < 1e15 else None
        if at is None:
            self.note(path, "instant_not_known", value)
            return None
        return at.astimezone(UTC)


def _scalar(value: Any) -> str | None:
    """A scalar as text; None for objects and lists."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 256 else None
    if isinstance(value, float):
        whole = math.isfinite(value) and value.is_integer() and abs(value) < 1e16
        return str(int(value)) if whole else str(value)
    return None


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 256:
        return "…"
    if isinstance(value, Mapping):
        return "{" + ", ".join(str(key) for key in list(value)[:20] if isinstance(key, str)) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(_scalar(item) or "…" for item in value[:20])
    return str(value)
