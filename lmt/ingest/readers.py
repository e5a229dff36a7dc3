"""From the bytes of each kind of source to leads in the shape of the API."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from marshmallow import ValidationError

from lmt.i18n import gettext as _
from lmt.ingest import adf
from lmt.ingest.adf import NotAdf
from lmt.ingest.door import Leads, Unreadable
from lmt.ingest.schemas import LeadSchema, errors_as_list
from lmt.ingest.unreadable import payload_error
from lmt.mapping.payloaderror import PayloadError
from lmt.mapping.strictjson import MAX_VALUES, check_bounds

_LEAD = LeadSchema()
"""Made once: it takes as long as reading a lead, and keeps nothing of what it reads."""


def read_json(body: bytes) -> Leads:
    """One lead as JSON, strictly: the caller is a program that somebody can mend."""
    try:
        text = body.decode("utf-8")
        # What is shorter can't hold too many values.
        if len(text) > MAX_VALUES:
            check_bounds(text)
        data = json.loads(text, object_pairs_hook=_unambiguous, parse_constant=_no_constant)
    except PayloadError as problem:
        raise payload_error(problem.code) from problem
    except RecursionError as problem:
        raise Unreadable("too_deep", [_error("", _("The JSON is nested too deeply."))]) from problem
    except ValueError as problem:
        message = _("The body must be JSON in UTF-8.")
        raise Unreadable("no_json", [_error("", message)]) from problem
    if not isinstance(data, dict):
        raise Unreadable("no_object", [_error("", _("The body must be one JSON object."))])
    try:
        return [_LEAD.load(data)]
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


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different: of two values, nobody knows which one is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _value in pairs)
        twice = names.most_common(1)[0][0]
        raise Unreadable("invalid", [_error(twice, _("This field is given twice."))])
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
