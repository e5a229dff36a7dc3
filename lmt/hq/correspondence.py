"""What left the house: the outbox with its troubles, and the mailbox that takes its place
while no mail server is set."""

from __future__ import annotations

import re
import uuid
from email.message import EmailMessage
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload, load_only

from lmt import web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.models import Lead, Message
from lmt.notify import mailbox as box
from lmt.notify.outbox import resend

MAIL_POLICY = "; ".join(
    (
        "sandbox",
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "frame-ancestors 'self'",
    )
)
"""A mail's HTML is drawn, nothing of it runs, loads or leads anywhere."""

_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>@\s]+>")


@blueprint.get("/outbox")
@web.require("outbox.read")
def outbox() -> ResponseReturnValue:
    status = request.args.get("status", "")
    if status not in {*LABELS["message_status"], "failing"}:
        status = ""
    after = _uuid(request.args.get("after", ""))
    found = q.messages(web.db(), status=status, after=after)
    shown = found[: q.PAGE_ROWS]
    address: dict[str, Any] = {"status": status} if status else {}
    return render_template(
        "hq/outbox.html",
        rows=shown,
        status=status,
        next_address=(
            url_for("hq.outbox", **address, after=shown[-1].id) if len(found) > len(shown) else ""
        ),
        first_address=url_for("hq.outbox", **address) if after else "",
    )


@blueprint.post("/outbox/<uuid:message_id>/resend")
@web.require("outbox.read")
def send_again(message_id: uuid.UUID) -> ResponseReturnValue:
    session = web.db()
    if session.scalar(select(Message.id).where(Message.id == message_id)) is None:
        abort(404)
    try:
        resend(session, message_id, web.at())
    except LookupError:
        abort(404)
    flash(_("The message waits to be sent once more."), "success")
    return redirect(url_for("hq.outbox"))


@blueprint.get("/mailbox")
@web.require("outbox.read")
def mailbox() -> ResponseReturnValue:
    settings = web.settings()
    mails = box.list_mails(settings)
    rows = _visible([mail.message_id for mail in mails])
    return render_template(
        "hq/mailbox.html",
        mails=[
            (mail, rows[id])
            for mail in mails
            if (id := message_of(mail.message_id)) is not None and id in rows
        ],
        elsewhere=bool(settings.smtp_url),
    )


@blueprint.get("/mailbox/<mail_id>")
@web.require("outbox.read")
def mail(mail_id: str) -> ResponseReturnValue:
    found, row = _mail(mail_id)
    part = found.get_body(("plain",))
    return render_template(
        "hq/mail.html",
        mail_id=mail_id,
        row=row,
        subject=str(found["Subject"] or ""),
        to=str(found["To"] or ""),
        sender=str(found["From"] or ""),
        text=part.get_content() if part is not None else "",
        has_html=found.get_body(("html",)) is not None,
    )


@blueprint.get("/mailbox/<mail_id>/html")
@web.require("outbox.read")
def mail_html(mail_id: str) -> ResponseReturnValue:
    found, _row = _mail(mail_id)
    part = found.get_body(("html",))
    if part is None:
        abort(404)
    response = Response(part.get_content(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def message_of(message_id: str) -> uuid.UUID | None:
    """The outbox row that a mail's Message-ID names; None for mail that has none."""
    matched = _MESSAGE_ID.fullmatch(message_id.strip())
    return uuid.UUID(matched[1]) if matched else None


def _mail(mail_id: str) -> tuple[EmailMessage, Message]:
    """The mail and its row; 404 for a mail without a row that the actor may see, which is also
    what a reset of somebody's password is."""
    found = box.read_mail(web.settings(), mail_id)
    if found is None:
        abort(404)
    message_id = str(found["Message-ID"] or "")
    row = _visible([message_id]).get(message_of(message_id) or uuid.UUID(int=0))
    if row is None:
        abort(404)
    return found, row


def _visible(message_ids: list[str]) -> dict[uuid.UUID, Message]:
    """Rows by id, those that the actor may see."""
    ids = [id for id in map(message_of, message_ids) if id is not None]
    if not ids:
        return {}
    rows = web.db().scalars(
        select(Message)
        .options(joinedload(Message.lead).load_only(Lead.reference))
        .options(load_only(Message.kind, Message.language, Message.lead_id, Message.audience))
        .where(Message.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
