"""Headquarters' policies: what holds in each market, what is planned, drafts, and how it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from lmt import policies as verbs
from lmt import web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.policyform import (
    Typed,
    change_rows,
    place_of,
    problem_words,
    rows,
    settings_from,
    typed_from,
)
from lmt.hq.policywords import (
    ACTIONS,
    CONDITION_WORDS,
    CONDITIONS,
    GROUPS,
    MODES,
    SETTINGS,
    STATES,
    Difference,
    differences,
)
from lmt.i18n import gettext as _
from lmt.labels import choices
from lmt.models import Brand, Market, PolicyDraft, RoutingPolicy
from lmt.models.lead import BANDS
from lmt.policies import NotNow
from lmt.routing.policy import PolicyError
from lmt.routing.policybook import PolicyBook

MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class MarketRow:
    """`drafts`: how many are being worked on."""

    market: Market
    in_force: RoutingPolicy | None
    planned: RoutingPolicy | None
    drafts: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """`state`: `planned`, `in_force`, `past`, or `withdrawn` where it never held."""

    policy: RoutingPolicy
    state: str
    changes: Sequence[Difference]
    before: int | None


@blueprint.get("/policies")
@web.require(verbs.PERMISSION)
def policies() -> ResponseReturnValue:
    session, at = web.db(), web.at()
    own = verbs.edited_markets(web.actor())
    wanted = select(Market).order_by(Market.name)
    markets = session.scalars(wanted if own is None else wanted.where(Market.id.in_(own))).all()
    ids = [market.id for market in markets]
    drafts = session.execute(
        select(PolicyDraft.market_id, func.count())
        .where(PolicyDraft.state == "draft", PolicyDraft.market_id.in_(ids))
        .group_by(PolicyDraft.market_id)
    )
    counted = dict(drafts.all())
    in_force: dict[int, RoutingPolicy] = {}
    planned: dict[int, RoutingPolicy] = {}
    versions = session.scalars(
        select(RoutingPolicy)
        .options(joinedload(RoutingPolicy.author))
        .where(
            RoutingPolicy.market_id.in_(ids),
            (func.upper(RoutingPolicy.valid) > at) | func.upper_inf(RoutingPolicy.valid),
        )
        .order_by(RoutingPolicy.valid)
    )
    for row in versions:
        later = row.valid.lower is not None and row.valid.lower > at
        (planned if later else in_force).setdefault(row.market_id, row)
    return render_template(
        "hq/policies.html",
        rows=[
            MarketRow(
                market, in_force.get(market.id), planned.get(market.id), counted.get(market.id, 0)
            )
            for market in markets
        ],
    )


@blueprint.get("/policies/<market>")
@web.require(verbs.PERMISSION)
def policy(market: str) -> ResponseReturnValue:
    return _market_page(_market(market))


@blueprint.post("/policies/<market>/drafts")
@web.require(verbs.PERMISSION)
def start_draft(market: str) -> ResponseReturnValue:
    given = request.form.get("from_version", "")
    try:
        draft = verbs.start_draft(
            web.db(),
            _market(market),
            request.form.get("name", ""),
            web.at(),
            web.actor(),
            int(given) if _is_version(given) else None,
        )
    except LookupError:
        abort(404)
    return redirect(url_for("hq.draft", draft_id=draft.id))


@blueprint.post("/policies/<market>/roll-back")
@web.require(verbs.PERMISSION)
def roll_back(market: str) -> ResponseReturnValue:
    def act(market_id: int, version: int, **who: Any) -> None:
        verbs.roll_back(web.db(), market_id, version, **who)

    return _on_version(market, act, _("The older settings hold again, as a new version."))


@blueprint.post("/policies/<market>/withdraw")
@web.require(verbs.PERMISSION)
def withdraw_planned(market: str) -> ResponseReturnValue:
    def act(market_id: int, version: int, **who: Any) -> None:
        verbs.withdraw_planned(web.db(), market_id, version, **who)

    return _on_version(market, act, _("The planned version was withdrawn."))


@blueprint.get("/policies/drafts/<int:draft_id>")
@web.require(verbs.PERMISSION)
def draft(draft_id: int) -> ResponseReturnValue:
    found = _draft(draft_id)
    if found.state != "draft":
        return redirect(url_for("hq.policy", market=found.market.code))
    return _editor(found, typed_from(found.settings, found.name))


@blueprint.post("/policies/drafts/<int:draft_id>")
@web.require(verbs.PERMISSION)
def save_draft(draft_id: int) -> ResponseReturnValue:
    """Save, or change the rows of the form and show it again: its buttons say which."""
    found = _draft(draft_id)
    typed: Typed = request.form.copy()
    wanted = typed.get("do", "save")
    if wanted not in {"save", "replay"}:
        return _editor(found, typed, focus=change_rows(typed, wanted))
    settings, problems = settings_from(typed)
    if not problems:
        try:
            verbs.save_draft(
                web.db(),
                draft_id,
                settings,
                name=typed.get("name", ""),
                at=web.at(),
                actor=web.actor(),
            )
        except PolicyError as problem:
            web.db().rollback()
            problems = {place_of(problem, typed): problem_words(problem)}
        except NotNow as refused:
            web.db().rollback()
            flash(str(refused), "warning")
            return redirect(url_for("hq.policy", market=_draft(draft_id).market.code))
    if problems:
        return _editor(_draft(draft_id), typed, problems=problems), 422
    if wanted == "replay":
        return redirect(url_for("hq.replay", draft_id=draft_id))
    flash(_("The draft was saved. Nothing changes before it is published."), "success")
    return redirect(url_for("hq.draft", draft_id=draft_id))


@blueprint.post("/policies/drafts/<int:draft_id>/drop")
@web.require(verbs.PERMISSION)
def drop_draft(draft_id: int) -> ResponseReturnValue:
    market = _draft(draft_id).market.code
    try:
        verbs.drop_draft(web.db(), draft_id, at=web.at(), actor=web.actor())
    except NotNow as refused:
        web.db().rollback()
        flash(str(refused), "warning")
    else:
        flash(_("The draft was dropped."), "success")
    return redirect(url_for("hq.policy", market=market))


@blueprint.post("/policies/drafts/<int:draft_id>/publish")
@web.require(verbs.PERMISSION)
def publish(draft_id: int) -> ResponseReturnValue:
    found = _draft(draft_id)
    market, zone = found.market.code, found.market.timezone
    try:
        published = verbs.publish(
            web.db(),
            draft_id,
            at=web.at(),
            holds_from=_instant(request.form.get("holds_from", ""), zone),
            note=request.form.get("note", ""),
            actor=web.actor(),
        )
    except PolicyError as problem:
        web.db().rollback()
        found = _draft(draft_id)
        typed = typed_from(found.settings, found.name)
        problems = {place_of(problem, typed): problem_words(problem)}
        return _editor(found, typed, problems=problems), 422
    except NotNow as refused:
        web.db().rollback()
        flash(str(refused), "error")
        return redirect(_back_to_draft(draft_id))
    if published.valid.lower is not None and published.valid.lower > web.at():
        flash(_("Version %(version)s is planned.", version=published.version), "success")
    else:
        flash(_("Version %(version)s holds now.", version=published.version), "success")
    return redirect(url_for("hq.policy", market=market))


def complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with every default written out; as they are where they are no longer accepted."""
    plain = verbs.plain_settings(settings)
    try:
        return verbs.plain_settings(PolicyBook.from_settings(plain).to_settings())
    except PolicyError:
        return plain


