"""A process of its own that writes one sheet of a workbook as UTF-8 CSV: `python -m` this module.

Its memory, processor time and output are limited, for a workbook may be made to exhaust them.
Arguments: the workbook, the file to write, the sheet's name ("" for the first with a table). It
prints one JSON object: `format`, `sheet` and `sheets`, or `problem` and `facts`.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from lmt.files import limits

_OLE = b"\xd0\xcf\x11\xe0"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"

Cell = int | float | str | bool | time | date | datetime | timedelta


class _Refused(Exception):
    def __init__(self, problem: str, **facts: int | str) -> None:
        super().__init__(problem)
        self.said = {"problem": problem, "facts": facts}


def main(arguments: list[str]) -> int:
    source, target, sheet = arguments
    _limit_itself(Path(source).stat().st_size)
    try:
        said: dict[str, Any] = _written(Path(source), Path(target), sheet)
    except _Refused as refused:
        said = refused.said
    except PasswordError:
        said = {"problem": "encrypted", "facts": {}}
    except (CalamineError, zipfile.BadZipFile, NotImplementedError) as error:
        # The library has a limit of its own, without a type.
        is_limit = "limit exceeded" in str(error)
        said = {"problem": "workbook_too_large" if is_limit else "unreadable", "facts": {}}
    except (MemoryError, OSError):
        said = {"problem": "workbook_too_large", "facts": {}}
    except Exception:
        # What is damaged fails in any way: of a broken stream zlib tells, of half a one EOFError.
        said = {"problem": "unreadable", "facts": {}}
    print(json.dumps(said))
    return 0


def cell_text(value: Cell) -> str:
    """A cell as text: dates in ISO form, numbers plain and whole ones without a point."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        return format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        # A day's fraction of a second is the error of its binary fraction.
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _limit_itself(size: int) -> None:
    # A few kilobytes can ask for hours of work, and somebody waits for the answer.
    seconds = limits.WORKBOOK_CPU_SECONDS_AT_LEAST + size // limits.WORKBOOK_BYTES_A_CPU_SECOND
    for what, most in (
        (resource.RLIMIT_AS, limits.WORKBOOK_MEMORY_BYTES),
        (resource.RLIMIT_CPU, min(seconds, limits.WORKBOOK_CPU_SECONDS)),
        (resource.RLIMIT_FSIZE, limits.MAX_CONVERTED_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _written(source: Path, target: Path, wanted: str) -> dict[str, Any]:
    kind = _format(source)
    with _workbook(source, target, kind) as workbook:
        name, sheet = _chosen(workbook, wanted)
        if sheet.width > limits.MAX_COLUMNS:
            raise _Refused("too_many_columns", most=limits.MAX_COLUMNS)
        with target.open("w", encoding="utf-8", errors="replace", newline="") as text:
            writer = csv.writer(text)
            for row in sheet.iter_rows():
                writer.writerow([c if type(c) is str else cell_text(c) for c in row])
        return {
            "format": "xlsx" if kind == "xlsb" else kind,
            "sheet": name,
            "sheets": workbook.sheet_names[: limits.MAX_SHEETS],
        }


def _workbook(source: Path, target: Path, kind: str) -> CalamineWorkbook:
    """The workbook under a name that says its kind: the library tells why it fails only then."""
    named = target.with_suffix(f".{kind}")
    named.unlink(missing_ok=True)
    named.symlink_to(source)
    try:
        return CalamineWorkbook.from_path(named)
    except PasswordError:
        raise
    except CalamineError:
        if kind != "xls":
            raise
        # An encrypted XLSX comes in the same container as an old workbook.
        return _workbook(source, target, "xlsx")
    finally:
        named.unlink(missing_ok=True)


def _format(source: Path) -> str:
    """What its inside says it is. Raises _Refused for what is no workbook or too much of one."""
    with source.open("rb") as file:
        if file.read(4) == _OLE:
            return "xls"
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if not ({"xl/workbook.xml", "xl/workbook.bin"} & names or "content.xml" in names):
            raise _Refused("archive")
        unpacked = sum(entry.file_size for entry in entries)
        packed = max(1, source.stat().st_size)
        if (
            len(entries) > limits.MAX_ARCHIVE_ENTRIES
            or unpacked > limits.MAX_UNPACKED_BYTES
            or (
                unpacked > limits.RATIO_COUNTS_FROM_BYTES
                and unpacked > packed * limits.MAX_UNPACKED_RATIO
            )
        ):
            raise _Refused("archive_bomb")
        if any(entry.flag_bits & 1 for entry in entries):
            raise _Refused("encrypted")
        if "content.xml" not in names:
            return "xlsx" if "xl/workbook.xml" in names else "xlsb"
        if "mimetype" in names and archive.open("mimetype").read(200).startswith(_ODS):
            return "ods"
        raise _Refused("archive")


def _chosen(workbook: CalamineWorkbook, wanted: str) -> tuple[str, CalamineSheet]:
    """The sheet of that name, else the first that is seen and holds a table, else any value."""
    if wanted:
        if wanted not in workbook.sheet_names:
            raise _Refused("no_such_sheet", sheet=wanted)
        return wanted, workbook.get_sheet_by_name(wanted)
    single = ""
    for sheet in workbook.sheets_metadata[: limits.MAX_SHEETS]:
        if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
            continue
        read = workbook.get_sheet_by_name(sheet.name)
        if read.height > 1 and read.width > 1:
            return sheet.name, read
        if read.height and not single:
            single = sheet.name
        del read
    if not single:
        raise _Refused("empty")
    return single, workbook.get_sheet_by_name(single)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
