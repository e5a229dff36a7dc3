"""What the address of a report asks, for the reader at hand; and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import g, request

from lmt import i18n, web
from lmt.attributes import fields_at_hand
from lmt.forms.fields import FieldDefinition
from lmt.models import Market, SavedReport
from lmt.reports import reading
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.ownfields import grouping_fields
from lmt.reports.question import Problem, Question
from lmt.reports.reading import parameters_of, question_for, week_start_of
from lmt.reports.standard import STANDARD, Standard
from lmt.savedreports import open_report

SAVED = "saved"
"""The parameter that names a saved report, whose name the page then has."""


def asked() -> tuple[Question, list[Problem]]:
    """The question of this request's address, and what of it could not be used.

    An address that names nothing but a saved report asks what was saved.
    """
    return question_of(given())


def answered(question: Question) -> Answer:
    """As far as the reader's part of the world goes."""
    return ask(
        web.reports_db(),
        question,
        at=web.at(),
        currency=web.settings().currency,
        week_start=reader_week_start(),
    )


def given() -> dict[str, list[str]]:
    """The parameters of this request, or those that were saved."""
    told = {name: values for name, values in request.args.lists() if name != "lang"}
    saved = saved_report()
    if saved is None or told.keys() - {SAVED}:
        return told
    return parameters_of(saved.address)


def question_of(told: Mapping[str, list[str]]) -> tuple[Question, list[Problem]]:
    """What these parameters ask, as a form sends them too."""
    known = dict(told)
    known["figures"] = _in_order(known.get("figures", []), known.pop("order", []))
    return question_for(web.reports_db(), known, at=web.at(), week_start=reader_week_start())


def _in_order(figures: list[str], order: list[str]) -> list[str]:
    """What a form ticks, in the order in which the page had it; new ones behind."""
    before = [code for text in order for code in text.split(",")]
    if not before:
        return figures
    return sorted(figures, key=lambda code: before.index(code) if code in before else len(before))


def address_of(question: Question) -> dict[str, Any]:
    """The question as parameters for `url_for`."""
    return {**question.parameters()}


def standard_of(code: str) -> Standard | None:
    """The standard report of that code, where the reader may see it."""
    found = next((each for each in STANDARD if each.code == code), None)
    return found if found is None or may_see(found) else None


def may_see(standard: Standard) -> bool:
    return not standard.permission or web.may(standard.permission)


def saved_report() -> SavedReport | None:
    """The saved report that the address names, where it is the reader's or shared with them."""
    id = request.args.get(SAVED, "")
    if not (id.isascii() and id.isdigit() and len(id) < 10):
        return None
    if "saved_report" not in g:
        try:
            g.saved_report = open_report(web.db(), int(id), web.actor())
        except LookupError:
            g.saved_report = None
    return cast("SavedReport | None", g.saved_report)


def own_fields() -> list[FieldDefinition]:
    """The custom fields that this reader's reports can be grouped by."""
    if "report_fields" not in g:
        g.report_fields = grouping_fields(fields_at_hand(web.db()))
    return cast(list[FieldDefinition], g.report_fields)


def reader_today() -> date:
    """The day it is where the reader is."""
    return web.at().astimezone(ZoneInfo(i18n.reader().timezone)).date()


def reader_week_start() -> int:
    """On which day the reader's weeks begin, 0 for Monday: as they chose, else as in their market,
    else as in their language."""
    if "report_week_start" not in g:
        g.report_week_start = week_start_of(web.db(), web.user().week_start)
    return cast(int, g.report_week_start)


def only_market() -> Market | None:
    """The market of a reader who sees no other."""
    if "report_market" not in g:
        g.report_market = reading.only_market(web.db())
    return cast("Market | None", g.report_market)
