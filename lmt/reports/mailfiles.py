"""The files that go with a report's mail: its chart as a picture and as a PDF, its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

from lmt.notify.envelope import File
from lmt.reports import export
from lmt.reports.answer import Answer
from lmt.reports.charts import chart_of, number_format
from lmt.reports.wording import Names, days_text

MOST_NAME = 60


def chart_png(answer: Answer, names: Names, title: str) -> bytes:
    """Its chart with its title, as wide as a mail."""
    from lmt.reports.drawing import png

    days = days_text(answer.question.first, answer.question.last)
    spec = chart_of(answer, theme="print", title=title, subtitle=days, names=names)
    return png(spec, 2, number_format())


def file_of(form: str, answer: Answer, names: Names, title: str) -> File:
    """The answer as xlsx, csv or pdf, under the report's name and days. Raises KeyError."""
    question = answer.question
    name = f"{_plain(title)} {question.first.isoformat()} {question.last.isoformat()}.{form}"
    return File(name, _TYPES[form], _MAKERS[form](answer, names, title))


def _pdf(answer: Answer, names: Names, title: str) -> bytes:
    from lmt.reports.paper import page

    return page(answer, names, title=title)


def _csv(answer: Answer, _names: Names, _title: str) -> bytes:
    return "".join(export.csv_lines(answer)).encode()


def _xlsx(answer: Answer, names: Names, title: str) -> bytes:
    book = BytesIO()
    export.xlsx(answer, book, names, title=title)
    return book.getvalue()


def _plain(title: str) -> str:
    """What every file system takes, of any script."""
    kept = "".join(sign if sign.isalnum() or sign in "-_." else " " for sign in title)
    return " ".join(kept.split())[:MOST_NAME].strip() or "report"


_TYPES = {
    "xlsx": export.XLSX_TYPE,
    "csv": "text/csv",
    "pdf": "application/pdf",
}
_MAKERS: Mapping[str, Callable[[Answer, Names, str], bytes]] = {
    "xlsx": _xlsx,
    "csv": _csv,
    "pdf": _pdf,
}
