"""One field of a delivery at a time, read tolerantly: what doesn't fit becomes a problem."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lmt.ingest.characters import clean_line, clean_text
from lmt.ingest.instants import epoch_instant, written_instant
from lmt.ingest.leadinput import MULTILINE, TEXT_LENGTHS, Problem

_TRUE = frozenset(["true", "yes", "y", "1", "on", "ja", "oui", "si", "sí", "tak", "evet", "نعم"])
_FALSE = frozenset(["false", "no", "n", "0", "off", "", "nein", "non", "nie", "nee", "hayır", "لا"])
_UNANSWERED = frozenset(
    ["-", "--", "---", ".", "_", "?", "n/a", "#n/a", "undefined", "[object object]"]
)
_GIVEN_LENGTH = 500


@dataclass(slots=True)
class Reading:
    """The problems met while one delivery is read; its methods never raise."""

    problems: list[Problem] = field(default_factory=list)

    def note(self, path: str, code: str, given: Any = "") -> None:
        """Remember what could not be understood; a long text is cut, `given` keeps it whole."""
        text = given if isinstance(given, str) else _shown(given)
        self.problems.append(Problem(path, code, clean_line(text[:_GIVEN_LENGTH])))

    def section(self, data: Mapping[Any, Any], name: str) -> Mapping[Any, Any]:
        """An object of the lead, empty when absent; anything but an object is noted."""
        value = data.get(name)
        if isinstance(value, Mapping):
            return value
        if value not in (None, "", []):
            self.note(name, "not_an_object", value)
        return {}

    def texts(self, data: Mapping[Any, Any], name: str) -> dict[str, str]:
        """Every text of one section of TEXT_LENGTHS, cleaned and within its length."""
        given = self.section(data, name)
        return {
            key: self.text(given.get(key), f"{name}.{key}", length, lines=key in MULTILINE)
            for key, length in TEXT_LENGTHS[name].items()
        }

    def text(self, value: Any, path: str, length: int, *, lines: bool = False) -> str:
        """The value as clean text; lists of texts are joined, objects noted."""
        if isinstance(value, list | tuple):
            value = ("\n" if lines else ", ").join(_scalar(item) or "" for item in value)
        text = _scalar(value)
        if text is None:
            self.note(path, "not_text", value)
            return ""
        clean = clean_text(text) if lines else clean_line(text)
        if clean.lower() in _UNANSWERED:
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
        """An instant in UTC, from ISO text with an offset or a count since 1970."""
        if value is None or value == "":
            return None
        at: datetime | None
        if isinstance(value, int | float) and not isinstance(value, bool):
            at = epoch_instant(value) if math.isfinite(value) else None
        else:
            at = written_instant(value) if isinstance(value, str) else None
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
