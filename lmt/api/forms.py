"""Forms for other systems: a market's fields, a form's schema, its answers from their server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import clock, i18n
from lmt.api.leads import KINDS, answer_of, blueprint
from lmt.api.submission import SubmissionSchema
from lmt.attributes import custom_fields, field_label, option_label
from lmt.forms.definition import FormDefinition
from lmt.forms.lead import lead_of
from lmt.forms.schema import answers_schema, json_schema
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.ingest.accept import Delivery
from lmt.ingest.kinds import reader_of
from lmt.ingest.schemas import errors_as_list
from lmt.models import Form, FormVersion, Source

__all__ = ["blueprint"]

JSON = "application/json"
_LARGEST = 2**31 - 1
"""That the number of a version may be."""
_CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The form's code",
}
_VERSION = {
    "name": "version",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1},
    "description": "Its version; the published one where none is named.",
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The same key with the same answers is the same lead.",
}
_WAIT = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string", "examples": ["wait=5"]},
    "description": "Wait up to so many seconds for the routed result.",
}
_STRANGER = {"401": {"description": "No active source has this key"}}
_NO_FORM = {"404": {"description": "The source's market shows no such form"}}


@blueprint.get("/fields")
@blueprint.doc(
    summary="The custom fields of the source's market",
    security=[{"key": []}],
    responses={
        "200": {
            "description": "What leads of the market may have among their attributes",
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/CustomFields"}}},
        },
        **_STRANGER,
    },
)
def list_fields() -> ResponseReturnValue:
    """Names in the caller's language, and in all that there are."""
    session = machines.system_session()
    source = machines.authenticate(session)
    fields = custom_fields(session, {source.market_id}, active_only=True)
    return jsonify(
        fields=[
            {
                "key": item.key,
                "type": item.type,
                "label": field_label(item),
                "labels": dict(item.label),
                "options": [
                    {
                        "id": option.id,
                        "label": option_label(item, option.id),
                        "labels": dict(option.label),
                    }
                    for option in item.options
                ],
            }
            for item in fields
        ]
    )


@blueprint.get("/forms/<code>/schema")
@blueprint.doc(
    summary="The answers that a form takes, as JSON Schema",
    security=[{"key": []}],
    parameters=[_CODE, _VERSION],
    responses={
        "200": {
            "description": "JSON Schema 2020-12 of `answers`, its words in the caller's language",
            "content": {"application/schema+json": {"schema": {"type": "object"}}},
        },
        **_STRANGER,
        **_NO_FORM,
    },
)
def form_schema(code: str) -> Response:
    """Conditions and all; the same rules that the form's page follows."""
    session = machines.system_session()
    source = machines.authenticate(session)
    _form, _row, definition = _shown(session, source, code, _asked_version())
    answer = jsonify(json_schema(definition, definition.language(i18n.reader().locale)))
    answer.mimetype = "application/schema+json"
    return answer


@blueprint.post("/forms/<code>/submissions")
@blueprint.doc(
    summary="Send an answered form from a server",
    security=[{"key": []}],
    parameters=[_CODE, _IDEMPOTENCY, _WAIT],
    requestBody={"required": True, "content": {JSON: {"schema": SubmissionSchema}}},
    responses={
        "200": {"description": "Routed within the time the caller waited"},
        "202": {"description": "Durable; routing goes on"},
        **_STRANGER,
        **_NO_FORM,
        "422": {"description": "Nothing was kept; `errors` names the fields"},
    },
)
def submit_form(code: str) -> ResponseReturnValue:
    """Checked like a visitor's, and made a lead of the form's own source and version. No token, no
    rate, no trap: the key vouches for it."""
    session = machines.system_session()
    source = machines.authenticate(session, *KINDS)
    given = _loaded(SubmissionSchema(), _body())
    form, row, definition = _shown(session, source, code, given.get("version"))
    language = definition.language(given.get("language") or i18n.reader().locale)
    today = clock.now().astimezone(ZoneInfo(form.source.market.timezone)).date()
    rules = answers_schema(definition, language=i18n.reader().locale, today=today)
    answers = _loaded(rules(), {"answers": given["answers"]})["answers"]
    campaign = {key: text for key, text in (given.get("campaign") or {}).items() if text}
    lead = lead_of(definition, {**answers, **campaign}, language=language)
    lead["form"] = {"code": form.code, "version_id": row.id, "sent_by": source.code}
    body = json.dumps({"form": form.code, "lead": lead}, ensure_ascii=False)
    key = request.headers.get("Idempotency-Key", "").strip().strip('"')
    delivery = Delivery(
        body=body.encode("utf-8", "replace"),
        content_type=JSON,
        # Two systems may count from one.
        key=f"api:{source.id}:{key}" if key else None,
        strict=bool(key),
    )
    receipt, leads = machines.take_in(session, form.source, delivery, reader_of(form.source, JSON))
    return answer_of(session, receipt, leads)


def _shown(
    session: Session, source: Source, code: str, number: int | None
) -> tuple[Form, FormVersion, FormDefinition]:
    """A form that the source's market shows, in the version asked for. Raises machines.Problem."""
    form = session.scalars(
        select(Form)
        .join(Source, Source.id == Form.source_id)
        .where(Form.code == code, Form.active, Source.active)
        .where(Source.market_id == source.market_id)
    ).first()
    version = form.published if form is not None else None
    if form is not None and version is not None and number not in {None, version.number}:
        wanted = select(FormVersion).where(
            FormVersion.form_id == form.id, FormVersion.number == number
        )
        version = session.scalars(wanted).first() if 0 < (number or 0) <= _LARGEST else None
    if form is None or version is None:
        raise machines.Problem(404, "not_found", _("This source's market shows no such form."))
    return form, version, FormDefinition.from_json(version.definition)


def _loaded(schema: Any, data: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as problem:
        found = problem.normalized_messages()  # type: ignore[no-untyped-call]
        raise _refused(errors_as_list(found)) from problem


def _refused(errors: Sequence[Mapping[str, str]]) -> machines.Problem:
    detail = _("Nothing was kept. Correct the fields that are named, and send it again.")
    return machines.Problem(422, "invalid", detail, errors)


def _body() -> Any:
    try:
        return json.loads(request.get_data(cache=True))
    except (ValueError, RecursionError) as problem:
        raise machines.Problem(422, "not_json", _("Send a JSON object.")) from problem


def _asked_version() -> int | None:
    text = request.args.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else None
