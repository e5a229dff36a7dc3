"""Doors for campaign platforms: Google, Meta, TikTok and LinkedIn, each in its own manner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import clock, web
from lmt.i18n import gettext as _
from lmt.ingest import kinds, machines, signatures
from lmt.ingest.accept import Delivery, quarantine
from lmt.ingest.batches import entries_of
from lmt.ingest.blueprint import blueprint
from lmt.ingest.door import Quarantined, Unreadable, receive
from lmt.ingest.fetching import Notice
from lmt.ingest.linkedin import linkedin_notice
from lmt.ingest.machines import Problem
from lmt.ingest.meta import meta_notice
from lmt.ingest.notices import keep_notice
from lmt.ingest.platforms import NoLead, text_id
from lmt.ingest.redaction import GOOGLE_KEY, redacted, without_google_key
from lmt.ingest.refusals import note_refusal
from lmt.ingest.sourcesettings import source_settings
from lmt.ingest.unreadable import no_lead_error, payload_error
from lmt.ingest.vouching import called_source, opened_secret, refused, require_good, require_key
from lmt.mapping.payload import PayloadError, records
from lmt.models import Source

LONGEST_CHALLENGE = 1_000


@blueprint.post("/ingest/google/<code>")
def google(code: str) -> ResponseReturnValue:
    """A lead form's webhook. Google repeats what was answered with 5xx, and nothing else."""
    try:
        return _google(code)
    except Problem as problem:
        answer = jsonify({"message": problem.detail, "code": problem.code, **problem.extra})
        answer.status_code = problem.status
        return answer


def _google(code: str) -> ResponseReturnValue:
    session = machines.system_session()
    source = called_source(session, "google", code)
    body = request.get_data(cache=True)
    try:
        given = records(body, "application/json")[0]
    except PayloadError as problem:
        # The key is inside the body: where that can't be read, nobody vouches for it.
        raise refused(
            source, 400, problem.code, payload_error(problem.code).errors[0]["message"]
        ) from problem
    key = text_id(given.get(GOOGLE_KEY)) if isinstance(given, Mapping) else ""
    require_key(source, key, status=403)
    kept = redacted(body, [GOOGLE_KEY, *source_settings(source.settings).redact])
    delivery = Delivery(
        body=without_google_key(kept, given),
        content_type=request.content_type or "application/json",
        key=_key(source, text_id(given.get("lead_id"))),
    )
    taken = _take_in(session, source, delivery)
    if taken is not None and taken.code != "paused":
        detail = "; ".join(error["message"] for error in taken.errors[:3])
        raise Problem(
            422,
            taken.code,
            detail or _("The lead was kept, but could not be taken in; a person will look at it."),
            intake=str(taken.intake_id),
        )
    return jsonify({})


@blueprint.get("/ingest/meta/<code>")
def meta_verification(code: str) -> ResponseReturnValue:
    """Meta asks whether this address expects it, before it sends anything."""
    source = called_source(machines.system_session(), "meta", code)
    given = request.args.get("hub.verify_token", "")
    expected = opened_secret(source, "verify_token")
    if request.args.get("hub.mode") != "subscribe" or not signatures.same(given, expected):
        raise refused(source, 403, "verify_token_wrong", _("This is not the verify token."))
    challenge = request.args.get("hub.challenge", "")[:LONGEST_CHALLENGE]
    return Response(challenge, mimetype="text/plain", headers={"Cache-Control": "no-store"})


@blueprint.post("/ingest/meta/<code>")
def meta(code: str) -> ResponseReturnValue:
    """Announcements of leads, for whose answers the worker then asks the Graph API."""
    session = machines.system_session()
    source = called_source(session, "meta", code)
    body = request.get_data(cache=True)
    header = request.headers.get(signatures.META_HEADER, "")
    require_good(source, signatures.meta_problem(opened_secret(source, "app_secret"), header, body))
    pages = source_settings(source.settings).page_ids
    return _announce(session, source, body, lambda given: meta_notice(given[0], pages))


@blueprint.get("/ingest/linkedin/<code>")
def linkedin_verification(code: str) -> ResponseReturnValue:
    """LinkedIn asks, now and every two hours, whether we know the application's secret."""
    source = called_source(machines.system_session(), "linkedin", code)
    challenge = request.args.get("challengeCode", "")
    response = signatures.linkedin_response(opened_secret(source, "client_secret"), challenge)
    if not response:
        raise Problem(400, "challenge_missing", _("The challengeCode is missing."))
    return jsonify({"challengeCode": challenge, "challengeResponse": response})


@blueprint.post("/ingest/linkedin/<code>")
def linkedin(code: str) -> ResponseReturnValue:
    """Announcements of responses that were given or deleted."""
    session = machines.system_session()
    source = called_source(session, "linkedin", code)
    body = request.get_data(cache=True)
    header = request.headers.get(signatures.LINKEDIN_HEADER, "")
    require_good(
        source, signatures.linkedin_problem(opened_secret(source, "client_secret"), header, body)
    )
    return _announce(
        session,
        source,
        body,
        lambda given: linkedin_notice(given if body.lstrip()[:1] == b"[" else given[0]),
    )


@blueprint.post("/ingest/tiktok/<code>")
def tiktok(code: str) -> ResponseReturnValue:
    """Leads with their answers; several in a delivery, each taken in for itself, so that one that
    was sent before or can't be read doesn't hold up the others."""
    session = machines.system_session()
    source = called_source(session, "tiktok", code)
    require_key(source, request.args.get("token", ""))
    body = request.get_data(cache=True)
    content_type = request.content_type or "application/json"
    kept = 0
    for remote_id, part in entries_of(body):
        delivery = Delivery(body=part, content_type=content_type, key=_key(source, remote_id))
        kept += _take_in(session, source, delivery) is not None
    return jsonify({"code": 0, "message": "OK", "kept": kept})


def _take_in(session: Session, source: Source, delivery: Delivery) -> Quarantined | None:
    """None for a lead; else why the delivery is kept without being one yet."""
    read = kinds.reader_of(source, delivery.content_type)
    try:
        receive(session, source, delivery, read, clock.now())
    except Quarantined as kept:
        return kept
    return None


def _announce(
    session: Session, source: Source, body: bytes, read: Callable[[list[Any]], Notice]
) -> ResponseReturnValue:
    """Keep a notice that its signature vouches for, whatever is in it: 200 once it is durable."""
    content_type = request.content_type or "application/json"
    delivery = Delivery(body=body, content_type=content_type)
    at = clock.now()
    try:
        notice = read(records(body, content_type))
    except (PayloadError, NoLead) as problem:
        unread = (
            no_lead_error(problem.code, problem.field)
            if isinstance(problem, NoLead)
            else payload_error(problem.code)
        )
        return _kept_unread(session, source, delivery, unread)
    if notice.foreign:
        note_refusal(web.installation().sessions, source.id, "other_page", at)
    intake_id = keep_notice(session, source, delivery, notice, at)
    answer: dict[str, Any] = {"status": "ok", "announced": len(notice.announced)}
    if intake_id is not None:
        answer["intake"] = str(intake_id)
    return jsonify(answer)


def _kept_unread(
    session: Session, source: Source, delivery: Delivery, unread: Unreadable
) -> ResponseReturnValue:
    problem = {"code": unread.code, "errors": unread.errors, "key": None, "strict": False}
    intake_id = quarantine(session, source, delivery, problem, clock.now())
    return jsonify({"status": "kept", "intake": str(intake_id)})


def _key(source: Source, remote_id: str) -> str | None:
    return f"{source.kind}:{remote_id}" if remote_id else None
