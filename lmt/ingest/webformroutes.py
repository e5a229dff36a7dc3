"""Doors for forms that brand sites already post: Web-to-Lead, and whatever a mapping can read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from lmt import clock, web
from lmt.ingest import kinds, machines
from lmt.ingest.accept import Delivery
from lmt.ingest.answers import answer_delivery
from lmt.ingest.blueprint import blueprint
from lmt.ingest.door import Quarantined, receive
from lmt.ingest.machines import Problem
from lmt.ingest.redaction import redacted
from lmt.ingest.sourcesettings import source_settings
from lmt.ingest.vouching import active, called_source, require_key_or_signature
from lmt.ingest.webtolead import content_type_of, field, return_address, short_oid
from lmt.mapping.payload import PayloadError, records
from lmt.models import Source

PER_ADDRESS = "120 per minute"
"""Some sites post all their visitors' forms from one server."""


@blueprint.post("/ingest/json/<code>")
def any_json(code: str) -> ResponseReturnValue:
    """Any JSON, urlencoded or multipart post, read by the source's mapping."""
    session = machines.system_session()
    source = called_source(session, "json", code)
    require_key_or_signature(source, request.get_data(cache=True))
    return answer_delivery(session, source)


@blueprint.post("/ingest/web-to-lead/<code>")
@web.limiter.limit(PER_ADDRESS)
def web_to_lead(code: str) -> ResponseReturnValue:
    """A visitor's form in the manner of Salesforce; whatever becomes of it, the visitor goes on."""
    session = machines.system_session()
    try:
        source = called_source(session, "web_to_lead", code)
    except Problem as problem:
        raise NotFound from problem
    return _web_to_lead(session, source, _form_record())


@blueprint.post("/servlet/servlet.WebToLead")
@web.limiter.limit(PER_ADDRESS)
def web_to_lead_by_oid() -> ResponseReturnValue:
    """The same under Salesforce's own path: a site changes the host of its form, nothing else."""
    session = machines.system_session()
    record = _form_record()
    oid = short_oid(field(record, "oid") or request.args.get("orgId", ""))
    given = func.left(Source.settings["oid"].as_string(), len(oid))
    # One that was retired must not stand before the one that was set up in its place.
    found = (
        select(Source)
        .where(Source.kind == "web_to_lead", given == oid)
        .order_by(Source.active.desc(), Source.id)
    )
    try:
        source = active(session.scalars(found.limit(1)).first() if oid else None)
    except Problem as problem:
        raise NotFound from problem
    return _web_to_lead(session, source, record)


def _web_to_lead(session: Session, source: Source, record: dict[str, Any]) -> ResponseReturnValue:
    settings = source_settings(source.settings)
    content_type = _content_type(record)
    delivery = Delivery(
        body=redacted(request.get_data(cache=True), settings.redact), content_type=content_type
    )
    # What is kept unread is kept, and nothing that the visitor could do would make it better.
    with suppress(Quarantined):
        receive(session, source, delivery, kinds.reader_of(source, content_type), clock.now())
    address = return_address(field(record, "retURL") or request.args.get("retURL", ""), settings)
    if address:
        return redirect(address, 303)
    page = render_template("thanks.html", source=source)
    return Response(page, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _form_record() -> dict[str, Any]:
    """The fields as posted, {} where they can't be read: the door says why, and keeps them."""
    try:
        found = records(request.get_data(cache=True), request.content_type or "")
    except PayloadError:
        return {}
    return found[0] if isinstance(found[0], dict) else {}


def _content_type(record: dict[str, Any]) -> str:
    """With the charset that the form or its address states, so that it is kept with the bytes."""
    return content_type_of(
        request.content_type or "",
        field(record, "_charset_"),
        field(record, "encoding"),
        request.args.get("encoding", ""),
    )