def brand_names() -> dict[str, str]:
    found = web.db().execute(select(Brand.code, Brand.name).order_by(Brand.name))
    return dict(found.all())


def _market_page(market: Market) -> str:
    session, at = web.db(), web.at()
    versions = session.scalars(
        select(RoutingPolicy)
        .options(joinedload(RoutingPolicy.author))
        .where(RoutingPolicy.market_id == market.id)
        .order_by(RoutingPolicy.version.desc())
        .limit(MOST_VERSIONS)
    ).all()
    drafts = session.scalars(
        select(PolicyDraft)
        .options(joinedload(PolicyDraft.author))
        .where(PolicyDraft.market_id == market.id, PolicyDraft.state == "draft")
        .order_by(PolicyDraft.changed_at.desc())
    ).all()
    brands = brand_names()
    history = []
    for row, before in zip(versions, [*versions[1:], None], strict=True):
        held_before = complete(before.settings if before else {})
        history.append(
            VersionRow(
                row,
                _state(row, at),
                differences(held_before, complete(row.settings), brands),
                before.version if before else None,
            )
        )
    current = next((row for row in history if row.state == "in_force"), None)
    in_force = complete(current.policy.settings if current else {})
    return render_template(
        "hq/policy.html",
        market=market,
        history=history,
        current=current,
        planned=next((row for row in history if row.state == "planned"), None),
        in_force=differences({}, in_force, brands),
        drafts=[(each, differences(in_force, complete(each.settings), brands)) for each in drafts],
    )


