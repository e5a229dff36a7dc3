"""Imports in the reader's words: how they stand, what became of their rows, what their file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from babel.support import LazyProxy

from lmt.files.layout import ONE_COLUMN, Layout
from lmt.files.problems import FILE_PROBLEMS, FileProblem, file_problem_words
from lmt.i18n import gettext as _
from lmt.i18n import language_name
from lmt.i18n import lazy_gettext as _l
from lmt.imports.refusals import stopped_words
from lmt.models import ImportRun

STATES: Mapping[str, LazyProxy] = {
    "draft": _l("Being prepared"),
    "checking": _l("Being checked"),
    "checked": _l("Checked"),
    "waiting": _l("About to begin"),
    "running": _l("Running"),
    "paused": _l("Paused"),
    "finished": _l("Finished"),
    "failed": _l("Stopped"),
    "undoing": _l("Being taken back"),
    "undone": _l("Taken back"),
}
CHIPS: Mapping[str, str] = {
    "draft": "queue",
    "checking": "work",
    "checked": "queue",
    "waiting": "new",
    "running": "work",
    "paused": "queue",
    "finished": "won",
    "failed": "band-hot",
    "undoing": "work",
    "undone": "done",
}
OUTCOMES: Mapping[str, LazyProxy] = {
    "accepted": _l("New leads"),
    "asked_again": _l("Had asked before, joined to their open lead"),
    "repeated": _l("Had been delivered before"),
    "history": _l("Kept as history of calls"),
    "suppressed": _l("Don't want to be contacted"),
    "failed": _l("Failed"),
}
"""In the order in which they are told; together they are the rows that were read."""
EXPECTED: Mapping[str, LazyProxy] = {
    "routed": _l("Will become leads"),
    "history": OUTCOMES["history"],
    "suppressed": OUTCOMES["suppressed"],
    "repeated": _l("Say the same as an earlier row"),
    "failed": _l("Will fail"),
}
_DELIMITERS: Mapping[str, LazyProxy] = {
    ",": _l("comma"),
    ";": _l("semicolon"),
    "\t": _l("tab"),
    "|": _l("vertical bar"),
    ONE_COLUMN: _l("none: one column"),
}
_WRITTEN_IN: Mapping[str, tuple[str, ...]] = {
    "cp1250": ("pl", "cs", "hu"),
    "cp1251": ("ru", "uk", "bg"),
    "cp1252": ("en", "de", "fr", "es"),
    "cp1253": ("el",),
    "cp1254": ("tr",),
    "cp1256": ("ar", "fa"),
    "iso8859-2": ("pl", "cs", "hu"),
    "iso8859-9": ("tr",),
}
_FORMATS: Mapping[str, str] = {"xlsx": "XLSX", "xls": "XLS", "ods": "ODS"}


def delimiters() -> Sequence[tuple[str, str]]:
    """(its name in a form, words)"""
    names = {"\t": "tab", ONE_COLUMN: "one"}
    return [(names.get(sign, sign), str(words)) for sign, words in _DELIMITERS.items()]


def delimiter_named(name: str) -> str:
    """The delimiter that a form calls so; "" for none of them."""
    sign = {"tab": "\t", "one": ONE_COLUMN}.get(name, name)
    return sign if sign in _DELIMITERS else ""


def encoding_words(code: str) -> str:
    """An encoding with the languages that it is for, by which people know theirs."""
    spoken = [language_name(each) for each in _WRITTEN_IN.get(code, ())]
    return " · ".join([code.upper(), ", ".join(spoken)]) if spoken else code.upper()


def layout_words(layout: Layout) -> str:
    """What kind of table the file is."""
    if layout.format != "csv":
        name = _FORMATS.get(layout.format, layout.format.upper())
        return _("%(format)s, sheet “%(sheet)s”", format=name, sheet=layout.sheet)
    return _(
        "Text in %(encoding)s, columns parted by %(delimiter)s",
        encoding=layout.encoding.upper(),
        delimiter=str(_DELIMITERS.get(layout.delimiter, layout.delimiter)),
    )


def size_words(size: int) -> str:
    """Bytes as people read them."""
    if size < 1_000_000:
        return _("%(size)s KB", size=max(1, round(size / 1_000)))
    return _("%(size)s MB", size=round(size / 1_000_000))


def stopped(run: ImportRun) -> str:
    """Why it stopped before its end; "" where nothing did."""
    if run.problem in FILE_PROBLEMS:
        return file_problem_words(FileProblem(run.problem))
    return stopped_words(run.problem)
