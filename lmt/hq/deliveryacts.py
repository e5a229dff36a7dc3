"""What a person does about deliveries in quarantine: replay, mend, dismiss; one or many."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt import sources, web
from lmt.hq.blueprint import blueprint
from lmt.hq.deliveries import PERMISSION, Typed, delivery_page
from lmt.hq.deliverywords import cause_words
from lmt.hq.sourcepreview import preview
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.ingest.accept import Receipt
from lmt.ingest.quarantine import (
    KIND,
    LONGEST_REASON,
    MOST_MENDED,
    PAUSED,
    Answered,
    StillUnreadable,
    ask_replay_all,
    dismiss,
    put_back,
    take_again,
)
from lmt.models import Intake, Job, Source


@blueprint.post("/intake/<uuid:intake_id>/replay")
@web.require(PERMISSION)
def replay_delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    return _take(intake_id, None)


@blueprint.post("/intake/<uuid:intake_id>/mend")
@web.require(PERMISSION)
def mend_delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    """Show what the text would be understood as, or take it in, as the pressed button says."""
    intake = _intake(intake_id)
    text = request.form.get("text", "")
    mended = _as_sent(text, intake.body)
    if len(mended) > MOST_MENDED:
        errors = {"text": _("This is too long to be mended here. Ask the sender.")}
        return delivery_page(intake_id, Typed(text=text, errors=errors)), 422
    if request.form.get("do") != "preview":
        return _take(intake_id, mended, text)
    source = intake.source
    found = preview(web.db(), source, source.mapping, mended, intake.content_type)
    return delivery_page(intake_id, Typed(text=text, preview=found))


@blueprint.post("/intake/<uuid:intake_id>/dismiss")
@web.require(PERMISSION)
def dismiss_delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    reason = request.form.get("reason", "").strip()
    errors = {}
    if not reason:
        errors["reason"] = _("Say why, for those who read this later.")
    elif len(reason) > LONGEST_REASON:
        most = LONGEST_REASON
        errors["reason"] = _("Shorten this to %(most)s characters or fewer.", most=most)
    if errors:
        return delivery_page(intake_id, Typed(reason=reason, errors=errors)), 422
    try:
        dismiss(web.db(), intake_id, reason, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except Answered:
        return _moved_on(intake_id)
    flash(_("Dismissed. Its bytes are kept, and it can be put back."), "success")
    return redirect(url_for("hq.delivery", intake_id=intake_id))


@blueprint.post("/intake/<uuid:intake_id>/restore")
@web.require(PERMISSION)
def restore_delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    try:
        put_back(web.db(), intake_id)
    except LookupError:
        abort(404)
    except Answered:
        return _moved_on(intake_id)
    flash(_("It is in quarantine again."), "success")
    return redirect(url_for("hq.delivery", intake_id=intake_id))


@blueprint.post("/intake/replay")
@web.require(PERMISSION)
def replay_deliveries() -> ResponseReturnValue:
    """Everything that waits of one source, or of one cause there."""
    session, actor = web.db(), web.actor()
    code, cause = request.form.get("source", "")[:100], request.form.get("cause", "")[:100]
    try:
        source = sources.seen_source(session, code, actor)
    except LookupError:
        abort(404)
    if not sources.may_edit(source.market_id, actor):
        abort(404)
    if source.paused_at is not None:
        flash(_("The source is paused. Let it go on first."), "warning")
        return redirect(url_for("hq.source", code=source.code))
    job = ask_replay_all(session, source, web.at(), actor, code=cause)
    session.commit()
    return redirect(url_for("hq.replayed_deliveries", job_id=job.id))


@blueprint.get("/intake/replays/<uuid:job_id>")
@web.require(PERMISSION)
def replayed_deliveries(job_id: uuid.UUID) -> ResponseReturnValue:
    """How far it is; in the end what came of it."""
    job, source = _job(web.db(), job_id)
    live = bool(request.headers.get("HX-Request"))
    name = "hq/intake_progress.html" if live else "hq/intake_replay.html"
    response = make_response(
        render_template(
            name,
            job=job,
            source=source,
            cause=cause_words(job.arguments["code"]) if job.arguments.get("code") else "",
            outcomes=_outcomes(job.result or {}),
            stopped=_stopped(job),
        )
    )
    if live:
        if job.finished_at is not None:
            response.headers["HX-Refresh"] = "true"
        response.vary.add("HX-Request")
    return response


def _take(
    intake_id: uuid.UUID, mended: bytes | None, text: str | None = None
) -> tuple[str, int] | ResponseReturnValue:
    try:
        receipt = take_again(web.db(), intake_id, at=web.at(), actor=web.actor(), mended=mended)
    except LookupError:
        abort(404)
    except Answered:
        return _moved_on(intake_id)
    except StillUnreadable as problem:
        if problem.code == PAUSED:
            flash(_("The source is paused. Let it go on first."), "warning")
            return redirect(url_for("hq.delivery", intake_id=intake_id))
        if mended is None:
            flash(_("It still can't be read: %(why)s", why=cause_words(problem.code)), "danger")
            return redirect(url_for("hq.delivery", intake_id=intake_id))
        told = [each.get("message", "") for each in problem.errors] or [cause_words(problem.code)]
        errors = {"text": " ".join(dict.fromkeys(told))}
        return delivery_page(intake_id, Typed(text=text, errors=errors)), 422
    flash(_came_of(receipt), "success")
    return redirect(url_for("hq.delivery", intake_id=intake_id))


def _came_of(receipt: Receipt) -> str:
    if not receipt.lead_ids:
        return _("The platform is asked for it once more.")
    if receipt.repeated:
        return _("It was taken in before; nothing was done twice.")
    new = len(set(receipt.lead_ids) - receipt.joined)
    if not new:
        return _("Taken in: the customer had asked for the same, which is noted on the open lead.")
    return ngettext("Taken in: %(num)s lead.", "Taken in: %(num)s leads.", new)


def _outcomes(result: Mapping[str, int]) -> list[tuple[str, int]]:
    """(words, number) of what came of the deliveries, without what came of none."""
    words = (
        ("accepted", _("Taken in")),
        ("leads", _("Leads they became")),
        ("repeated", _("Were leads already")),
        ("fetching", _("Asked of the platform once more")),
        ("unreadable", _("Still can't be read")),
        ("answered", _("Answered by somebody meanwhile")),
    )
    return [(told, int(result[name])) for name, told in words if result.get(name)]


def _stopped(job: Job) -> str:
    """Why it ended early; "" where it didn't."""
    if not job.problem:
        return ""
    if job.problem == PAUSED:
        return _("The source was paused meanwhile; the rest waits.")
    return _("An error stopped it; the log says which. What was taken in stays so.")


def _moved_on(intake_id: uuid.UUID) -> ResponseReturnValue:
    flash(_("Somebody was faster: look at how it stands now."), "warning")
    return redirect(url_for("hq.delivery", intake_id=intake_id))


def _as_sent(text: str, body: bytes) -> bytes:
    """The typed text with the line ends of the original: browsers send their own."""
    lines = text if b"\r\n" in body else text.replace("\r\n", "\n")
    return lines.encode("utf-8", "replace")


def _intake(intake_id: uuid.UUID) -> Intake:
    found = (
        web.db()
        .scalars(select(Intake).options(joinedload(Intake.source)).where(Intake.id == intake_id))
        .first()
    )
    if found is None:
        abort(404)
    return found


def _job(session: Session, job_id: uuid.UUID) -> tuple[Job, Source]:
    job = session.get(Job, job_id)
    if job is None or job.kind != KIND:
        abort(404)
    source = session.get(Source, job.arguments["source_id"])
    if source is None or not sources.may_edit(source.market_id, web.actor()):
        abort(404)
    return job, source
