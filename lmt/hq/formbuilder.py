"""The form builder: a draft is put together field by field, looked at, and published."""

from __future__ import annotations

import json

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from lmt import customfields, publishing, web
from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.fields import MOST_FILE_MB, SHOWN_IN
from lmt.forms.theme import COLOURS, FONTS, MOST_RADIUS_PX
from lmt.hq import builderview as view
from lmt.hq import formedits as edits
from lmt.hq.blueprint import blueprint
from lmt.hq.builderacts import countries_of, done, former_of
from lmt.hq.builderinput import TESTS, Typed
from lmt.hq.builderwords import (
    COLOUR_WORDS,
    FONT_WORDS,
    PLACE_WORDS,
    SHOWN_WORDS,
    TEST_WORDS,
    TYPES,
    refusal_words,
)
from lmt.hq.draftshape import shaped
from lmt.hq.formedits import BadEdit, Draft
from lmt.i18n import gettext as _
from lmt.models import Form, Market

WIDTHS = ("phone", "desktop")


@blueprint.get("/forms/<code>/build")
@web.require(publishing.PERMISSION)
def build_form(code: str) -> ResponseReturnValue:
    form = kept(code)
    return _page(form, draft_of(form), request.args.get("at", "form"))


@blueprint.post("/forms/<code>/build")
@web.require(publishing.PERMISSION)
def edit_draft(code: str) -> ResponseReturnValue:
    """What was typed into the editor is kept first, then the button does what it says."""
    form, typed = kept(code), request.form.copy()
    before, where = draft_of(form), typed.get("editing", "")
    number = typed.get("number", "")
    if number != str(form.draft_number):
        return _stale(form, typed, where)
    try:
        made = done(form, before, where, typed)
    except BadEdit as problem:
        return _refused(form, before, where, typed, problem)
    try:
        publishing.save_draft(
            web.db(), form, made.draft, number=int(number), at=web.at(), actor=web.actor()
        )
    except publishing.StaleDraft:
        web.db().rollback()
        return _stale(kept(code), typed, where)
    except publishing.BadSettings as problem:
        web.db().rollback()
        return _refused(kept(code), before, where, typed, problem)
    form = kept(code)
    if typed.get("do") == "publish":
        return _publish(form, made.draft, typed)
    former = before if form.draft_number != int(number) else former_of(typed)
    return _page(form, draft_of(form), made.where, told=made.told, focus=made.focus, former=former)


