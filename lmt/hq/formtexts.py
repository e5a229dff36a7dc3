"""Every text of a form in its languages, side by side: translated in one go, the gaps counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import publishing, web
from lmt.forms.texts import FormText, texts_of
from lmt.hq import builderview as view
from lmt.hq import formedits as edits
from lmt.hq.blueprint import blueprint
from lmt.hq.builderwords import TEXT_WORDS
from lmt.hq.formbuilder import draft_of, kept
from lmt.i18n import gettext as _
from lmt.models import Form

PAGE_ROWS = 60
MOST_CHARACTERS = 5_000


@dataclass(frozen=True, slots=True)
class TextRow:
    """`about` is the field or step that it belongs to; `long`: it takes several lines."""

    text: FormText
    words: str
    about: str
    long: bool


@blueprint.get("/forms/<code>/texts")
@web.require(publishing.PERMISSION)
def form_texts(code: str) -> ResponseReturnValue:
    return _page(kept(code))


@blueprint.post("/forms/<code>/texts")
@web.require(publishing.PERMISSION)
def save_form_texts(code: str) -> ResponseReturnValue:
    """Keeps all texts of the page at once; other changes made meanwhile are not lost."""
    form = kept(code)
    draft = draft_of(form)
    given = {place: text for place, text in _given().items() if place[1] in draft["languages"]}
    if request.form.get("number") != str(form.draft_number):
        # Nobody's text is written over: what was typed is shown again, above the present draft.
        return _page(form, given, stale=True), 409
    try:
        publishing.save_draft(
            web.db(),
            form,
            edits.set_texts(draft, given),
            number=form.draft_number,
            at=web.at(),
            actor=web.actor(),
        )
    except publishing.StaleDraft:
        web.db().rollback()
        return _page(kept(code), given, stale=True), 409
    except publishing.BadSettings as problem:
        web.db().rollback()
        flash(" ".join(problem.problems.values()), "warning")
        return _page(kept(code), given), 422
    flash(_("The texts were saved. Visitors see them once the form is published."), "success")
    wanted = _filters()
    return redirect(
        url_for("hq.form_texts", code=code, missing=wanted.get("missing"), page=wanted.get("page"))
    )


def _given() -> dict[tuple[str, str], str]:
    """Inputs are called `text|LANGUAGE|PATH`."""
    found = {}
    for name, text in request.form.items():
        kind, _sep, rest = name.partition("|")
        language, _sep, path = rest.partition("|")
        if kind == "text" and path:
            found[path, language] = text.replace("\r\n", "\n")[:MOST_CHARACTERS]
    return found


def _filters() -> dict[str, str]:
    wanted = {name: request.values.get(name, "") for name in ("missing", "page")}
    return {name: value for name, value in wanted.items() if value}


def _page(
    form: Form, typed: Mapping[tuple[str, str], str] | None = None, *, stale: bool = False
) -> str:
    draft = draft_of(form)
    languages = view.words_rows(draft)
    texts = list(texts_of(draft))
    missing = {
        language: sum(1 for text in texts if text.is_missing(language)) for language in languages
    }
    only_missing = bool(_filters().get("missing"))
    if only_missing:
        texts = [text for text in texts if any(map(text.is_missing, languages))]
    number = _page_number(len(texts))
    names = view.names_of(draft)
    return render_template(
        "hq/builder_texts.html",
        form=form,
        spoken=languages,
        rows=_rows(texts[(number - 1) * PAGE_ROWS : number * PAGE_ROWS], names),
        missing=missing,
        only_missing=only_missing,
        number=request.form.get("number", "") if stale else form.draft_number,
        page=number,
        pages=-(-len(texts) // PAGE_ROWS),
        total=len(texts),
        typed=typed or {},
        stale=stale,
    )


def _rows(texts: Sequence[FormText], names: Mapping[str, str]) -> list[TextRow]:
    return [
        TextRow(
            text,
            str(TEXT_WORDS[text.kind]),
            names.get(text.owner, ""),
            long=max(map(len, text.words.values()), default=0) > 60,
        )
        for text in texts
    ]


def _page_number(count: int) -> int:
    wanted = request.values.get("page", "1")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 4 else 1
    return max(1, min(number, -(-count // PAGE_ROWS)))
