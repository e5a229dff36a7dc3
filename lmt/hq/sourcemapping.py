"""Which of a stranger's fields is which of ours: beside a payload, previewed before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import sources as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.mappingform import WHY_WORDS, MappingForm, target_groups
from lmt.hq.sourceform import edited
from lmt.hq.sourcepreview import MOST_BYTES, Preview, preview, samples_of
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.ingest.kinds import KINDS
from lmt.ingest.requesttypes import REQUEST_TYPES
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.model import MappingError
from lmt.mapping.payload import PayloadError
from lmt.mapping.presets import PRESETS, Preset
from lmt.mapping.words import payload_words
from lmt.models import Intake, Source

CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class Editor:
    """All that the page shows: the sample as pasted, the table, and what is wrong by input."""

    source: Source
    form: MappingForm
    payload: str
    content_type: str
    problems: dict[str, str]
    preview: Preview | None = None


@blueprint.get("/sources/<code>/mapping")
@web.require(verbs.PERMISSION)
def source_mapping(code: str) -> ResponseReturnValue:
    """The mapping as kept; of a new source, what its kind begins with, with the preset's sample."""
    source = _mapped(code)
    kept = _kept(source)
    preset = PRESETS.get(kept.preset) or PRESETS.get(KINDS[source.kind].preset)
    payload, content_type = (preset.sample, preset.sample_type) if preset else ("", "")
    return _page(_editor(source, MappingForm.of(kept), payload, content_type))


@blueprint.post("/sources/<code>/mapping")
@web.require(verbs.PERMISSION)
def save_source_mapping(code: str) -> ResponseReturnValue:
    """Save, or do what another button says and show the page again."""
    source = _mapped(code)
    form, payload, content_type = _typed()
    wanted, _colon, rest = request.form.get("do", "save").partition(":")
    if wanted == "save":
        return _save(source, form, payload, content_type)
    if wanted == "latest":
        found = _latest(source)
        if found is None:
            flash(_("Nothing has arrived by this source yet."), "info")
        else:
            payload, content_type = found
    elif wanted == "preset":
        chosen = _preset_of(source, request.form.get("ready", ""))
        if chosen is not None:
            form = MappingForm.of(chosen.mapping)
            payload, content_type = chosen.sample, chosen.sample_type
    elif wanted == "add-path":
        form.add_path(request.form.get("new_path", "").strip())
    elif wanted == "add-field":
        form.add_field(request.form.get("new_field", ""), request.form.get("new_fixed", "").strip())
    elif wanted == "first":
        target, _bar, path = rest.partition("|")
        form.ask_first(target, path)
    editor = _editor(source, form, payload, content_type)
    if wanted == "suggest":
        taken = editor.form.take_hints()
        flash(
            ngettext(
                "%(num)s suggestion was taken. Look at it before you save.",
                "%(num)s suggestions were taken. Look at them before you save.",
                taken,
            )
            if taken
            else _("There is nothing more to suggest."),
            "info",
        )
        _look(editor)
    return _page(editor)


@blueprint.post("/sources/<code>/mapping/preview")
@web.require(verbs.PERMISSION)
def preview_source_mapping(code: str) -> ResponseReturnValue:
    """The preview alone, and those tables beside it that what was typed has changed."""
    source = _mapped(code)
    before = [request.form.getlist(name) for name in ("path", "field")]
    editor = _editor(source, *_typed())
    after = [
        [row.path for row in editor.form.rows],
        [each.target for each in editor.form.fields],
    ]
    return render_template(
        "hq/source_preview.html",
        **_shown(editor),
        rows_changed=sorted(before[0]) != sorted(after[0]),
        fields_changed=before[1] != after[1],
    )


