"""The pages of a form: hosted by us or in a frame on a brand's page, with scripts or without."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from lmt import i18n, web
from lmt.embed.dealers import dealer_lists
from lmt.embed.framing import page_headers
from lmt.embed.promise import Promise, redirect_of
from lmt.embed.shown import ShownForm, asked_language
from lmt.embed.submission import Submission
from lmt.embed.visit import came_from, prefilled
from lmt.forms import page, thanks
from lmt.forms.look import style_sheet
from lmt.forms.scriptfiles import mark
from lmt.forms.token import issue_token

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""For a page that nobody but its visitor gets to see."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form's page as it is to be shown: with what, at which step, and what is said above it.

    `asked_with` are the answers that its address brought; `token` is "" for a fresh one; `find` is
    the button of a picker that was pressed.
    """

    answers: Mapping[str, str]
    campaign: Mapping[str, str]
    key: str
    language: str
    token: str = ""
    step: str = ""
    asked: Sequence[str] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    find: str = ""
    asked_with: Mapping[str, str] = field(default_factory=dict)


def new_page(shown: ShownForm, at: datetime) -> Filled:
    """What the address asks for, to begin with."""
    today = at.astimezone(ZoneInfo(shown.form.source.market.timezone)).date()
    given = request.args.to_dict(flat=False)
    base_url = web.settings().base_url
    answers = prefilled(shown.definition, given, today)
    return Filled(
        answers=answers,
        asked_with=answers,
        campaign=came_from(request.args, request.referrer or "", base_url),
        key=uuid.uuid4().hex,
        language=asked_language(shown.definition),
    )


def page_again(submission: Submission) -> Filled:
    """The page that was sent, with everything that was in it."""
    return Filled(
        answers=submission.answers,
        campaign=submission.campaign,
        key=submission.key,
        language=submission.language,
        token=submission.token,
        step=request.form.get(page.STEP_FIELD, ""),
        asked=request.form.get(page.ASKED_FIELD, "").split()[:200],
    )


def answer_page(
    session: Session,
    shown: ShownForm,
    face: str,
    filled: Filled,
    at: datetime,
    status: int = 200,
) -> Response:
    """The page in `face` ("page" or "frame"); never kept by anybody but its visitor."""
    code, version, definition = shown.form.code, shown.version.number, shown.definition
    zone = shown.form.source.market.timezone
    secret = web.settings().secret_key
    with i18n.reading(filled.language, zone):
        lists = dealer_lists(session, shown, filled.answers, filled.language, at, filled.find)
        html = page.render_form(
            definition,
            language=filled.language,
            answers=filled.answers,
            errors=filled.errors,
            token=filled.token or issue_token(secret, code, version, at),
            idempotency_key=filled.key,
            action=url_for("embed.submit" if face == "page" else "embed.submit_frame", code=code),
            utm=filled.campaign,
            version=str(version),
            step=filled.step,
            asked=filled.asked,
            notice=filled.notice,
            scripted=True,
            scripts=[url_for("embed.script", code=code, lang=filled.language, version=version)],
            face=face,
            stylesheet=style_address(shown),
            dealers=lists,
            asked_with=filled.asked_with,
            today=at.astimezone(ZoneInfo(zone)).date(),
        )
    response = Response(html, status, headers={"Cache-Control": "no-store"})
    return page_headers(response, shown.form, face, redirect_of(shown))


def answer_thanks(shown: ShownForm, face: str, promise: Promise) -> Response:
    html = thanks.render_thanks(
        _where_it_may_lead(shown).definition,
        language=asked_language(shown.definition),
        face=face,
        stylesheet=style_address(shown),
        **promise.words(),
    )
    return page_headers(Response(html, headers=PRIVATE), shown.form, face)


def thanks_html(shown: ShownForm, language: str, promise: Promise) -> str:
    """The same for a script to put in the form's place."""
    definition = _where_it_may_lead(shown).definition
    return thanks.thanks_fragment(definition, language=language, **promise.words())


def style_address(shown: ShownForm) -> str:
    """Where the form's style sheet is; another one as soon as it says something else."""
    text = style_sheet(shown.definition.theme)
    version = shown.version.number
    return url_for("embed.style", code=shown.form.code, version=version, v=mark(text))


def _where_it_may_lead(shown: ShownForm) -> ShownForm:
    definition = replace(shown.definition, redirect=redirect_of(shown))
    return replace(shown, definition=definition)
