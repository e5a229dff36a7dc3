"""Doors for deliveries that are no API call."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from lmt import errors as error_pages
from lmt.i18n import gettext as _
from lmt.ingest import machines, platformroutes, webformroutes
from lmt.ingest.answers import answer_delivery
from lmt.ingest.blueprint import blueprint

__all__ = ["blueprint", "platformroutes", "webformroutes"]

FOR_VISITORS = frozenset({"ingest.web_to_lead", "ingest.web_to_lead_by_oid"})
"""Doors whose callers read a page, wherever they stand."""


@blueprint.post("/ingest/adf/<code>")
def adf(code: str) -> ResponseReturnValue:
    """ADF/XML, one or several prospects; labelled with whatever content type."""
    session = machines.system_session()
    source = machines.authenticate(session, "adf")
    if source.code != code:
        raise machines.Problem(403, "other_source", _("This key belongs to another source."))
    return answer_delivery(session, source)


@blueprint.errorhandler(HTTPException)
def _http_error(problem: HTTPException) -> ResponseReturnValue:
    """Machines get problem+json; a visitor gets the page that everybody gets."""
    if request.path.startswith("/ingest/") and request.endpoint not in FOR_VISITORS:
        return machines.answer_http_error(problem)
    return error_pages.page(problem)


@blueprint.errorhandler(SQLAlchemyError)
def _database_error(_problem: SQLAlchemyError) -> ResponseReturnValue:
    return _http_error(ServiceUnavailable())
