"""What a form's script asks for and sends: itself, another language, the answers, the promise."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from lmt import clock, i18n, web
from lmt.embed.blueprint import blueprint
from lmt.embed.counting import BY_BROWSERS, count
from lmt.embed.origins import allowed_origin
from lmt.embed.pages import PRIVATE, thanks_html
from lmt.embed.promise import Promise, promise_of, redirect_of, status_token_of
from lmt.embed.rates import is_flood, may_count
from lmt.embed.script import answer_data, answer_script
from lmt.embed.shown import (
    ShownForm,
    asked_language,
    asked_version,
    asked_zone,
    shown_form,
    version_number,
)
from lmt.embed.submission import (
    Submission,
    errors_of,
    is_from_elsewhere,
    read_submission,
    take,
)
from lmt.forms.page import VERSION_FIELD
from lmt.forms.token import issue_token
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.ingest.machines import Problem, answer_problem

FOR_SCRIPTS = frozenset(
    {"embed.data", "embed.send", "embed.sent", "embed.count_visit", "embed.dealers"}
)
"""Addresses whose callers read no page."""
PER_ADDRESS = "600 per minute"
FORM_TYPES = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
MOST_COUNT_BYTES = 8_000


@blueprint.get("/embed/<code>.js")
@web.limiter.limit(PER_ADDRESS)
def script(code: str) -> ResponseReturnValue:
    """The form as a script. One that nobody may see answers 404 with nothing in it: no browser
    runs that, the page around goes on, and its console and monitoring say what is missing."""
    try:
        shown = shown_form(machines.system_session(), code, asked_version())
    except HTTPException as problem:
        return Response("", problem.code, mimetype="text/javascript")
    return answer_script(shown, clock.now())


@blueprint.get("/embed/<code>.json")
@web.limiter.limit(PER_ADDRESS)
def data(code: str) -> ResponseReturnValue:
    """The form in the language and version asked for, as the script's data."""
    shown = shown_form(machines.system_session(), code, asked_version())
    return answer_data(shown, clock.now())


@blueprint.post("/embed/<code>/send")
def send(code: str) -> ResponseReturnValue:
    """The answers, all at once. 200 with what to show; 422 with what is wrong by input; 409 with a
    token to send again by; 403 for a page that the form isn't on (kept for a person all the same).
    """
    at = clock.now()
    if request.mimetype not in FORM_TYPES:
        raise Problem(415, "no_form", _("Send the answers as a form."))
    session = machines.system_session()
    shown = shown_form(session, code, asked_version())
    if is_flood(code):
        detail = _("This form was sent too often from here. Wait a minute, then send it again.")
        answer = answer_problem(Problem(429, "too_many_requests", detail))
        answer.headers["Retry-After"] = "60"
        return answer
    submission = read_submission(session, shown, at)
    secret = web.settings().secret_key
    token = issue_token(secret, code, shown.version.number, at)
    named = request.form.get(VERSION_FIELD, "")
    if named and asked_version() != shown.version.number:
        with i18n.reading(submission.language):
            notice = _("This form has changed since you opened it. Please load the page again.")
        return _private(jsonify(token=token, notice=notice)), 409
    if errors := errors_of(submission):
        count(web.installation().sessions, shown, "error", at, errors)
        return _private(jsonify(errors=errors, token=submission.token or token)), 422
    if submission.token_problem in {"too_fast", "expired"}:
        with i18n.reading(submission.language):
            notice = _("Please check the form and send it once more.")
        fast = submission.token_problem == "too_fast"
        return _private(jsonify(token=submission.token if fast else token, notice=notice)), 409
    return _sent(submission)


def _sent(submission: Submission) -> ResponseReturnValue:
    at = clock.now()
    session, shown = machines.system_session(), submission.shown
    taken = take(session, submission, at)
    if not taken.repeated:
        kind = "review" if taken.review else "sent"
        count(web.installation().sessions, shown, kind, at)
    if is_from_elsewhere(submission):
        detail = _("This form is not on your page; a person will look at what was sent.")
        raise Problem(403, "other_origin", detail)
    token, promise = "", Promise(known=taken.known)
    if taken.lead is not None:
        token = status_token_of(taken.lead.id, at)
        promise = promise_of(session, shown, token, submission.zone, clock.now())
    answer = _told(shown, submission.language, promise)
    return _private(jsonify(answer | {"sent": token, "redirect": redirect_of(shown)}))


@blueprint.get("/embed/<code>/sent/<token>")
@web.limiter.limit("120 per minute")
def sent(code: str, token: str) -> ResponseReturnValue:
    """What became of it meanwhile, as `send` told it."""
    session = machines.system_session()
    shown = shown_form(session, code, asked_version())
    promise = promise_of(session, shown, token, asked_zone(), clock.now())
    return _private(jsonify(_told(shown, asked_language(shown.definition), promise)))


def _told(shown: ShownForm, language: str, promise: Promise) -> dict[str, Any]:
    return {
        "reference": promise.reference,
        "status_url": promise.status_url,
        "routed": promise.routed,
        "html": thanks_html(shown, language, promise),
    }


@blueprint.post("/embed/<code>/count")
def count_visit(code: str) -> ResponseReturnValue:
    """A beacon: the form was seen, begun, refused an answer. Nobody waits for what it answers, so
    it is the same whatever came."""
    told = _beacon()
    if told and may_count():
        version = version_number(told.get("version"))
        shown = shown_form(machines.system_session(), code, version)
        kind, fields = told.get("kind"), told.get("fields")
        names = [name for name in fields if isinstance(name, str)] if type(fields) is list else []
        if type(kind) is str and kind in BY_BROWSERS and _is_counted(shown, kind):
            count(web.installation().sessions, shown, kind, clock.now(), names)
    return "", 204


def _beacon() -> dict[str, Any]:
    """What a browser told, {} for anything else."""
    if (request.content_length or 0) > MOST_COUNT_BYTES:
        return {}
    try:
        told = json.loads(request.get_data())
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _is_counted(shown: ShownForm, kind: str) -> bool:
    origin = request.headers.get("Origin", "")
    if origin in shown.form.origins:
        return True
    # Our own pages were counted as seen when they were asked for.
    return kind != "seen" and allowed_origin(shown.form, origin, web.settings().base_url)


def _private(response: Response) -> Response:
    response.headers.update(PRIVATE)
    return response
