"""A test lead goes the whole way, through the door of every delivery, and is given to nobody."""

from __future__ import annotations

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import clock, web
from lmt import sources as verbs
from lmt.hq.blueprint import blueprint
from lmt.hq.onelead import lead_view
from lmt.hq.sourceconnect import sample_of
from lmt.hq.sourceform import edited
from lmt.hq.sourcepreview import MOST_BYTES
from lmt.hq.sources import seen
from lmt.i18n import gettext as _
from lmt.ingest.accept import Delivery
from lmt.ingest.door import Quarantined, Unreadable, receive
from lmt.ingest.kinds import TEST_KEY, reader_of
from lmt.lifecycle import Status
from lmt.models import Lead, Source


@blueprint.get("/sources/<code>/test")
@web.require(verbs.PERMISSION)
def source_test(code: str) -> ResponseReturnValue:
    source = edited(code)
    return _page(source, *sample_of(source))


@blueprint.post("/sources/<code>/test")
@web.require(verbs.PERMISSION)
def send_source_test(code: str) -> ResponseReturnValue:
    """Take the payload in as if its sender had sent it, marked as a test."""
    source = edited(code)
    payload, content_type = request.form.get("payload", ""), request.form.get("content_type", "")
    body = payload.encode("utf-8", "replace")
    if len(body) > MOST_BYTES:
        return _page(source, "", content_type, [_("This is longer than 64 KB.")]), 422
    if not source.active or source.paused_at is not None:
        told = [_("The source doesn't run. Let it go on first.")]
        return _page(source, payload, content_type, told), 422
    read = reader_of(source, content_type, test=True)
    try:
        # What can't be read is told here, rather than left in quarantine for others to wonder at.
        read(body)
    except Unreadable as problem:
        told = [each.get("message", "") for each in problem.errors]
        told = list(dict.fromkeys(filter(None, told)))
        return _page(source, payload, content_type, told or [_("This can't be read.")]), 422
    # A key of its own: the same sample may be tried again and again.
    delivery = Delivery(body, content_type, key=f"{TEST_KEY}{uuid.uuid4().hex}")
    session = web.db()
    try:
        receipt = receive(session, source, delivery, read, clock.now())
    except Quarantined as problem:
        session.rollback()
        flash(_("The test could not be taken in. Its delivery was kept."), "warning")
        return redirect(url_for("hq.delivery", intake_id=problem.intake_id))
    if not receipt.lead_ids:
        return _page(source, payload, content_type, [_("No lead was found in this.")]), 422
    if session.get(Lead, receipt.lead_ids[0]) is None:
        flash(_("The test arrived in another market: its country belongs there."), "info")
        return redirect(url_for("hq.source", code=source.code))
    return redirect(url_for("hq.source_test_lead", code=source.code, lead_id=receipt.lead_ids[0]))


@blueprint.get("/sources/<code>/test/<uuid:lead_id>")
@web.require(verbs.PERMISSION)
def source_test_lead(code: str, lead_id: uuid.UUID) -> ResponseReturnValue:
    """The test lead as it arrives; asked again by the page itself until it is decided."""
    source = seen(code)
    view = lead_view(web.db(), lead_id, at=web.at())
    if view is None or view.lead.source_id != source.id or not view.lead.test:
        abort(404)
    part = "HX-Request" in request.headers
    return render_template(
        "hq/source_arrival_part.html" if part else "hq/source_arrival.html",
        source=source,
        view=view,
        lead=view.lead,
        done=view.lead.status != Status.RECEIVED,
    )


def _page(
    source: Source, payload: str, content_type: str, problems: list[str] | None = None
) -> str:
    return render_template(
        "hq/source_test.html",
        source=source,
        payload=payload,
        content_type=content_type,
        problems=problems or [],
    )