def kept(code: str) -> Form:
    """The form, if it is the visitor's to keep; else 404."""
    try:
        return publishing.kept_form(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def draft_of(form: Form) -> Draft:
    """The draft with all that it takes to show it, written out in full where it is a form."""
    try:
        return FormDefinition.from_json(_begun(form, form.draft)).to_json()
    except (BadForm, TypeError, AttributeError):
        return _begun(form, shaped(form.draft))


def _begun(form: Form, draft: Draft) -> Draft:
    market = form.source.market
    return edits.begun(
        draft,
        code=form.code,
        languages=market.languages,
        default_language=market.default_language,
    )


def _publish(form: Form, draft: Draft, typed: Typed) -> ResponseReturnValue:
    try:
        version = publishing.publish(
            web.db(),
            form,
            typed.get("note", "").strip(),
            at=web.at(),
            actor=web.actor(),
            number=form.draft_number,
        )
    except publishing.StaleDraft:
        web.db().rollback()
        return _stale(kept(form.code), typed, typed.get("editing", ""))
    except (publishing.Unpublishable, publishing.BadSettings) as problem:
        web.db().rollback()
        return _refused(kept(form.code), draft, typed.get("editing", ""), typed, problem)
    # The row was read before: what it points to has changed.
    web.db().expire(form)
    told = _("Version %(version)s is published. Visitors see it now.", version=version.number)
    if request.headers.get("HX-Request"):
        return _page(kept(form.code), draft, typed.get("editing", ""), told=told, focus="published")
    flash(told, "success")
    return redirect(url_for("hq.build_form", code=form.code, at=typed.get("editing", "")))


def _refused(
    form: Form, draft: Draft, where: str, typed: Typed, problem: Exception
) -> ResponseReturnValue:
    """The page again, with what was typed and why it wasn't kept."""
    field = ""
    if isinstance(problem, BadEdit):
        words, field = refusal_words(problem, view.names_of(draft)), problem.field
    elif isinstance(problem, publishing.BadSettings):
        words = " ".join(problem.problems.values())
    else:
        words = _("This can't be published yet. What must be mended stands below “Check”.")
    return (
        _page(form, draft, where, refused=words, refused_field=field, typed=typed),
        422,
    )


def _stale(form: Form, typed: Typed, where: str) -> ResponseReturnValue:
    """What was typed stays in the editor, to be copied; it can't be saved over the other's."""
    return _page(form, draft_of(form), where, typed=typed, stale=True), 409


def _page(
    form: Form,
    draft: Draft,
    where: str,
    *,
    told: str = "",
    focus: str = "",
    refused: str = "",
    refused_field: str = "",
    typed: Typed | None = None,
    former: Draft | None = None,
    stale: bool = False,
) -> str:
    where = view.editable(draft, where)
    kind, _sep, key = where.partition("/")
    found = view.what_is_wrong(draft)
    market: Market = form.source.market
    session = web.db()
    item = edits.field_of(draft, key) if kind == "field" else None
    step = edits.step_of(draft, key) if kind == "step" else None
    template = "builder_body.html" if request.headers.get("HX-Request") else "builder.html"
    given = typed if typed is not None else MultiDict[str, str]()
    return render_template(
        f"hq/{template}",
        form=form,
        market=market,
        draft=draft,
        number=given.get("number", "") if stale else form.draft_number,
        where=where,
        kind=kind,
        key=key,
        item=item,
        step=step,
        condition=view.condition_editor(draft, key) if item or step else None,
        steps=view.outline(draft, found),
        found=found,
        errors=sum(1 for each in found if each.severity == "error"),
        offered=view.offered_fields(
            draft,
            publishing.ready_fields(session, market.id),
            customfields.fields_of(session, market.id),
        ),
        add_to=given.get("add-to") or _step_shown(draft, kind, key),
        names=view.names_of(draft),
        spoken=view.words_rows(draft),
        all_languages=view.all_languages(draft),
        brands=publishing.market_facts(session, market.id)[1] if kind == "form" else [],
        countries=countries_of(form) if item and item["type"] == "address" else [],
        types=TYPES,
        tests=TESTS,
        test_words=TEST_WORDS,
        shown_test=view.shown_test,
        places=PLACE_WORDS,
        shown_in=[(each, SHOWN_WORDS[each]) for each in SHOWN_IN],
        purposes=_purposes(draft),
        colours=[(each, COLOUR_WORDS[each], COLOURS[each]) for each in COLOURS],
        fonts=[(each, FONT_WORDS[each]) for each in FONTS],
        most_radius_px=MOST_RADIUS_PX,
        most_file_mb=MOST_FILE_MB,
        over=lambda name, kept_value="": view.typed_over(typed, name, kept_value),
        ticked=lambda name, kept_value: name in given if typed is not None else bool(kept_value),
        told=told,
        focus=focus,
        refused=refused,
        refused_field=refused_field,
        former=json.dumps(former, ensure_ascii=False) if former is not None else "",
        stale=stale,
        preview_language=_preview_language(draft, given),
        preview_width=_preview_width(given),
    )


def _step_shown(draft: Draft, kind: str, key: str) -> str:
    """Where a new field goes unless one says otherwise: to the step that one is looking at."""
    if kind == "step":
        return key
    if kind == "field":
        return edits.place_of(draft, key)[0]
    return str(draft["steps"][-1]["key"])


def _purposes(draft: Draft) -> list[str]:
    """What consents are given for, as far as is known here: to be typed or chosen."""
    used = {
        item["purpose"] for step in draft["steps"] for item in step["fields"] if item.get("purpose")
    }
    return sorted({"contact", "marketing", *used})


def _preview_language(draft: Draft, typed: Typed) -> str:
    wanted = request.args.get("preview", "") or typed.get("preview", "")
    return wanted if wanted in draft["languages"] else str(draft["default_language"])


def _preview_width(typed: Typed) -> str:
    wanted = request.args.get("width", "") or typed.get("width", "")
    return wanted if wanted in WIDTHS else "phone"
