"""A draft tried on past leads before it is published: asked, worked on by the worker, and shown."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import policies as verbs
from lmt import web
from lmt.files.neutral import neutral
from lmt.hq.blueprint import blueprint
from lmt.hq.policies import brand_names
from lmt.i18n import format_duration, format_km, format_number, format_percent
from lmt.i18n import gettext as _
from lmt.labels import choices, label
from lmt.maps import Line, Map, Point
from lmt.models import Job, Market, PolicyDraft, Source
from lmt.replay.question import USUAL_DAYS, BadQuestion, question_from
from lmt.replay.service import KIND
from lmt.reports.export import BYTE_ORDER_MARK

MOST_JOBS = 10
MOST_LISTED = 50
MOST_DRAWN = 400
MOST_WITH_LINES = 60
FILTERS = ("request_types", "brands", "bands", "sources")
SORTS = ("name", "before", "after", "gained", "lost", "net")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure under both rules, as it is read; `better` says which way it went, None for
    neither."""

    words: str
    before: str
    after: str
    better: bool | None


@dataclass(frozen=True, slots=True)
class DealerRow:
    name: str
    code: str
    before: int
    after: int
    gained: int
    lost: int

    @property
    def net(self) -> int:
        return self.after - self.before


@blueprint.get("/policies/drafts/<int:draft_id>/replay")
@web.require(verbs.PERMISSION)
def replay(draft_id: int) -> ResponseReturnValue:
    return _question_page(_draft(draft_id))


@blueprint.post("/policies/drafts/<int:draft_id>/replay")
@web.require(verbs.PERMISSION)
def start_replay(draft_id: int) -> ResponseReturnValue:
    draft = _draft(draft_id)
    session, at = web.db(), web.at()
    try:
        arguments = _asked(request.form, draft.market)
        question_from(arguments, draft.market_id, at)
    except BadQuestion as problem:
        return _question_page(draft, problem=str(problem)), 422
    job = Job(
        kind=KIND,
        market_id=draft.market_id,
        arguments=arguments | {"draft": draft.id},
        requested_by=web.actor().user_id,
        created_at=at,
    )
    session.add(job)
    session.commit()
    return redirect(url_for("hq.replayed", job_id=job.id))


@blueprint.get("/replays/<uuid:job_id>")
@web.require(verbs.PERMISSION)
def replayed(job_id: uuid.UUID) -> ResponseReturnValue:
    """How far it is; in the end what it found."""
    job, draft = _job(job_id)
    if request.headers.get("HX-Request"):
        response = make_response(render_template("hq/replay_progress.html", job=job))
        if job.finished_at is not None:
            response.headers["HX-Refresh"] = "true"
        response.vary.add("HX-Request")
        return response
    sort = request.args.get("sort", "net")
    sort = sort if sort in SORTS else "net"
    falling = request.args.get("order", "fall" if sort != "name" else "rise") != "rise"
    result = job.result or {}
    rows = sorted_rows(dealer_rows(result), sort, falling)
    points = result.get("points", ())
    return render_template(
        "hq/replay_result.html",
        job=job,
        draft=draft,
        result=result,
        asked=asked_words(job.arguments, draft.market.timezone),
        comparisons=comparisons(result) if result else (),
        rows=rows,
        sort=sort,
        falling=falling,
        drawing=replay_map(result) if result else None,
        points=points[:MOST_LISTED],
        names=_names(result),
        why_it_failed=why_it_failed,
        changed_since=draft.changed_at > job.created_at and draft.state == "draft",
        planned=verbs.planned_version(web.db(), draft.market_id, web.at()),
    )


@blueprint.get("/replays/<uuid:job_id>/<any(dealers, leads):what>.csv")
@web.require(verbs.PERMISSION)
def replay_csv(job_id: uuid.UUID, what: str) -> ResponseReturnValue:
    job, _draft_of_it = _job(job_id)
    result = job.result or {}
    lines = _dealer_lines(result) if what == "dealers" else _lead_lines(result)
    return Response(
        _csv(lines),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="replay-{what}.csv"',
            "Cache-Control": "no-store",
        },
    )


def why_it_failed(job: Job) -> str:
    """What stopped it: a sentence that the replay left, or that the log has more."""
    is_sentence = " " in job.problem
    return job.problem if is_sentence else _("An error stopped it. The log says which.")


