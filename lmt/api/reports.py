"""Reports for programs, by a key that reads what its owner may read: the same questions as on the
pages, the same answers as numbers."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, cast

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import clock, i18n, reportkeys, savedreports, web
from lmt.api.leads import blueprint
from lmt.api.reportshapes import ANY, ASKED, ReportAnswer, ReportList
from lmt.i18n import gettext as _
from lmt.ingest.machines import Problem, system_session
from lmt.models import User
from lmt.patience import in_time
from lmt.reports import standard
from lmt.reports.asjson import as_json
from lmt.reports.ask import ask
from lmt.reports.question import LONGEST_DAYS, MOST_FIGURES, MOST_VALUES
from lmt.reports.question import Problem as Unread
from lmt.reports.reading import parameters_of, question_for, week_start_of
from lmt.scope import Actor, act_as, actor_of

PERMISSION = "report.read"
RATE = "60 per minute"
"""For each person, whichever of their keys: a program that asks more often is told to wait."""

_REFUSALS = {
    "401": {"description": "No key of reports that still opens something"},
    "429": {"description": "Too many of this key's owner; see Retry-After"},
}


def _asker() -> str:
    """Whose requests are counted together: a person's, or those of a key that opens nothing."""
    if (user_id := _owner_id(clock.now())) is not None:
        return f"report-owner:{user_id}"
    given = request.headers.get("Authorization", "")
    return f"report-key:{hashlib.sha256(given.encode()).hexdigest()}"


def _owner_id(at: datetime) -> int | None:
    """Whose key the request has, looked up once; None for none that opens something."""
    if "report_owner_id" not in g:
        scheme, _blank, key = request.headers.get("Authorization", "").partition(" ")
        is_key = scheme.lower() == "bearer"
        owner_id = reportkeys.owner_of_key(system_session(), key.strip(), at) if is_key else None
        g.report_owner_id = owner_id
    return cast("int | None", g.report_owner_id)


@blueprint.get("/reports")
@web.limiter.limit(RATE, key_func=_asker)
@blueprint.doc(
    summary="The reports that this key can ask for",
    tags=["reports"],
    security=[{"key": []}],
    responses={
        "200": {
            "description": "Standard and saved ones",
            "content": {"application/json": {"schema": ReportList}},
        },
        **_REFUSALS,
    },
)
def list_reports() -> ResponseReturnValue:
    session, person = _authenticated(clock.now())
    found = [
        _listed(each.code, str(each.name), "standard", dict(each.start))
        for each in standard.STANDARD
        if not each.permission or person.may(each.permission)
    ]
    found += [
        _listed(str(each.id), each.name, "saved", each.address)
        for each in savedreports.saved_of(session, person.id)
    ]
    return jsonify({"reports": found})


@blueprint.get("/reports/<report>")
@web.limiter.limit(RATE, key_func=_asker)
@blueprint.doc(
    summary="Ask a report, as far as the key's owner may see",
    description=(
        "The parameters are those of the report's page: what is left out is as the report has it."
        " Any dimension can be given as a filter, once for each group."
    ),
    tags=["reports"],
    security=[{"key": []}],
    parameters=ASKED,
    responses={
        "200": {
            "description": "The answer",
            "content": {"application/json": {"schema": ReportAnswer}},
        },
        **_REFUSALS,
        "404": {"description": "No such report, or it isn't shared with the key's owner"},
        "422": {"description": "A parameter can't be used; `errors` names it"},
    },
)
def answer_report(report: str) -> ResponseReturnValue:
    at = clock.now()
    session, person = _authenticated(at)
    begun = _begun_from(session, person, report)
    with act_as(web.installation().reading_sessions(), g.actor) as reading:
        in_time(reading)
        week_start = week_start_of(reading, person.week_start)
        question, problems = question_for(
            reading, _given(), at=at, week_start=week_start, begun=begun
        )
        if problems:
            errors = [
                {"field": each.parameter, "message": _problem_words(each)} for each in problems
            ]
            raise Problem(422, "invalid", _("The question could not be read."), errors)
        answer = ask(
            reading,
            question,
            at=at,
            currency=web.settings().currency,
            week_start=week_start,
        )
        return jsonify(as_json(answer))


def _authenticated(at: datetime) -> tuple[Session, User]:
    """The request's session, acting as the key's owner with nothing but the right to see reports,
    and that owner; in their language and days, unless the request asks for a language."""
    session = system_session()
    user_id = _owner_id(at)
    person = None if user_id is None else session.get(User, user_id)
    if person is None or not person.active or not person.may(PERMISSION):
        raise Problem(401, "unauthorized", _("Send a key of reports as a bearer token."))
    whole = actor_of(person)
    g.actor = Actor(person.id, whole.permissions & {PERMISSION}, whole.parts)
    act_as(session, g.actor)
    language = i18n.reader().locale if request.accept_languages else person.language
    i18n.set_reader(language, person.timezone)
    return session, person


def _begun_from(session: Session, person: User, report: str) -> dict[str, list[str]]:
    """What the report asks by itself. Raises Problem where the owner has no such."""
    if report == ANY:
        return {}
    if report.isascii() and report.isdigit() and len(report) < 10:
        try:
            found = savedreports.open_report(session, int(report), g.actor)
        except LookupError:
            raise _unknown() from None
        told = parameters_of(found.address)
        code = (told.get("report") or [""])[0]
    else:
        told, code = {"report": [report]}, report
    known = standard.BY_CODE.get(code)
    if code and (known is None or (known.permission and not person.may(known.permission))):
        raise _unknown()
    return told


def _given() -> dict[str, list[str]]:
    """What the request says itself. The report it asks is named by its path."""
    return {name: values for name, values in request.args.lists() if name not in {"lang", "report"}}


def _problem_words(problem: Unread) -> str:
    match problem.code:
        case "no_date":
            return _("Write days as 2026-03-31.")
        case "backwards":
            return _("The first day comes after the last.")
        case "long":
            return _("A report covers %(days)s days at most.", days=LONGEST_DAYS)
        case "many":
            most = MOST_FIGURES if problem.parameter == "figures" else MOST_VALUES
            return _("Name %(most)s at most.", most=most)
        case _:
            return _("“%(given)s” is not known here.", given=problem.given)


def _unknown() -> Problem:
    return Problem(404, "not_found", _("There is no such report for this key's owner."))


def _listed(id: str, name: str, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "kind": kind,
        "url": f"{web.settings().base_url}/api/v1/reports/{id}",
        "parameters": parameters,
    }


__all__ = ["answer_report", "blueprint", "list_reports"]
