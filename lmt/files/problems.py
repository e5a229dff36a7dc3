"""Why a file, or a row of it, can't be read as it is: named, so that its sender can mend it."""

from __future__ import annotations

from collections.abc import Callable

from lmt.i18n import gettext as _

LINE_TOO_LONG = "line_too_long"
NUL = "nul"
ENCODING = "encoding"
TOO_MANY_CELLS = "too_many_cells"
CELL_TOO_LONG = "cell_too_long"
ROW_PROBLEMS = (LINE_TOO_LONG, NUL, ENCODING, TOO_MANY_CELLS, CELL_TOO_LONG)


class FileProblem(Exception):
    """A file that isn't read; `code` is one of FILE_PROBLEMS, `facts` what its words mention."""

    def __init__(self, code: str, **facts: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


_WORDS: dict[str, Callable[[], str]] = {
    "empty": lambda: _("The file is empty."),
    "too_large": lambda: _("The file is too large."),
    "workbook_too_large": lambda: _(
        "This workbook is too large to be opened. Save its sheet as CSV and send that."
    ),
    "too_many_columns": lambda: _("The file has more columns than the %(most)s that can be read."),
    "not_a_table": lambda: _("No table was found in this file."),
    "html": lambda: _(
        "This is a web page, whatever its name says. Open it in a spreadsheet, save it as XLSX or"
        " CSV and send that."
    ),
    "xml": lambda: _("This is an XML file. Save it as XLSX or CSV and send that."),
    "json": lambda: _("This is a JSON file. Send it to the API, or save it as XLSX or CSV."),
    "archive": lambda: _("This is a packed archive. Unpack it and send the table inside."),
    "archive_bomb": lambda: _(
        "This workbook unpacks to far more than a workbook holds, so it was not opened."
    ),
    "encrypted": lambda: _("This workbook has a password. Save it without one and send that."),
    "pdf": lambda: _("This is a PDF document. Send the table as XLSX or CSV."),
    "image": lambda: _("This is a picture. Send the table as XLSX or CSV."),
    "not_text": lambda: _("This file is neither a workbook nor text."),
    "unreadable": lambda: _(
        "This workbook is damaged or of an unknown kind. Save it again as XLSX or CSV."
    ),
    "no_such_sheet": lambda: _("The workbook has no sheet named “%(sheet)s”."),
}
FILE_PROBLEMS = tuple(_WORDS)

_ROW_WORDS: dict[str, Callable[[], str]] = {
    LINE_TOO_LONG: lambda: _("The line is too long, or a quotation mark in it is never closed."),
    NUL: lambda: _("The line holds bytes that are no text."),
    ENCODING: lambda: _("Some characters are in another encoding than the rest of the file."),
    TOO_MANY_CELLS: lambda: _("The line has more cells than there are columns."),
    CELL_TOO_LONG: lambda: _("A cell is too long."),
}


def file_problem_words(problem: FileProblem) -> str:
    """A sentence for the reader in force; that of "unreadable" for a code without one."""
    words = _WORDS.get(problem.code, _WORDS["unreadable"])()
    return words % problem.facts if problem.facts and "%(" in words else words


def row_problem_words(code: str) -> str:
    """A sentence for one of ROW_PROBLEMS; the code itself for any other."""
    words = _ROW_WORDS.get(code)
    return words() if words else code