def dealer_rows(result: Mapping[str, Any]) -> list[DealerRow]:
    return [
        DealerRow(
            name=each["name"],
            code=each["code"],
            before=each["before"],
            after=each["after"],
            gained=each["gained"],
            lost=each["lost"],
        )
        for each in result.get("dealers", ())
    ]


def sorted_rows(rows: Iterable[DealerRow], sort: str, falling: bool) -> list[DealerRow]:
    """By a column; equal ones by name."""
    by_name = sorted(rows, key=lambda row: (row.name.casefold(), row.code))
    if sort == "name":
        return by_name[::-1] if falling else by_name
    return sorted(by_name, key=lambda row: getattr(row, sort) * (-1 if falling else 1))


def comparisons(result: Mapping[str, Any]) -> list[Comparison]:
    """The figures of both sides beside each other (`lmt.replay.figures`)."""
    was, now = result["before"], result["after"]

    def row(
        words: str, figure: Any, shown: Any = format_number, *, less: bool | None = None
    ) -> Comparison:
        one, other = figure(was), figure(now)
        better = None
        if less is not None and one is not None and other is not None and one != other:
            better = (other < one) == less
        texts = ["–" if value is None else shown(value) for value in (one, other)]
        return Comparison(words, texts[0], texts[1], better)

    def nobody(side: Mapping[str, Any]) -> int:
        return sum(side["nobody"].values())

    def at_once(side: Mapping[str, Any]) -> float | None:
        return side["open_at_once"] / side["routed"] if side["routed"] else None

    def spread(name: str, figure: str) -> Any:
        return lambda side: side[name][figure]

    return [
        row(_("Leads that found a dealer"), lambda side: side["routed"], less=False),
        row(_("Leads that found none"), nobody, less=True),
        row(_("Distance, mean"), spread("km", "mean"), format_km, less=True),
        row(_("Distance, median"), spread("km", "median"), format_km, less=True),
        row(_("Distance, in all"), spread("km", "total"), format_km, less=True),
        row(_("Dealer open at once"), at_once, format_percent, less=False),
        row(_("Wait for an open door, mean"), spread("wait_minutes", "mean"), _time, less=True),
        row(_("Time to answer, mean"), spread("answer_minutes", "mean"), _time, less=True),
        row(_("Promises kept"), lambda side: side["promises"]["share"], format_percent, less=False),
    ]  # fmt: skip


