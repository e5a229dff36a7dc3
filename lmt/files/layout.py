"""How a file of leads or dealers is to be read: settled once when it comes, then kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMATS = ("csv", "xlsx", "xls", "ods")
# Stands in no text: the delimiter of a file of one column, whose commas are its own.
ONE_COLUMN = "\x1f"
DELIMITERS = ("\t", ";", "|", ",")
TO_BE_TOLD = -1


@dataclass(frozen=True, slots=True)
class Layout:
    """`format` is "csv" for any delimited text, else "xlsx" (or its binary kin), "xls", "ods".

    `encoding` is Python's name, `delimiter` one of DELIMITERS or ONE_COLUMN, `quote` a character
    or "" where none quotes; for workbooks they are those of the text that it is turned into.
    `header_line` counts the records from 1, blank ones too; 0 where there is no header.
    `columns` are unique, never blank names.

    A layout without `columns` is a wish: what it names is kept ("" and TO_BE_TOLD name nothing),
    the rest is told from the content.
    """

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""
    header_line: int = TO_BE_TOLD
    columns: tuple[str, ...] = ()

    @property
    def written_delimiter(self) -> str:
        """What to put between cells when a file like this one is written with more columns."""
        return "," if self.delimiter == ONE_COLUMN else self.delimiter

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Raises KeyError or TypeError for what `to_json` did not make."""
        return cls(**{**data, "columns": tuple(str(each) for each in data["columns"])})
