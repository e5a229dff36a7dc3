"""The faces of a form: its page, its frame, its script; and the doors its answers come in by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from lmt import clock, i18n, web
from lmt import errors as error_pages
from lmt.embed import bodies, dealers, framing, scriptroutes, staticroutes
from lmt.embed.blueprint import blueprint
from lmt.embed.counting import count
from lmt.embed.dealers import FIND_FIELD, with_place_found
from lmt.embed.pages import Filled, answer_page, answer_thanks, new_page, page_again
from lmt.embed.promise import Promise, promise_of, redirect_of, status_token_of
from lmt.embed.rates import is_flood
from lmt.embed.shown import ShownForm, asked_version, asked_zone, shown_form
from lmt.embed.submission import Submission, Taken, read_submission, take, words_of
from lmt.forms import page
from lmt.forms.turns import next_page
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.ingest.accept import SourceChanged

__all__ = ["blueprint", "bodies", "dealers", "framing", "scriptroutes", "staticroutes"]

PER_ADDRESS = "600 per minute"
"""Of pages and scripts: a company's visitors share one address."""
FLOOD_SECONDS = "60"


@blueprint.get("/forms/<code>")
@web.limiter.limit(PER_ADDRESS)
def form(code: str) -> ResponseReturnValue:
    """The hosted page: prefilled by its address where the form's fields may be."""
    return _begin(code, "page")


@blueprint.get("/embed/<code>")
@web.limiter.limit(PER_ADDRESS)
def frame(code: str) -> ResponseReturnValue:
    """The same page for a frame on the pages of the form's origins."""
    return _begin(code, "frame")


@blueprint.post("/forms/<code>")
def submit(code: str) -> ResponseReturnValue:
    """A page that was answered: the next step, the same one with what is wrong, or thanks."""
    return _turn(code, "page")


@blueprint.post("/embed/<code>")
def submit_frame(code: str) -> ResponseReturnValue:
    return _turn(code, "frame")


@blueprint.get("/forms/<code>/thanks")
@blueprint.get("/forms/<code>/thanks/<token>")
def thanks(code: str, token: str = "") -> ResponseReturnValue:
    """What happens next: which dealer will call, by when, where to follow it.

    Without a token it tells nothing of any lead.
    """
    return _thank(code, "page", token)


@blueprint.get("/embed/<code>/thanks")
@blueprint.get("/embed/<code>/thanks/<token>")
def frame_thanks(code: str, token: str = "") -> ResponseReturnValue:
    return _thank(code, "frame", token)


def _begin(code: str, face: str) -> ResponseReturnValue:
    at = clock.now()
    session = machines.system_session()
    shown = shown_form(session, code)
    answer = answer_page(session, shown, face, new_page(shown, at), at)
    is_fetched_ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    if request.method == "GET" and not is_fetched_ahead:
        count(web.installation().sessions, shown, "seen", at)
    return answer


def _turn(code: str, face: str) -> ResponseReturnValue:
    at = clock.now()
    session = machines.system_session()
    shown = shown_form(session, code, asked_version())
    is_refused = is_flood(code)
    submission = read_submission(session, shown, at, keep=not is_refused)
    again = page_again(submission)

    def show(filled: Filled, status: int) -> ResponseReturnValue:
        return answer_page(session, shown, face, filled, at, status)

    if is_refused:
        answer = show(replace(again, notice=_flood_words(submission)), 429)
        answer.headers["Retry-After"] = FLOOD_SECONDS  # type: ignore[union-attr]
        return answer
    if not _is_version_known(shown):
        with i18n.reading(submission.language):
            notice = _("This form has changed since you opened it. Please look at it once more.")
        return show(replace(again, notice=notice, token=""), 422)
    if find := request.form.get(FIND_FIELD, ""):
        answers = with_place_found(submission.answers, find[:300])
        return show(replace(again, answers=answers, find=find[:300]), 200)
    turn = next_page(
        shown.definition,
        submission.answers,
        again.step,
        again.asked,
        submission.today,
        back=page.BACK_FIELD in request.form,
        wrong=submission.refused,
    )
    if not turn.complete:
        with i18n.reading(submission.language):
            notice = turn.notice
        errors = words_of(submission, turn.errors)
        count(web.installation().sessions, shown, "error", at, errors)
        told = replace(again, step=turn.step, errors=errors, notice=notice)
        return show(told, 422 if errors else 200)
    if submission.token_problem in {"too_fast", "expired"}:
        return show(_once_more(submission, again), 422)
    try:
        taken = take(session, submission, at)
    except machines.Problem as failed:
        with i18n.reading(submission.language):
            notice = _("Something went wrong on our side")
        return show(replace(again, notice=notice), failed.status)
    return redirect(_after(submission, taken, face), 303)


def _after(submission: Submission, taken: Taken, face: str) -> str:
    """Where the visitor goes from here: to the form's own page after sending, or to ours."""
    shown, at = submission.shown, clock.now()
    if not taken.repeated:
        kind = "review" if taken.review else "sent"
        count(web.installation().sessions, shown, kind, at)
    if face == "page" and (target := redirect_of(shown)):
        return target
    asked: dict[str, Any] = {
        "lang": submission.language,
        "version": shown.version.number,
        "zone": submission.zone or None,
        "known": "1" if taken.known else None,
        "token": status_token_of(taken.lead.id, at) if taken.lead else None,
    }
    endpoint = "embed.thanks" if face == "page" else "embed.frame_thanks"
    return url_for(endpoint, code=shown.form.code, **asked)


def _thank(code: str, face: str, token: str) -> ResponseReturnValue:
    session = machines.system_session()
    shown = shown_form(session, code, asked_version())
    promise = Promise(known="known" in request.args)
    if token:
        promise = promise_of(session, shown, token, asked_zone(), clock.now())
    return answer_thanks(shown, face, promise)


def _is_version_known(shown: ShownForm) -> bool:
    named = request.form.get(page.VERSION_FIELD, "")
    return not named or asked_version() == shown.version.number


def _once_more(submission: Submission, again: Filled) -> Filled:
    """Who was too fast keeps the token, which grows old enough by itself."""
    with i18n.reading(submission.language):
        notice = _("Please check the form and send it once more.")
    fast = submission.token_problem == "too_fast"
    return replace(again, notice=notice, token=submission.token if fast else "")


def _flood_words(submission: Submission) -> str:
    with i18n.reading(submission.language):
        return _("This form was sent too often from here. Wait a minute, then send it again.")


@blueprint.errorhandler(HTTPException)
def _http_error(problem: HTTPException) -> ResponseReturnValue:
    """Scripts get problem+json; a visitor gets the page that everybody gets."""
    if request.endpoint in scriptroutes.FOR_SCRIPTS:
        return machines.answer_http_error(problem)
    return error_pages.page(problem)


@blueprint.errorhandler(SQLAlchemyError)
def _database_error(_problem: SQLAlchemyError) -> ResponseReturnValue:
    return _http_error(ServiceUnavailable())


blueprint.register_error_handler(machines.Problem, machines.answer_problem)
blueprint.register_error_handler(SourceChanged, machines.answer_anew)
