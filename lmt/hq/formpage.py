"""One form: what visitors see of it, where it stands, how its versions fare, who changed what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import publishing as verbs
from lmt import web
from lmt.forms.definition import BadForm, FormDefinition, in_words
from lmt.forms.figures import VersionFigures
from lmt.forms.findings import Finding, findings
from lmt.forms.findingwords import SEVERITY_WORDS, finding_words
from lmt.hq.blueprint import blueprint
from lmt.hq.formhistory import history_of
from lmt.hq.forms import state_of
from lmt.hq.sourceform import suggested_code
from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.models import Form, FormVersion, User

VERSION_ROWS = 10
PERIODS_DAYS = (7, 30, 90, 365)
MOST_ERRORS = 5


@dataclass(frozen=True, slots=True)
class VersionRow:
    """`errors` are (question, times), the most frequent first."""

    version: FormVersion
    author: str
    figures: VersionFigures
    errors: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class FoundRow:
    severity: str
    words: str


@dataclass(frozen=True, slots=True)
class Snippets:
    """What the developers of a brand's site copy."""

    script: str
    frame: str
    address: str
    script_policy: str
    frame_policy: str


@blueprint.get("/forms/<code>")
@web.require(verbs.PERMISSION)
def form(code: str) -> ResponseReturnValue:
    return _page(kept(code))


@blueprint.post("/forms/<code>/publish")
@web.require(verbs.PERMISSION)
def publish_form(code: str) -> ResponseReturnValue:
    row, note = kept(code), request.form.get("note", "").strip()
    try:
        version = verbs.publish(
            web.db(), row, note, at=web.at(), actor=web.actor(), number=_number("number")
        )
    except verbs.StaleDraft:
        web.db().rollback()
        flash(_("Somebody changed the draft meanwhile. Look at it again."), "warning")
        return redirect(url_for("hq.form", code=code))
    except verbs.Unpublishable:
        # The page says what is to be mended.
        web.db().rollback()
        return _page(kept(code), {"publish": _("Mend what is listed first.")}), 422
    except verbs.BadSettings as bad:
        web.db().rollback()
        return _page(kept(code), bad.problems), 422
    flash(_("Version %(number)s is published.", number=version.number), "success")
    return redirect(url_for("hq.form", code=code))


@blueprint.post("/forms/<code>/roll-back")
@web.require(verbs.PERMISSION)
def roll_back_form(code: str) -> ResponseReturnValue:
    session, row = web.db(), kept(code)
    wanted = select(FormVersion).where(
        FormVersion.form_id == row.id, FormVersion.number == (_number("version") or 0)
    )
    version = session.scalars(wanted).first()
    if version is None:
        abort(404)
    verbs.roll_back(session, row, version, at=web.at(), actor=web.actor())
    flash(_("Visitors see version %(number)s again.", number=version.number), "success")
    return redirect(url_for("hq.form", code=code))


@blueprint.post("/forms/<code>/duplicate")
@web.require(verbs.PERMISSION)
def duplicate_form(code: str) -> ResponseReturnValue:
    row, name = kept(code), request.form.get("name", "").strip()
    wanted = request.form.get("code", "").strip() or suggested_code(name, "form")
    try:
        made = verbs.duplicate(web.db(), row, wanted, name, at=web.at(), actor=web.actor())
    except verbs.BadSettings as bad:
        web.db().rollback()
        problems = {f"copy_{field}": words for field, words in bad.problems.items()}
        return _page(kept(code), problems, {"copy_name": name, "copy_code": wanted}), 422
    flash(_("This is the copy. Nobody sees it before it is published."), "success")
    return redirect(url_for("hq.form", code=made.code))


@blueprint.post("/forms/<code>/name")
@web.require(verbs.PERMISSION)
def rename_form(code: str) -> ResponseReturnValue:
    row, name = kept(code), request.form.get("name", "").strip()
    try:
        verbs.rename(web.db(), row, name, at=web.at(), actor=web.actor())
    except verbs.BadSettings as bad:
        web.db().rollback()
        return _page(kept(code), bad.problems, {"name": name}), 422
    flash(_("Saved."), "success")
    return redirect(url_for("hq.form", code=code))


@blueprint.post("/forms/<code>/origins")
@web.require(verbs.PERMISSION)
def save_form_origins(code: str) -> ResponseReturnValue:
    row, typed = kept(code), request.form.get("origins", "")[:20_000]
    try:
        verbs.set_origins(web.db(), row, typed.split(), at=web.at(), actor=web.actor())
    except verbs.BadSettings as bad:
        web.db().rollback()
        return _page(kept(code), bad.problems, {"origins": typed}), 422
    flash(_("Saved."), "success")
    return redirect(url_for("hq.form", code=code, _anchor="h-embed"))


@blueprint.post("/forms/<code>/state")
@web.require(verbs.PERMISSION)
def set_form_state(code: str) -> ResponseReturnValue:
    """Archive, or offer again, as the pressed button says."""
    row, do = kept(code), request.form.get("do", "")
    if do not in {"archive", "restore"}:
        abort(400)
    verbs.set_active(web.db(), row, do == "restore", at=web.at(), actor=web.actor())
    told: Mapping[str, Callable[[], str]] = {
        "archive": lambda: _("Archived: visitors no longer see this form."),
        "restore": lambda: _("Visitors can see this form again, once it is published."),
    }
    flash(told[do](), "success")
    return redirect(url_for("hq.form", code=code))