def _save(
    source: Source, form: MappingForm, payload: str, content_type: str
) -> ResponseReturnValue:
    data, problems = form.to_json()
    seen = request.form.get("seen", "")
    if problems:
        editor = _editor(source, form, payload, content_type)
        return _page(editor), 422
    try:
        changed = verbs.change_source(
            web.db(),
            source,
            {"mapping": data},
            web.at(),
            web.actor(),
            seen=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0,
        )
    except verbs.NotNow as why:
        web.db().rollback()
        flash(str(why), "warning")
        return _page(_editor(_mapped(source.code), form, payload, content_type)), 409
    if changed:
        flash(_("The mapping was saved. Deliveries are read by it from now on."), "success")
    else:
        flash(_("Nothing was changed."), "info")
    return redirect(url_for("hq.source", code=source.code))


def _mapped(code: str) -> Source:
    source = edited(code)
    if source.kind not in verbs.MAPPED:
        abort(404)
    return source


def _kept(source: Source) -> FieldMapping:
    """The source's own mapping; where it has none, that of its preset, as production reads it."""
    try:
        own = FieldMapping.from_json(source.mapping)
    except MappingError:
        own = FieldMapping()
    ready = PRESETS.get(own.preset or KINDS[source.kind].preset)
    return own if own.lines or ready is None else FieldMapping(ready.mapping.lines, ready.code)


def _typed() -> tuple[MappingForm, str, str]:
    declared = request.form.get("content_type", "")
    return (
        MappingForm.typed(request.form),
        request.form.get("payload", ""),
        declared if declared.split(";")[0] in CONTENT_TYPES else "",
    )


def _latest(source: Source) -> tuple[str, str] | None:
    """The newest delivery that isn't too large to look at; shown, and kept nowhere else."""
    found = (
        web.db()
        .execute(
            select(Intake.body, Intake.content_type)
            .where(Intake.source_id == source.id)
            .order_by(Intake.id.desc())
            .limit(1)
        )
        .first()
    )
    if found is None or len(found.body) > MOST_BYTES:
        return None
    return found.body.decode("utf-8", "replace").replace("\0", ""), found.content_type


def _preset_of(source: Source, code: str) -> Preset | None:
    preset = PRESETS.get(code)
    return preset if preset is not None and source.kind in preset.kinds else None


def _editor(source: Source, form: MappingForm, payload: str, content_type: str) -> Editor:
    editor = Editor(source, form, payload, content_type, {})
    body = payload.encode("utf-8", "replace")
    if len(body) > MOST_BYTES:
        editor.problems["payload"] = _("This is longer than 64 KB. Paste a shorter one.")
        editor.payload = ""
        return editor
    if body.strip():
        try:
            form.show(samples_of(editor.source.kind, body, content_type))
        except PayloadError as problem:
            editor.problems["payload"] = payload_words(problem.code)
    _look(editor)
    return editor


def _look(editor: Editor) -> None:
    """Check the table, and preview the payload by it where both can be used."""
    data, problems = editor.form.to_json()
    editor.problems = {**{k: v for k, v in editor.problems.items() if k == "payload"}, **problems}
    body = editor.payload.encode("utf-8", "replace")
    editor.preview = None
    if body.strip() and not editor.problems:
        editor.preview = preview(web.db(), editor.source, data, body, editor.content_type)


def _shown(editor: Editor) -> Mapping[str, Any]:
    return {
        "editor": editor,
        "source": editor.source,
        "form": editor.form,
        "problems": editor.problems,
        "preview": editor.preview,
        "groups": target_groups(editor.form.rows),
        "why_words": WHY_WORDS,
        "request_types": ", ".join(REQUEST_TYPES),
    }


def _page(editor: Editor) -> str:
    # A sample's own type names the boundary of its parts: it is offered as it is.
    offered = dict.fromkeys([*CONTENT_TYPES, *filter(None, [editor.content_type])])
    return render_template(
        "hq/source_mapping.html",
        **_shown(editor),
        content_types=[("", _("As it looks")), *((each, each) for each in offered)],
        ready=[
            (preset.code, preset.name)
            for preset in PRESETS.values()
            if editor.source.kind in preset.kinds
        ],
        unplaced=[words for name, words in editor.problems.items() if name == "mapping"],
    )
