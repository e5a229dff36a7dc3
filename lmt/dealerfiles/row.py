"""One line of a list of dealers as it was understood, and what is wrong with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ERROR, NOTE = "error", "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error rejects the line, a note is told. `code` has words in `lmt.dealerfiles.words`,
    `column` is the file's name of it, `given` what stood there; `figures` are plain values."""

    code: str
    field: str = ""
    column: str = ""
    given: str = ""
    kind: str = ERROR
    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class DealerRow:
    """`number` is counted from 1, the header excepted. `values` hold fields of a DealerState that
    the line states; `region` helps to tell namesakes apart where it states no coordinates."""

    number: int
    code: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()
    region: str = ""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.kind == ERROR)

    @property
    def name(self) -> str:
        return str(self.values.get("name", ""))
