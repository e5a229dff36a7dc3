"""The pages of links in mails. Machines that check mails follow every link, so looking changes
nothing; a person's press acts. They open no session, and set no cookie."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from lmt import web
from lmt.config import LOCALES
from lmt.i18n import reading
from lmt.labels import choices, label
from lmt.models import Message
from lmt.notify import mutes
from lmt.notify.phrases import asked_for
from lmt.scope import SYSTEM, act_as
from lmt.taps import service
from lmt.taps.calltimes import call_at
from lmt.taps.service import Opened

LONGEST_NOTE = 500

blueprint = web.public(Blueprint("taps", __name__, url_prefix="/t", template_folder="templates"))


def _link() -> str:
    """One link: whoever calls may be a mail service that calls for many."""
    token = str((request.view_args or {}).get("token", ""))
    return token or get_remote_address()


@blueprint.get("/<token>")
def tap(token: str) -> ResponseReturnValue:
    """Asks whether to do it; of a link that was used, tells what was done."""
    return _page(token)


@blueprint.post("/<token>")
@web.limiter.limit("30 per hour", key_func=_link)
def tap_now(token: str) -> ResponseReturnValue:
    """Does it, once."""
    if _is_from_elsewhere():
        abort(403)
    reason, note = request.form.get("reason", ""), request.form.get("note", "").strip()
    with act_as(web.installation().sessions(), SYSTEM) as session:
        found = service.opened(session, token, web.at())
    if found is None:
        return _gone()
    if found.purpose == "decline" and reason not in dict(choices("decline_reason")):
        return _page(token, problem="reason")
    try:
        when = call_at(request.form.get("call_at", ""), web.at())
    except ValueError:
        return _page(token, problem="time")
    with act_as(web.installation().sessions(), SYSTEM) as session:
        service.use(
            session,
            token,
            at=web.at(),
            call_at=when,
            reason=reason,
            note=note[:LONGEST_NOTE],
        )
    # What became of it is on the link's own page, which can be read again.
    return redirect(url_for("taps.tap", token=token, lang=_wished() or None), 303)


@blueprint.get("/mute/<token>")
def mute(token: str) -> ResponseReturnValue:
    """Asks whether such mails shall end, or come again."""
    return _mute_page(token)


@blueprint.post("/mute/<token>")
@web.limiter.limit("30 per hour", key_func=_link)
def mute_now(token: str) -> ResponseReturnValue:
    """No more of them, or (`again`) again; mail programs press it by themselves (RFC 8058)."""
    message_id = mutes.message_of_mute(web.settings().secret_key, token)
    with act_as(web.installation().sessions(), SYSTEM) as session:
        message = None if message_id is None else session.get(Message, message_id)
        if message is not None and message.kind in mutes.MUTABLE:
            if "again" in request.form:
                mutes.unmute(session, message.recipient, mutes.ended_with(message))
            else:
                mutes.mute(session, message.recipient, mutes.ended_with(message), web.at())
            session.commit()
    return _mute_page(token)


def _page(token: str, *, problem: str = "") -> Response:
    with act_as(web.installation().sessions(), SYSTEM) as session:
        found = service.opened(session, token, web.at())
    if found is None:
        return _gone()
    tongue = _wished() or found.language
    with reading(tongue, found.timezone):
        page = render_template(
            f"taps/{_template(found)}.html",
            tap=found,
            token=token,
            tongue=tongue,
            wish=asked_for(found.request_type, found.car),
            problem=problem,
            reasons=choices("decline_reason"),
            desk=_desk(found),
            given=request.form,
        )
    return _private(page, 422 if problem else 200)


def _template(found: Opened) -> str:
    if found.state is not service.State.READY:
        return "over"
    return found.purpose if found.purpose in {"accept", "decline"} else "step"


def _desk(found: Opened) -> str:
    """Where to go on: the lead, which asks who comes."""
    return url_for("desk.lead", lead_id=uuid.UUID(found.lead_id))


def _mute_page(token: str) -> Response:
    message_id = mutes.message_of_mute(web.settings().secret_key, token)
    with act_as(web.installation().sessions(), SYSTEM) as session:
        message = None if message_id is None else session.get(Message, message_id)
        if message is None or message.kind not in mutes.MUTABLE:
            return _gone()
        tongue = _wished() or message.language
        with reading(tongue, message.timezone):
            page = render_template(
                "taps/mute.html",
                token=token,
                tongue=tongue,
                what=label("message_kind", message.kind),
                muted=mutes.is_muted(session, message.recipient, mutes.ended_with(message)),
            )
    return _private(page, 200)


def _gone() -> Response:
    return _private(render_template("taps/gone.html"), 404)


def _wished() -> str:
    wanted = request.args.get("lang", "")
    return wanted if wanted in LOCALES else ""


def _is_from_elsewhere() -> bool:
    """Whether another site's page sent the form. Since our pages tell no referrer, browsers name
    no origin of theirs either (`null`), but where the request comes from."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin", "")
    if origin in {"", "null"}:
        return False
    ours = {request.host, urlsplit(web.settings().base_url).netloc}
    return urlsplit(origin).netloc not in ours


def _private(page: str, code: int) -> Response:
    """Kept by nobody, told to nobody."""
    response = make_response(page, code)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
