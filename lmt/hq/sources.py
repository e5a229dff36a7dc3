"""Headquarters' sources: how each way in fares, what came by it last, and pausing or ending it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lmt import sources as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.imports import KINDS as FILE_KINDS
from lmt.hq.imports import PERMISSION as IMPORTING
from lmt.hq.lastdeliveries import last_deliveries
from lmt.hq.sourceconnect import connection_guide
from lmt.hq.sourceform import edited, show_once, shown_once
from lmt.hq.sourcewords import (
    FIELD_WORDS,
    SECRET_HELP,
    STATE_CHIPS,
    STATE_WORDS,
    changes_of,
    problem_words,
)
from lmt.i18n import gettext as _
from lmt.ingest.health import FAILURES_WITHIN, Health
from lmt.ingest.quarantine import PAUSED, ask_replay_all
from lmt.ingest.sourcehealth import health_of
from lmt.ingest.sourcesettings import SECRETS
from lmt.labels import label
from lmt.models import Intake, Market, Source, SourceAlert, SourceRefusal
from lmt.scope import Actor

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class SourceRow:
    """`waiting`: its deliveries in quarantine."""

    source: Source
    health: Health
    waiting: int


@dataclass(frozen=True, slots=True)
class RefusalRow:
    code: str
    times: int
    last_at: Any


@blueprint.get("/sources")
@web.require(verbs.READING)
def sources() -> ResponseReturnValue:
    session, actor = web.db(), web.actor()
    wanted = {name: request.args.get(name, "")[:100] for name in ("market", "kind", "alert")}
    after = request.args.get("after", "")[:100]
    found = _listed(session, actor, wanted, after)
    shown = found[:PAGE_ROWS]
    address: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    return render_template(
        "hq/sources.html",
        rows=source_rows(session, shown, web.at()),
        wanted=wanted,
        markets=_markets_with_sources(session, actor),
        kinds=_kinds_in_use(session, actor),
        state_words=STATE_WORDS,
        state_chips=STATE_CHIPS,
        may_edit=web.may(verbs.PERMISSION),
        next_address=(
            url_for("hq.sources", **address, after=shown[-1].code)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.sources", **address) if after else "",
    )


@blueprint.get("/sources/<code>")
@web.require(verbs.READING)
def source(code: str) -> ResponseReturnValue:
    return _page(code)


@blueprint.post("/sources/<code>/state")
@web.require(verbs.PERMISSION)
def set_source_state(code: str) -> ResponseReturnValue:
    """Pause, resume or retire, as the pressed button says."""
    row = edited(code)
    do = _STEPS.get(request.form.get("do", ""))
    if do is None:
        abort(400)
    verb, told = do
    try:
        verb(web.db(), row, web.at(), web.actor())
    except verbs.NotNow as why:
        web.db().rollback()
        flash(str(why), "warning")
        return redirect(url_for("hq.source", code=code))
    flash(told(), "success")
    if verb is verbs.resume:
        job = ask_replay_all(web.db(), row, web.at(), web.actor(), code=PAUSED)
        waited = job.total
        web.db().commit()
        if waited:
            flash(_("What came meanwhile is being taken in."), "info")
    return redirect(url_for("hq.source", code=code))


@blueprint.post("/sources/<code>/key")
@web.require(verbs.PERMISSION)
def new_source_key(code: str) -> ResponseReturnValue:
    row = edited(code)
    if request.form.get("sure", "") != "yes":
        problems = {"sure": _("Tick this first: the sender must be told the new key.")}
        return _page(code, problems=problems), 422
    try:
        key = verbs.new_key(web.db(), row, web.at(), web.actor())
    except verbs.NotNow as why:
        web.db().rollback()
        flash(str(why), "warning")
        return redirect(url_for("hq.source", code=code))
    show_once(code, key)
    flash(_("The old key opens nothing any more."), "success")
    return redirect(url_for("hq.source", code=code))


@blueprint.post("/sources/<code>/secrets")
@web.require(verbs.PERMISSION)
def set_source_secret(code: str) -> ResponseReturnValue:
    row = edited(code)
    name, plain = request.form.get("name", ""), request.form.get("secret", "").strip()
    forget = request.form.get("do", "") == "forget"
    if not plain and not forget:
        return _page(code, problems={name: _("Enter the secret.")}), 422
    try:
        verbs.set_secret(
            web.db(),
            row,
            name,
            "" if forget else plain,
            web.settings().secret_key,
            web.at(),
            web.actor(),
        )
    except verbs.BadSource as bad:
        web.db().rollback()
        return _page(code, problems=bad.problems), 422
    except LookupError:
        abort(404)
    flash(_("The secret was forgotten.") if forget else _("The secret was kept."), "success")
    return redirect(url_for("hq.source", code=code, _anchor="h-secrets"))


def seen(code: str) -> Source:
    """A source that the actor may read of; else 404."""
    try:
        return verbs.seen_source(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def source_rows(session: Session, shown: Sequence[Source], at: Any) -> list[SourceRow]:
    """The sources with their health, in a fixed number of queries."""
    health = health_of(session, shown, at)
    counted = session.execute(
        select(Intake.source_id, func.count())
        .where(Intake.status == "quarantined", Intake.source_id.in_([each.id for each in shown]))
        .group_by(Intake.source_id)
    )
    waiting = dict(counted.all())
    return [SourceRow(each, health[each.id], waiting.get(each.id, 0)) for each in shown]


def _listed(
    session: Session, actor: Actor, wanted: Mapping[str, str], after: str
) -> Sequence[Source]:
    """By code, one more than a page where there are more."""
    statement = (
        select(Source)
        .options(joinedload(Source.market), joinedload(Source.campaign))
        .where(verbs.seen_by(actor), Source.code > after)
        .order_by(Source.code)
        .limit(PAGE_ROWS + 1)
    )
    if wanted["kind"]:
        statement = statement.where(Source.kind == wanted["kind"])
    if wanted["alert"]:
        alarmed = select(SourceAlert.source_id).where(
            SourceAlert.kind == wanted["alert"], SourceAlert.ended_at.is_(None)
        )
        statement = statement.where(Source.id.in_(alarmed))
    if wanted["market"]:
        own = select(Market.id).where(Market.code == wanted["market"])
        statement = statement.where(Source.market_id.in_(own))
    return session.scalars(statement).all()


def _markets_with_sources(session: Session, actor: Actor) -> list[tuple[str, str]]:
    found = session.execute(
        select(Market.code, Market.name)
        .where(Market.id.in_(select(Source.market_id).where(verbs.seen_by(actor))))
        .order_by(Market.name)
    )
    return [(code, name) for code, name in found]


def _kinds_in_use(session: Session, actor: Actor) -> list[tuple[str, str]]:
    kinds = session.scalars(select(Source.kind).where(verbs.seen_by(actor)).distinct())
    return sorted(((kind, label("channel", kind)) for kind in kinds), key=lambda pair: pair[1])


def _page(code: str, *, problems: Mapping[str, str] | None = None) -> Response:
    row, session = seen(code), web.db()
    key = shown_once(code)
    may_edit = verbs.may_edit(row.market_id, web.actor())
    health = health_of(session, [row], web.at())[row.id]
    waiting = session.scalar(
        select(func.count())
        .select_from(Intake)
        .where(Intake.source_id == row.id, Intake.status == "quarantined")
    )
    answer = make_response(
        render_template(
            "hq/source.html",
            source=row,
            health=health,
            waiting=waiting,
            deliveries=last_deliveries(session, row),
            refusals=_refusals(session, row),
            history=changes_of(session, "source", row.code),
            key=key,
            connection=connection_guide(row, web.settings().base_url, key),
            secrets=[
                (name, FIELD_WORDS[name], SECRET_HELP[name], name in row.secrets)
                for name in SECRETS.get(row.kind, ())
            ],
            keyed=row.kind in verbs.KEYED,
            mapped=row.kind in verbs.MAPPED,
            takes_files=row.kind in FILE_KINDS and web.may(IMPORTING),
            may_edit=may_edit,
            problems=problems or {},
            problem_words=problem_words,
            state_words=STATE_WORDS,
            state_chips=STATE_CHIPS,
        )
    )
    if key:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _refusals(session: Session, row: Source) -> list[RefusalRow]:
    """Of the last days, by code."""
    found = session.execute(
        select(SourceRefusal.code, func.sum(SourceRefusal.times), func.max(SourceRefusal.last_at))
        .where(SourceRefusal.source_id == row.id, SourceRefusal.hour > web.at() - FAILURES_WITHIN)
        .group_by(SourceRefusal.code)
        .order_by(SourceRefusal.code)
    )
    return [RefusalRow(code, int(times), last_at) for code, times, last_at in found]


_STEPS: Mapping[str, tuple[Callable[..., None], Callable[[], str]]] = {
    "pause": (verbs.pause, lambda: _("Paused. What arrives is kept until the source goes on.")),
    "resume": (verbs.resume, lambda: _("The source runs.")),
    "retire": (verbs.retire, lambda: _("Retired. Its deliveries are refused from now on.")),
}