def replay_map(result: Mapping[str, Any]) -> Map | None:
    """Dealers who gain and lose, and the leads that move, each with its dealers where there are
    few; None where nothing can be drawn."""
    dealers = {each["id"]: each for each in result["dealers"]}
    drawn = [_dealer_point(each) for each in result["dealers"] if each["gained"] or each["lost"]]
    moved = [each for each in result["points"] if each["lat"] is not None]
    shown = [moved[at * len(moved) // MOST_DRAWN] for at in range(MOST_DRAWN)]
    shown = shown if len(moved) > MOST_DRAWN else moved
    names = _names(result)
    leads = [
        Point(
            each["lat"],
            each["lon"],
            "moved",
            each["reference"],
            f"{names(each['from_id'])} → {names(each['to_id'])}",
        )
        for each in shown
    ]
    lines = []
    if len(shown) <= MOST_WITH_LINES:
        for each in shown:
            for end, kind in ((each["from_id"], "before"), (each["to_id"], "after")):
                if (dealer := dealers.get(end)) is not None:
                    here, there = (each["lat"], each["lon"]), (dealer["lat"], dealer["lon"])
                    lines.append(Line(here, there, kind))
    points = (*leads, *drawn[:MOST_DRAWN])
    return Map(points, tuple(lines)) if points else None


def asked_words(arguments: Mapping[str, Any], zone: str) -> list[str]:
    """What was replayed, in words: the days, then each filter."""
    first = datetime.fromisoformat(arguments["from"]).astimezone(ZoneInfo(zone)).date()
    last = datetime.fromisoformat(arguments["to"]).astimezone(ZoneInfo(zone))
    last_day = (last - timedelta(microseconds=1)).date()
    brands = brand_names()
    words = [_("%(first)s to %(last)s", first=first.isoformat(), last=last_day.isoformat())]
    for name, kind in (("request_types", "request_type"), ("bands", "band")):
        words += [label(kind, code) for code in arguments.get(name, ())]
    words += [brands.get(code, code) for code in arguments.get("brands", ())]
    return words + list(arguments.get("sources", ()))


def _question_page(draft: PolicyDraft, *, problem: str = "") -> str:
    session = web.db()
    zone = ZoneInfo(draft.market.timezone)
    today = web.at().astimezone(zone).date()
    given = request.form
    sources = session.execute(
        select(Source.code, Source.name)
        .where(Source.market_id == draft.market_id)
        .order_by(Source.name)
    )
    jobs = session.scalars(
        select(Job)
        .where(
            Job.kind == KIND,
            Job.market_id == draft.market_id,
            Job.arguments["draft"].as_integer() == draft.id,
        )
        .order_by(Job.created_at.desc())
        .limit(MOST_JOBS)
    ).all()
    return render_template(
        "hq/replay.html",
        draft=draft,
        problem=problem,
        first=given.get("from") or (today - timedelta(days=USUAL_DAYS - 1)).isoformat(),
        last=given.get("to") or today.isoformat(),
        filters=[
            ("request_types", _("Request"), choices("request_type")),
            ("bands", _("Priority"), choices("band")),
            ("brands", _("Brand"), list(brand_names().items())),
            ("sources", _("Source"), [(code, name) for code, name in sources]),
        ],
        given=given,
        jobs=[(job, asked_words(job.arguments, draft.market.timezone)) for job in jobs],
    )


def _asked(form: Any, market: Market) -> dict[str, Any]:
    """The arguments of a job: whole days on the market's own wall clock."""
    zone = ZoneInfo(market.timezone)
    try:
        first, last = (date.fromisoformat(form.get(name, "")) for name in ("from", "to"))
        until = last + timedelta(days=1)
        ends = [datetime.combine(day, time(), zone).isoformat() for day in (first, until)]
    except (ValueError, OverflowError) as problem:
        raise BadQuestion(_("Write days as 2026-03-31.")) from problem
    asked: dict[str, Any] = {"from": ends[0], "to": ends[1]}
    for name in FILTERS:
        if values := [value[:100] for value in form.getlist(name) if value]:
            asked[name] = values[:100]
    return asked


def _dealer_point(each: Mapping[str, Any]) -> Point:
    net = each["after"] - each["before"]
    kind = "gains" if net > 0 else "loses" if net < 0 else "even"
    note = _(
        "%(before)s before, %(after)s after",
        before=format_number(each["before"]),
        after=format_number(each["after"]),
    )
    return Point(each["lat"], each["lon"], kind, each["name"], note)


def _names(result: Mapping[str, Any]) -> Any:
    known = {each["id"]: each["name"] or each["code"] for each in result.get("dealers", ())}
    return lambda id: _("nobody") if id is None else known.get(id, str(id))


def _time(minutes: float) -> str:
    return format_duration(minutes) if minutes else format_number(0)


def _dealer_lines(result: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["code", "name", "before", "after", "gained", "lost"]
    for row in dealer_rows(result):
        yield [neutral(row.code), neutral(row.name), row.before, row.after, row.gained, row.lost]


def _lead_lines(result: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    codes = {each["id"]: each["code"] for each in result.get("dealers", ())}
    yield ["reference", "at", "lat", "lon", "from", "to", "from_km", "to_km"]
    for each in result.get("points", ()):
        ends = [neutral(codes.get(each[end], "")) for end in ("from_id", "to_id")]
        place = [each["lat"], each["lon"]]
        yield [each["reference"], each["at"], *place, *ends, each["from_km"], each["to_km"]]


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(["" if cell is None else cell for cell in line] for line in lines)
    return BYTE_ORDER_MARK + buffer.getvalue()


def _job(job_id: uuid.UUID) -> tuple[Job, PolicyDraft]:
    job = web.db().get(Job, job_id)
    if job is None or job.kind != KIND or "draft" not in job.arguments:
        abort(404)
    return job, _draft(job.arguments["draft"])


def _draft(draft_id: int) -> PolicyDraft:
    try:
        return verbs.draft_of(web.db(), draft_id, web.actor())
    except LookupError:
        abort(404)
