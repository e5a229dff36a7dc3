"""A draft as its visitors would see it: checked by the same rules, and nothing of it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lmt import i18n, publishing, web
from lmt.assets import asset
from lmt.forms import page
from lmt.forms.answers import given_answers
from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.look import style_sheet
from lmt.forms.pagefacts import page_facts
from lmt.forms.problemwords import problem_words
from lmt.forms.scriptfiles import PICKER, mark, picker_mark, runtime
from lmt.forms.scriptwords import script_words
from lmt.forms.thanks import render_thanks, thanks_fragment
from lmt.forms.turns import Turn, next_page
from lmt.forms.validate import check
from lmt.hq.blueprint import blueprint
from lmt.hq.formbuilder import draft_of, kept
from lmt.i18n import gettext as _
from lmt.models import Form

FRAMED_BY_US = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
UNSENT = "preview"
"""Stands for the form's code in the browser: what is typed here is no visitor's draft."""


@blueprint.route("/forms/<code>/preview", methods=["GET", "POST"])
@web.require(publishing.PERMISSION)
def preview_form(code: str) -> ResponseReturnValue:
    """`language` is the visitor's; `at` (`field/KEY`, `step/KEY`) opens the step it is in.

    Sent, it answers as the page without scripts would. It carries no token of a session, as the
    real one doesn't; a forged request would move nothing.
    """
    form = kept(code)
    try:
        definition = FormDefinition.from_json(draft_of(form))
    except (BadForm, ValueError) as problem:
        return _framed(_unreadable(str(problem)))
    if request.method == "POST":
        return _answered(form, definition)
    language = definition.language(request.args.get("language", definition.default_language))
    step = _step_of(definition, request.args.get("at", ""))
    return _framed(_page(form, definition, language, {}, step=step))


web.without_csrf(preview_form)


def _answered(form: Form, definition: FormDefinition) -> ResponseReturnValue:
    language = definition.language(request.form.get(page.LANGUAGE_FIELD, ""))
    answers = given_answers(definition, request.form.getlist)
    asked = request.form.get(page.ASKED_FIELD, "").split()[:200]
    turn = next_page(
        definition,
        answers,
        request.form.get(page.STEP_FIELD, ""),
        asked,
        _today(form),
        back=page.BACK_FIELD in request.form,
    )
    if turn.complete:
        thanks = render_thanks(
            definition, language=language, face="frame", stylesheet=_style_address(form, definition)
        )
        return _framed(thanks.replace("</main>", _unsent(language) + "</main>"))
    errors = _sentences(turn, definition, language)
    shown = _page(form, definition, language, answers, errors, turn.step, asked)
    return _framed(shown, 422 if errors else 200)


@blueprint.post("/forms/<code>/preview/embed/preview/send")
@web.require(publishing.PERMISSION)
def send_preview(code: str) -> ResponseReturnValue:
    """What the form's script would be answered; it sends to its `base`, which is the preview."""
    form = kept(code)
    definition = _definition(form)
    language = definition.language(request.form.get(page.LANGUAGE_FIELD, ""))
    answers = given_answers(definition, request.form.getlist)
    errors = check(definition, answers, language, _today(form))
    if errors:
        return jsonify({"errors": errors}), 422
    return jsonify({"html": thanks_fragment(definition, language=language) + _unsent(language)})


web.without_csrf(send_preview)


@blueprint.get("/forms/<code>/preview.css")
@web.require(publishing.PERMISSION)
def preview_style(code: str) -> ResponseReturnValue:
    theme = draft_of(kept(code)).get("theme") or {}
    return _uncached(style_sheet(theme), "text/css")


@blueprint.get("/forms/<code>/preview.js")
@web.require(publishing.PERMISSION)
def preview_script(code: str) -> ResponseReturnValue:
    """The program of a form with the draft's rules, sending to the preview."""
    form = kept(code)
    definition = _definition(form)
    language = definition.language(request.args.get("language", ""))
    data = {
        "code": UNSENT,
        "version": form.draft_number,
        "lang": language,
        "languages": list(definition.languages),
        "dir": i18n.direction(language),
        "html": "",
        "css": "",
        "facts": page_facts(definition, language, _today(form)),
        "messages": script_words(language),
        "picker": _picker_address(definition),
        "base": request.url_root.rstrip("/") + url_for("hq.preview_form", code=code),
        "origins": [],
        "token": "",
        "preview": True,
    }
    script = f"{runtime(definition)}LmtEmbed.show({json.dumps(data)});\n"
    return _uncached(script, "text/javascript")


def _picker_address(definition: FormDefinition) -> str:
    marked = picker_mark(definition)
    return url_for("embed.static_file", name=PICKER, v=marked) if marked else ""


def _definition(form: Form) -> FormDefinition:
    """The draft, else 404: its page says why it is no form."""
    try:
        return FormDefinition.from_json(draft_of(form))
    except BadForm:
        abort(404)


def _page(
    form: Form,
    definition: FormDefinition,
    language: str,
    answers: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    step: str = "",
    asked: Sequence[str] = (),
) -> str:
    return page.render_form(
        definition,
        language=language,
        answers=answers,
        errors=errors or {},
        token="",
        idempotency_key=UNSENT,
        action=url_for("hq.preview_form", code=form.code),
        utm={},
        version=str(form.draft_number),
        step=step,
        asked=asked,
        scripted=True,
        scripts=[
            asset("preview.js"),
            url_for("hq.preview_script", code=form.code, language=language, v=form.draft_number),
        ],
        face="frame",
        stylesheet=_style_address(form, definition),
        today=_today(form),
    )


def _sentences(turn: Turn, definition: FormDefinition, language: str) -> dict[str, str]:
    """What is wrong, by the name of the input."""
    of_input = {name: item for item in definition.fields for name in item.inputs}
    return {
        name: problem_words(problem, of_input[name], definition, language)
        for name, problem in turn.errors.items()
    }


def _style_address(form: Form, definition: FormDefinition) -> str:
    return url_for("hq.preview_style", code=form.code, v=mark(style_sheet(definition.theme)))


def _step_of(definition: FormDefinition, where: str) -> str:
    kind, _sep, key = where.partition("/")
    for step in definition.steps:
        if kind == "step" and step.key == key:
            return key
        if kind == "field" and any(item.key == key for item in step.fields):
            return step.key
    return ""


def _today(form: Form) -> date:
    return web.at().astimezone(ZoneInfo(form.source.market.timezone)).date()


def _unsent(language: str) -> Markup:
    with i18n.reading(language):
        words = _("This is a preview. Nothing was sent.")
    return Markup('<p class="notice" role="status">{}</p>').format(words)


def _unreadable(why: str) -> str:
    words = _("There is nothing to show yet: %(why)s.", why=why)
    return Markup('<!doctype html><title>{0}</title><p lang="{1}" dir="{2}">{0}</p>').format(
        words, i18n.reader().locale, i18n.direction()
    )


def _framed(html: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": FRAMED_BY_US, "Cache-Control": "no-store"}
    return Response(html, status, headers=headers)


def _uncached(text: str, mimetype: str) -> Response:
    return Response(text, mimetype=mimetype, headers={"Cache-Control": "no-store"})
