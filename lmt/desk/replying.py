"""Writing to the customer from a lead's page: a template filled for them, looked at, then sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from lmt import replies, web
from lmt.config import LOCALES
from lmt.desk.acting import do, show
from lmt.desk.blueprint import blueprint
from lmt.desk.forms import Unclear
from lmt.i18n import best_locale
from lmt.i18n import gettext as _
from lmt.lifecycle import Status
from lmt.models import Lead, ReplyTemplate
from lmt.notify.recipients import terms_of

FORM = "reply"


@dataclass(frozen=True, slots=True)
class Snippet:
    id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """What the form shows. `refused` says why nothing can be written now ("": something can);
    `missing` are the places that nobody has filled yet, in words."""

    refused: str = ""
    is_open: bool = False
    language: str = ""
    languages: tuple[str, ...] = ()
    templates: tuple[ReplyTemplate, ...] = ()
    template_id: int | None = None
    subject: str = ""
    body: str = ""
    missing: tuple[str, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    previewed: bool = False
    signature: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@blueprint.post("/leads/<uuid:lead_id>/reply")
@web.require("lead.work")
def reply(lead_id: uuid.UUID) -> ResponseReturnValue:
    """`do`: send, preview, or the id of a snippet to put below what is written."""
    if request.form.get("do", "send") != "send":
        return show(lead_id, form=FORM)

    def act(**who: Any) -> None:
        try:
            replies.send_reply(
                web.db(),
                lead_id,
                subject=request.form.get("subject", ""),
                body=request.form.get("body", ""),
                language=request.form.get("language", ""),
                template_id=_number(request.form.get("template", "")),
                **who,
            )
        except replies.BadReply as bad:
            raise Unclear(bad.problems) from bad

    return do(lead_id, FORM, act, _("Sent. It counts as contact, and stands in the history below."))


@blueprint.context_processor
def _reply_form() -> dict[str, Any]:
    return {"reply_form": reply_form}


def reply_form(lead: Lead, problems: Mapping[str, str] | None = None) -> ReplyForm:
    """The form for this lead: as it was sent, else with the template asked for (`?reply=id`), else
    with the one that fits best."""
    refused = _refused(lead)
    if refused:
        return ReplyForm(refused=refused)
    session, sent = web.db(), request.endpoint == "desk.reply"
    given = request.form if sent else request.args
    wanted = given.get("language" if sent else "reply_language", "")
    language = wanted if wanted in LOCALES else replies.language_for(lead)
    offered = replies.suggested(session, lead, language, web.at())
    if sent:
        chosen_id = _number(given.get("template", ""))
        subject, body = given.get("subject", ""), given.get("body", "")
        missing: tuple[str, ...] = ()
    else:
        asked = _number(given.get("reply", ""))
        chosen = next((each for each in offered if each.id == asked), None)
        if chosen is None and given.get("reply") != "none":
            chosen = next((each for each in offered if _fits(each, lead)), None)
        chosen_id = chosen.id if chosen else None
        subject, body, missing = "", "", ()
        if chosen is not None:
            done = replies.filled(session, lead, chosen, language, web.user(), web.at())
            subject, body = done.subject, done.body
            missing = tuple(str(replies.GAPS.get(name, name)) for name in done.missing)
    pieces = _snippets(lead, language)
    extra = next((each for each in pieces if sent and given.get("do") == str(each.id)), None)
    if extra is not None:
        body = f"{body.rstrip()}\n\n{extra.text}"[: replies.LONGEST_BODY]
    return ReplyForm(
        is_open=sent or "reply" in request.args,
        language=language,
        languages=tuple(dict.fromkeys([language, *_spoken(lead), *LOCALES])),
        templates=tuple(offered),
        template_id=chosen_id,
        subject=subject,
        body=body,
        missing=missing,
        snippets=pieces,
        previewed=sent and given.get("do") == "preview",
        signature=_signature(lead),
        problems=(problems or {}) if sent else {},
    )


def _refused(lead: Lead) -> str:
    if not lead.email:
        return _("This customer gave no mail address.")
    if lead.status == Status.OFFERED:
        return _("Accept the lead first: then you can write to the customer.")
    if lead.status not in replies.ANSWERABLE:
        return _("This lead is closed.")
    return ""


def _fits(template: ReplyTemplate, lead: Lead) -> bool:
    """A template for another kind of request is there to be chosen, never to be begun with."""
    return template.request_type in {"", lead.request_type}


def _signature(lead: Lead) -> tuple[str, ...]:
    assert lead.dealer_id is not None
    terms = terms_of(web.db(), lead.dealer_id, web.at())
    return tuple(words for words in (web.user().name, terms.name) if words)


def _spoken(lead: Lead) -> list[str]:
    tags = [lead.language, *lead.market.languages]
    return [code for tag in tags if (code := best_locale([tag], default=""))]


def _snippets(lead: Lead, language: str) -> tuple[Snippet, ...]:
    found = replies.pieces(web.db(), lead, language, web.user(), web.at())
    return tuple(Snippet(each.id, each.name, text) for each, text in found)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
