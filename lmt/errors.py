"""What a person reads when a page can't be shown, in their language and with a way on."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from lmt.i18n import gettext as _
from lmt.patience import AskedTooMuch, was_given_up
from lmt.web import forget_visitor, is_for_visitors, is_public, login_address

_MACHINES = ("/api/", "/ingest/")


def register(app: Flask, answer_machines: Callable[[HTTPException], ResponseReturnValue]) -> None:
    """Pages for people, and `answer_machines` where programs ask."""

    def answer(problem: HTTPException) -> ResponseReturnValue:
        if request.path.startswith(_MACHINES):
            return answer_machines(problem)
        if problem.code is None or problem.code < 400:
            return problem
        if problem.code == 401 and not _is_open_here():
            return redirect(login_address())
        return page(problem)

    def answer_late(problem: OperationalError) -> ResponseReturnValue:
        if was_given_up(problem):
            return answer(AskedTooMuch())
        raise problem

    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(OperationalError, answer_late)


def page(problem: HTTPException) -> ResponseReturnValue:
    """The error as a page, with the headers the error asks for."""
    code = problem.code or 500
    outside = is_for_visitors()
    if code >= 500 or outside:
        forget_visitor()
    title, text = words(problem)
    body = render_template("errors/error.html", code=code, title=title, text=text, outside=outside)
    keep = ("Retry-After", "Allow")
    headers = {name: value for name, value in problem.get_headers() if name in keep}
    return body, code, headers


def words(problem: HTTPException) -> tuple[str, str]:
    """A heading, and what to do."""
    if isinstance(problem, CSRFError):
        return (
            _("This form is too old"),
            _("Please go back, load the page again and repeat what you did."),
        )
    if isinstance(problem, AskedTooMuch):
        return _("This didn't work"), _("Choose other days, or fewer conditions.")
    if isinstance(problem, InternalServerError):
        return (
            _("Something went wrong on our side"),
            _("It has been written down. Please try again in a moment."),
        )
    known = {
        400: (_("This request can't be understood"), _("Please go back and try again.")),
        401: (_("Please log in"), _("This page is for people who are logged in.")),
        403: (
            _("This page isn't for your role"),
            _("If you need it, ask whoever manages your account."),
        ),
        404: (
            _("There is nothing here"),
            _("It may have moved to another dealer, or the address is wrong."),
        ),
        405: (_("This page can't do that"), _("Please go back and try again.")),
        413: (_("This is too big"), _("Please send a smaller file or text.")),
        429: (_("Too many attempts"), _("Please wait a minute and try again.")),
    }
    return known.get(problem.code or 500, (_("This didn't work"), _("Please try again.")))


def _is_open_here() -> bool:
    endpoint = request.endpoint
    return endpoint is None or is_public(current_app, endpoint, request.blueprints)