def _state(row: RoutingPolicy, at: datetime) -> str:
    if row.valid.isempty:
        return "withdrawn"
    if row.valid.lower is not None and row.valid.lower > at:
        return "planned"
    return "in_force" if row.valid.upper is None or row.valid.upper > at else "past"


def _editor(
    found: PolicyDraft,
    typed: Typed,
    *,
    problems: Mapping[str, str] | None = None,
    focus: str = "",
) -> str:
    session, at = web.db(), web.at()
    dealers = q.dealer_options(session, at=at, market=found.market.code)
    brands = brand_names()
    in_force = verbs.version_in_force(session, found.market_id, at)
    told = problems or {}
    return render_template(
        "hq/policy_edit.html",
        draft=found,
        typed=typed,
        problems=told,
        focus=focus,
        groups=GROUPS,
        settings=SETTINGS,
        bands=BANDS,
        states=STATES,
        actions=ACTIONS,
        modes=MODES,
        conditions=[(name, CONDITION_WORDS[name], _values_of(name, brands)) for name in CONDITIONS],
        dealers=dealers,
        rows=rows,
        opened=lambda prefix: any(
            place.startswith(prefix) and place != f"{prefix}name" for place in {*told, focus}
        ),
        planned=verbs.planned_version(session, found.market_id, at),
        changes=differences(
            complete(in_force.settings if in_force else {}), complete(found.settings), brands
        ),
    )


def _values_of(condition: str, brands: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(brands.items()) if condition == "brand" else choices(condition)


def _on_version(market: str, act: Callable[..., None], told: str) -> ResponseReturnValue:
    found = _market(market)
    given = request.form.get("version", "")
    if not _is_version(given):
        abort(404)
    try:
        note = request.form.get("note", "")
        act(found.id, int(given), note=note, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except NotNow as refused:
        web.db().rollback()
        flash(str(refused), "error")
    else:
        flash(told, "success")
    return redirect(url_for("hq.policy", market=market))


def _market(code: str) -> Market:
    found = web.db().scalars(select(Market).where(Market.code == code)).first()
    own = verbs.edited_markets(web.actor())
    if found is None or (own is not None and found.id not in own):
        abort(404)
    return found


def _draft(draft_id: int) -> PolicyDraft:
    try:
        return verbs.draft_of(web.db(), draft_id, web.actor())
    except LookupError:
        abort(404)


def _back_to_draft(draft_id: int) -> str:
    """Whence it was to be published: the editor, or a replay."""
    replayed = request.form.get("replay", "")
    if replayed:
        return url_for("hq.replay", draft_id=draft_id, _anchor="publish")
    return url_for("hq.draft", draft_id=draft_id, _anchor="publish")


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _instant(typed: str, zone: str) -> datetime | None:
    """The market's own wall clock, in UTC; None for nothing, which means at once."""
    if not typed.strip():
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as nonsense:
        raise NotNow(_("Give the day and the time from which it shall hold.")) from nonsense
