"""From the bytes of each kind of source to leads in the shape of the API."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import ValidationError

from lmt.i18n import gettext as _
from lmt.ingest import adf
from lmt.ingest.adf import NotAdf
from lmt.ingest.door import Leads, Unreadable
from lmt.ingest.schemas import LeadSchema, errors_as_list


def read_json(body: bytes) -> Leads:
    """One lead as JSON, strictly: the caller is a program that somebody can mend."""
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError as problem:
        raise Unreadable("too_deep", [_error("", _("The JSON is nested too deeply."))]) from problem
    except ValueError as problem:
        message = _("The body must be JSON in UTF-8.")
        raise Unreadable("no_json", [_error("", message)]) from problem
    if not isinstance(data, dict):
        raise Unreadable("no_object", [_error("", _("The body must be one JSON object."))])
    try:
        return [LeadSchema().load(data)]
    except ValidationError as problem:
        found = problem.normalized_messages()  # type: ignore[no-untyped-call]
        raise Unreadable("invalid", errors_as_list(found)) from problem


def read_adf(body: bytes) -> Leads:
    """Every prospect of an ADF document, as tolerantly as real senders need it."""
    try:
        return adf.read(body)
    except NotAdf as problem:
        message = _("The body is no ADF document.")
        raise Unreadable(problem.code, [_error("", message)]) from problem


def _error(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
