"""What a scheduled report's mail tells: the question asked anew as its reader, when its turn comes.

Nothing but the schedule and the reader is kept in the outbox: a mail that is tried again, or sent
twice by a crash, is the same question at the same Message-ID, asked once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from lmt import i18n
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Message, ReportSchedule, SavedReport, User
from lmt.notify.envelope import File
from lmt.notify.facts import MailFacts, ReportTold
from lmt.notify.mutes import SCHEDULED, is_muted, of_schedule
from lmt.notify.outbox import Made, Makers
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.chartdata import value_of
from lmt.reports.comparing import tally_before
from lmt.reports.figures import BY_CODE
from lmt.reports.mailfiles import chart_png, file_of
from lmt.reports.mailing import may_have_reports
from lmt.reports.question import Question
from lmt.reports.reading import names_in, parameters_of, question_for, week_start_of
from lmt.reports.standard import BY_CODE as STANDARDS
from lmt.reports.tally import Tally
from lmt.reports.wording import (
    Names,
    days_text,
    dimension_name,
    empty_past,
    figure_text,
    question_words,
)
from lmt.scope import act_as, actor_of

MOST_ROWS = 20
MOST_FIGURES = 5
MOST_COLUMNS = 5
MOST_BYTES = 15_000_000
"""Of all files together: many servers take no mail above 20 MB as it is encoded."""


def makers(reading_sessions: SessionFactory) -> Makers:
    """For the outbox; the sessions are those that figures are read by."""

    def make(session: Session, message: Message, settings: Settings, at: datetime) -> Made | None:
        return _made(session, reading_sessions, message, settings, at)

    return {SCHEDULED: make}


def _made(
    session: Session,
    reading_sessions: SessionFactory,
    message: Message,
    settings: Settings,
    at: datetime,
) -> Made | None:
    """None where the schedule or its report is gone, or its reader may have it no more, or wants it
    no more."""
    schedule_id = int(message.context["schedule_id"])
    found = session.execute(
        select(ReportSchedule, SavedReport)
        .join(SavedReport, SavedReport.id == ReportSchedule.report_id)
        .where(ReportSchedule.id == schedule_id)
    ).first()
    person = session.scalars(
        select(User)
        .options(selectinload(User.scopes))
        .where(User.id == int(message.context["user_id"]), may_have_reports())
    ).first()
    if found is None or person is None or person.email != message.recipient:
        return None
    schedule, report = found
    if person.id not in schedule.recipients or is_muted(
        session, message.recipient, of_schedule(schedule_id)
    ):
        return None
    standard = STANDARDS.get(str(report.address.get("report", "")))
    if standard is not None and standard.permission and not person.may(standard.permission):
        return None
    with _read_by(person, message), act_as(reading_sessions(), actor_of(person)) as reading:
        week_start = week_start_of(reading, person.week_start)
        question, _problems = question_for(
            reading,
            parameters_of(report.address),
            # As of the day on which it was due, however long the mail was held up.
            at=message.created_at,
            week_start=week_start,
        )
        answer = ask(reading, question, at=at, currency=settings.currency, week_start=week_start)
        names = names_in(reading, question, answer, at)
        told = _told(report, answer, names, settings.base_url)
        files = [file_of(form, answer, names, report.name) for form in schedule.files if told.rows]
        if sum(len(file.content) for file in files) > MOST_BYTES:
            files = []
            note = _("The files are too large for a mail. Take them from the report's page.")
            told = replace(told, notes=(*told.notes, note))
        if told.rows:
            picture = chart_png(answer, names, report.name)
            cid = f"chart.{message.id}@lmt"
            files.append(File("chart.png", "image/png", picture, shown_as=cid))
            told = replace(told, picture=cid)
    by = "" if schedule.user_id == person.id else report.user.name
    return MailFacts(written_at=at, report=replace(told, by=by)), files


@contextmanager
def _read_by(person: User, message: Message) -> Iterator[None]:
    """In the language of the message, with the person's own manner of numbers."""
    with i18n.reading(message.language, message.timezone):
        i18n.set_reader(message.language, message.timezone, person.number_style)
        yield


def _told(report: SavedReport, answer: Answer, names: Names, base_url: str) -> ReportTold:
    question = answer.question
    shown = answer.rows[:MOST_ROWS] if any(answer.total.counts.values()) else ()
    table = _by_column if question.columns else _by_figure
    head, lines = table(answer, [*(key.value for key in shown), None])
    corner = dimension_name(question.rows, names)
    notes = [_NOTES[code] for code in answer.notes if code in _NOTES]
    rows = tuple((key.name or _("All"), *line) for key, line in zip(shown, lines, strict=False))
    return ReportTold(
        name=report.name,
        question=question_words(question, names),
        days=days_text(question.first, question.last),
        address=f"{base_url}/reports/show?{urlencode(_address(report, question), doseq=True)}",
        leave_address=f"{base_url}/reports/schedules",
        head=(corner, *head),
        rows=rows,
        total=(_("All"), *lines[-1]) if question.rows and len(rows) > 1 else (),
        more=len(answer.rows) - len(shown) if shown else 0,
        notes=tuple(filter(None, [*map(str, notes), empty_past(answer)])),
    )


def _by_figure(answer: Answer, rows: list[str | None]) -> tuple[list[str], list[list[str]]]:
    """A column for each figure, each value with the one it is compared with."""
    figures = answer.question.figures[:MOST_FIGURES]
    lines = [[_value(answer, code, row, None) for code in figures] for row in rows]
    return [str(BY_CODE[code].name) for code in figures], lines


def _by_column(answer: Answer, rows: list[str | None]) -> tuple[list[str], list[list[str]]]:
    """The first figure, for each group of the columns and for all of them."""
    code = answer.question.figures[0]
    columns = answer.columns[:MOST_COLUMNS]
    lines = [
        [
            *(_value(answer, code, row, each.value) for each in columns),
            _value(answer, code, row, None),
        ]
        for row in rows
    ]
    name = str(BY_CODE[code].name)
    return [*(each.name for each in columns), _("%(figure)s, all", figure=name)], lines


def _value(answer: Answer, code: str, row: str | None, column: str | None) -> str:
    now = _said(answer, code, answer.tally(row, column))
    if answer.before is None:
        return now
    before = tally_before(answer, row, column)
    if before is None:
        return now
    return _("%(now)s (before: %(before)s)", now=now, before=_said(answer.before, code, before))


def _said(answer: Answer, code: str, tally: Tally) -> str:
    return figure_text(code, value_of(code, tally, answer.currency), answer.currency)


def _address(report: SavedReport, question: Question) -> dict[str, str | list[str]]:
    """The question with its days, since a period of this mail is over when it is read later."""
    days = {"period": "days", "from": question.first.isoformat(), "to": question.last.isoformat()}
    return {**report.address, **days}


_NOTES = {
    "no_rate": _l("A market has no exchange rate for this time, so its amounts are left out."),
    "several_currencies": _l(
        "The amounts are in several currencies. Choose one currency for all to see them."
    ),
    "not_told": _l("Some figures can't be told apart this way; they show a dash."),
}