def kept(code: str) -> Form:
    """A form that the reader keeps; else 404."""
    try:
        return verbs.kept_form(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def snippets_of(code: str, base_url: str, language: str = "en", title: str = "…") -> Snippets:
    """The lines for a form at our address `base_url`, shown in `language`.

    The frame's size is said by attributes: a strict policy of the site refuses styles in them.
    """
    base = base_url.rstrip("/")
    shown = f"?lang={language}"
    return Snippets(
        script=f'<script async src="{base}/embed/{code}.js{shown}"></script>\n'
        f'<lmt-form form="{code}" lang="{language}"></lmt-form>',
        frame=f'<iframe data-lmt-form="{code}" src="{base}/embed/{code}{shown}"'
        f' title="{escape(title)}" allow="geolocation" width="100%" height="700"'
        ' frameborder="0" loading="lazy"></iframe>\n'
        f'<script async src="{base}/embed/frame.js"></script>',
        address=f"{base}/forms/{code}{shown}",
        script_policy=f"script-src {base}; connect-src {base}",
        frame_policy=f"frame-src {base}; script-src {base}",
    )


def _page(
    row: Form,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> str:
    session = web.db()
    days = next((each for each in PERIODS_DAYS if str(each) == request.args.get("days", "")), 30)
    before = request.args.get("before", "")
    found = _versions(session, row, before)
    shown = found[:VERSION_ROWS]
    reason, found_rows = _findings(row)
    return render_template(
        "hq/form.html",
        form=row,
        state=state_of(row),
        published=row.published,
        publisher=_name_of(session, row.published.published_by if row.published else None),
        drafter=_name_of(session, row.drafted_by),
        changed=row.published is None or row.published.definition != _comparable(row),
        reason=reason,
        findings=found_rows,
        blocked=bool(reason) or any(each.severity == "error" for each in found_rows),
        severity_words=SEVERITY_WORDS,
        snippets=_snippets(row),
        versions=_version_rows(session, row, shown, days),
        days=days,
        periods=PERIODS_DAYS,
        older_address=(
            url_for("hq.form", code=row.code, days=days, before=shown[-1].number)
            if len(found) > len(shown)
            else ""
        ),
        newest_address=url_for("hq.form", code=row.code, days=days) if before else "",
        history=history_of(session, "form", row.code),
        problems=problems or {},
        given={
            "name": row.name,
            "origins": "\n".join(row.origins),
            "copy_name": _("%(name)s (copy)", name=row.name or row.code)[: verbs.LONGEST_NAME],
            **(given or {}),
        },
        longest_note=verbs.LONGEST_NOTE,
    )


def _snippets(row: Form) -> Snippets:
    """In the language that visitors get where nothing else is known, with the form's title."""
    shown = row.published.definition if row.published else {}
    language = str(shown.get("default_language") or row.source.market.default_language)
    title = in_words(shown.get("title") or {}, language) or row.name or row.code
    return snippets_of(row.code, web.settings().base_url, language, title)


def _comparable(row: Form) -> dict[str, Any]:
    """The draft as it would be published; as it is where it can't be."""
    try:
        return FormDefinition.from_json(row.draft).to_json()
    except (BadForm, ValueError):
        return row.draft


def _findings(row: Form) -> tuple[str, list[FoundRow]]:
    """Why the draft is no form, or else what was found in it, in words."""
    try:
        definition = FormDefinition.from_json(row.draft)
    except (BadForm, ValueError) as problem:
        return str(problem), []
    return "", [
        FoundRow(each.severity, finding_words(each, _called(definition, each)))
        for each in findings(definition)
    ]


def _called(definition: FormDefinition, finding: Finding) -> str:
    """What the reader calls the step or question that a finding is about."""
    key = str(finding.facts.get("key", ""))
    language = reader().locale
    steps = (each.title for each in definition.steps if finding.where == f"step/{each.key}")
    item = definition.field(key)
    words = next(steps, item.label if item is not None else {})
    return definition.words(words, language) or key


def _versions(session: Session, row: Form, before: str) -> Sequence[FormVersion]:
    """The newest first, one more than a page where there are more."""
    wanted = (
        select(FormVersion)
        .where(FormVersion.form_id == row.id)
        .order_by(FormVersion.number.desc())
        .limit(VERSION_ROWS + 1)
    )
    if before.isascii() and before.isdecimal() and len(before) < 10:
        wanted = wanted.where(FormVersion.number < int(before))
    return session.scalars(wanted).all()


def _version_rows(
    session: Session, row: Form, shown: Sequence[FormVersion], days: int
) -> list[VersionRow]:
    today = web.at().astimezone(ZoneInfo(row.source.market.timezone)).date()
    figures = verbs.figures(session, row, shown, since=today - timedelta(days=days - 1))
    ids = {each.published_by for each in shown if each.published_by is not None}
    found = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    names = dict(found.all())
    return [
        VersionRow(
            each,
            names.get(each.published_by or 0, ""),
            figures[each.id],
            _errors(each, figures[each.id]),
        )
        for each in shown
    ]


def _errors(version: FormVersion, figures: VersionFigures) -> list[tuple[str, int]]:
    try:
        definition = FormDefinition.from_json(version.definition)
    except BadForm:
        definition = None
    language = reader().locale
    ordered = sorted(figures.errors.items(), key=lambda pair: (-pair[1], pair[0]))
    told = []
    for key, times in ordered[:MOST_ERRORS]:
        item = definition.field(key) if definition is not None else None
        words = definition.words(item.label, language) if definition and item else key
        told.append((words, times))
    return told


def _name_of(session: Session, user_id: int | None) -> str:
    return session.scalar(select(User.name).where(User.id == user_id)) or "" if user_id else ""


def _number(name: str) -> int | None:
    typed = request.form.get(name, "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None
