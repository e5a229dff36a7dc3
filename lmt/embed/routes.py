"""The faces of a form: its page, its frame, its script; and the door its answers come in by."""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import clock, i18n, web
from lmt.embed.blueprint import blueprint
from lmt.forms import page
from lmt.forms.definition import CAMPAIGN_KEYS, FormDefinition
from lmt.forms.lead import lead_of
from lmt.forms.token import issue_token, token_problem
from lmt.forms.validate import check
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.ingest.accept import Delivery
from lmt.links import lead_of_status_token, status_link
from lmt.models import Form, Lead
from lmt.notify.recipients import terms_of

__all__ = ["blueprint"]

FORM_WAIT_SECONDS = 2
"""A visitor sees the dealer's name when routing is this quick; the status page tells it later."""


@blueprint.get("/forms/<code>")
def form(code: str) -> ResponseReturnValue:
    definition = _definition(code)
    utm = {key: request.args[key][:500] for key in CAMPAIGN_KEYS if key in request.args}
    return _show(definition, {}, {}, utm, uuid.uuid4().hex)


@blueprint.post("/forms/<code>")
@web.limiter.limit("20 per minute")
def submit(code: str) -> ResponseReturnValue:
    """An answered form. The visitor's answers are kept in the page until they are a lead."""
    definition = _definition(code)
    answers = request.form.to_dict()
    key = answers.get(page.IDEMPOTENCY_FIELD, "")[:64] or uuid.uuid4().hex
    utm = {name: answers[name][:500] for name in CAMPAIGN_KEYS if answers.get(name)}
    token = answers.get(page.TOKEN_FIELD, "")
    problem = token_problem(web.settings().secret_key, token, code, clock.now())
    errors = check(definition, answers, _language(definition))
    if errors or problem:
        with i18n.reading(_language(definition)):
            notice = _("Please check the form and send it once more.") if problem else ""
        return _show(definition, answers, errors, utm, key, notice), 422
    if answers.get(page.HONEYPOT_FIELD):
        # A machine filled what no person sees: it is told nothing it could learn from.
        return redirect(url_for("embed.form", code=code), 303)
    try:
        return redirect(_accept(definition, answers, key), 303)
    except machines.Problem as failed:
        with i18n.reading(_language(definition)):
            notice = _("Something went wrong on our side")
        return _show(definition, answers, {}, utm, key, notice), failed.status


def _accept(definition: FormDefinition, answers: dict[str, str], key: str) -> str:
    """Make the answers a lead, through the door of every delivery; the address of the page after.

    Sending twice, going back and sending again, is the same lead: the page carries its key.
    """
    session = machines.system_session()
    row = session.scalars(select(Form).where(Form.code == definition.code)).one()
    language = _language(definition)
    lead_data = lead_of(definition, answers, language=language)
    lead_data["form"] = {"code": row.code, "version_id": row.published_id}
    body = json.dumps({"form": definition.code, "lead": lead_data}, ensure_ascii=False).encode()
    delivery = Delivery(body=body, content_type="application/json", key=f"form:{key}")
    after = partial(url_for, "embed.thanks", code=definition.code, lang=language)
    try:
        _receipt, leads = machines.take_in(session, row.source, delivery, _read_form)
    except machines.Kept:
        return after()
    if leads[0].joined:
        # Anybody can type somebody else's phone: who asked first has the link, by mail.
        return after(known="1")
    machines.wait_for(session, leads, FORM_WAIT_SECONDS)
    link = status_link(web.settings(), leads[0].id, clock.now())
    return after(token=link.rsplit("/", 1)[1])


@blueprint.get("/forms/<code>/thanks")
@blueprint.get("/forms/<code>/thanks/<token>")
def thanks(code: str, token: str = "") -> ResponseReturnValue:
    """What happens next: which dealer will call, by when, where to follow it.

    Without a token it tells nothing of any lead.
    """
    definition = _definition(code)
    language = _language(definition)
    if not token:
        known = "known" in request.args
        return _unseen(page.render_thanks(definition, language=language, known=known))
    session = machines.system_session()
    lead_id = lead_of_status_token(web.settings().secret_key, token, clock.now())
    lead = session.get(Lead, lead_id) if lead_id is not None else None
    if lead is None:
        abort(404)
    dealer = ""
    if lead.dealer_id is not None:
        dealer = terms_of(session, lead.dealer_id, clock.now()).name
    html = page.render_thanks(
        definition,
        language=language,
        reference=lead.reference,
        status_url=url_for("portal.status", token=token),
        dealer=dealer,
        respond_by=lead.promise_at,
        timezone=lead.timezone or lead.market.timezone,
    )
    return _unseen(html)


def _unseen(html: str) -> Response:
    """A page that nobody but its visitor gets to see."""
    return Response(html, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _definition(code: str) -> FormDefinition:
    session = machines.system_session()
    row = session.scalars(select(Form).where(Form.code == code)).first()
    if row is None or row.published is None or not (row.active and row.source.active):
        abort(404)
    return FormDefinition.from_json(row.published.definition)


def _language(definition: FormDefinition) -> str:
    """The language asked for in the address or the form, else the browser's, else the form's."""
    wanted = request.values.get(page.LANGUAGE_FIELD, "")
    accepted = [tag for tag, _quality in request.accept_languages]
    for tag in [wanted, *accepted]:
        if tag and definition.language(tag) == tag.split("-")[0].lower():
            return definition.language(tag)
    return definition.default_language


def _show(
    definition: FormDefinition,
    answers: dict[str, str],
    errors: dict[str, str],
    utm: dict[str, str],
    key: str,
    notice: str = "",
) -> str:
    return page.render_form(
        definition,
        language=_language(definition),
        answers=answers,
        errors=errors,
        token=issue_token(web.settings().secret_key, definition.code, clock.now()),
        idempotency_key=key,
        action=url_for("embed.submit", code=definition.code),
        utm=utm,
        notice=notice,
    )


def _read_form(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(body)["lead"]]
