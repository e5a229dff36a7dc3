"""Names, addresses and files by which somebody would break reports, or learn from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFError
from sqlalchemy import Engine, delete, event, text
from sqlalchemy.orm import Session

from lmt import patience, reportkeys, reportschedules, savedreports
from lmt.db import SessionFactory
from lmt.models import SavedReport, User
from lmt.reports import charts, drawing, paper
from lmt.reports.drawable import drawable
from lmt.reports.question import MOST_FIGURES, read
from lmt.reports.tally import Tally
from lmt.scope import SYSTEM, act_as, actor_of
from tests import reportanswers
from tests.world import FRIDAY

As = Callable[[str], FlaskClient]
RIDES_ON_NO_COOKIE = {"api", "demosite", "embed", "ingest", "portal", "taps"}
"""Doors of machines, and pages of customers, which carry proofs of their own."""
MOVES_NOTHING = {"hq.preview_form", "hq.send_preview"}


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with time_machine.travel(FRIDAY + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def as_(app: Flask, cast: dict[str, User], login: Callable[..., FlaskClient]) -> As:
    return lambda name: login(app.test_client(), cast[name])


def test_no_page_does_what_another_site_sends(shared_app: Flask) -> None:
    """Every address that takes more than a GET, in front of whatever it does."""
    [guard] = [
        each for each in shared_app.before_request_funcs[None] if each.__name__ == "csrf_protect"
    ]
    shared_app.config["WTF_CSRF_ENABLED"] = True
    let_through, refused = set(), 0
    try:
        for rule in shared_app.url_map.iter_rules():
            for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
                with shared_app.test_request_context("/", method=method) as context:
                    context.request.url_rule = rule
                    try:
                        guard()
                    except CSRFError:
                        refused += 1
                    else:
                        let_through.add(rule.endpoint)
    finally:
        shared_app.config["WTF_CSRF_ENABLED"] = False
    assert refused > 150
    rooms = {endpoint.partition(".")[0] for endpoint in let_through - MOVES_NOTHING}
    assert rooms <= RIDES_ON_NO_COOKIE, let_through


DEADLY = (
    "bell \x07", "\x1b[31m", "\ufffe", "a\u2028b", "a\u2029b", "constructor", "toString",
    "__proto__", "\N{AUTOMOBILE}" * 60, "Aurel " * 9 + "\N{AUTOMOBILE}" * 9,
)  # fmt: skip
"""XML has no place for them, or JavaScript an own use."""


@pytest.mark.parametrize("theme", ["light", "print"])
def test_a_picture_is_drawn_of_whatever_somebody_calls_a_report_or_a_dealer(theme: str) -> None:
    for at in range(0, len(DEADLY), 5):
        names = DEADLY[at : at + 5]
        spec = charts.chart_of(reportanswers.answer(names), theme=theme, title=" ".join(names))
        assert drawing.png_of(drawing.svg(spec)).startswith(b"\x89PNG")


def test_names_that_differ_stay_apart_in_a_picture() -> None:
    car, bus = "Aurel \N{AUTOMOBILE}", "Aurel \N{BUS}"
    spec = {"data": [{"row": car}, {"row": bus}, {"row": "Aurel"}], "domain": [car, bus, "Aurel"]}
    printed = drawable(spec, printed=True)
    assert sorted(printed["domain"]) == ["Aurel", "Aurel (2)", "Aurel (3)"]
    assert [each["row"] for each in printed["data"]] == printed["domain"]
    assert drawable(spec) == spec


@pytest.mark.parametrize("by", [("dealer", "channel"), ("month", "channel"), ("", "channel")])
def test_nothing_found_is_drawn_and_printed_too(by: tuple[str, str]) -> None:
    found = reportanswers.answer(by=by)
    rows = () if by[0] else found.rows
    empty = replace(
        found, rows=rows, columns=(), cells={}, row_totals={}, column_totals={}, total=Tally()
    )
    for kind in charts.kinds_of(empty):
        assert paper.page(empty, lambda _code, key: key, kind=kind).startswith(b"%PDF")


def test_a_name_has_no_signs_that_nobody_sees(session: Session, cast: dict[str, User]) -> None:
    actor = actor_of(cast["anna"])
    named = "Sales\x07 \u202egpj.exe\u202c\r\nBcc: eve@evil.example"
    report = savedreports.keep(session, named, {}, at=FRIDAY, actor=actor)
    assert report.name == "Sales gpj.exe Bcc: eve@evil.example"
    for nothing in ("\u202e", "\x07\x00", " \u2028 "):
        with pytest.raises(savedreports.BadReport, match="unnamed"):
            savedreports.keep(session, nothing, {}, at=FRIDAY, actor=actor)


def test_what_is_deleted_in_another_tab_is_gone_and_no_error_of_ours(
    session: Session, sessions: SessionFactory, cast: dict[str, User]
) -> None:
    hana = actor_of(cast["hana"])

    def changed(report_id: int) -> object:
        return savedreports.change(session, report_id, {"rows": "day"}, at=FRIDAY, actor=hana)

    def scheduled(report_id: int) -> object:
        terms = reportschedules.Terms("day", 0, 480, "Europe/Warsaw", (cast["hana"].id,))
        return reportschedules.set_schedule(session, report_id, terms, at=FRIDAY, actor=hana)

    for verb in (changed, scheduled):
        report_id = savedreports.keep(session, "Mine", {}, at=FRIDAY, actor=hana).id

        def elsewhere(*_told: object, gone: int = report_id) -> None:
            with act_as(sessions(), SYSTEM) as other:
                other.execute(delete(SavedReport).where(SavedReport.id == gone))
                other.commit()

        event.listen(session, "before_flush", elsewhere, once=True)
        with pytest.raises(LookupError):
            verb(report_id)


def test_what_cannot_be_told_in_time_is_given_up(
    as_: As,
    client: FlaskClient,
    session: Session,
    cast: dict[str, User],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = reportkeys.make_key(session, "k", 30, at=FRIDAY, actor=actor_of(cast["bert"]))
    monkeypatch.setattr(patience, "LONGEST_STATEMENT_SECONDS", 0.05)
    bert = as_("bert")
    with engine.begin() as other:
        other.execute(text("LOCK TABLE lead_fact IN ACCESS EXCLUSIVE MODE"))
        page = bert.get("/reports/show?rows=dealer&columns=day")
        told = client.get("/api/v1/reports/any", headers={"Authorization": f"Bearer {key}"})
    assert page.status_code == 422
    assert "Choose other days, or fewer conditions." in page.text
    assert (told.status_code, told.mimetype) == (422, "application/problem+json")
    assert bert.get("/reports/show?rows=dealer&columns=day").status_code == 200


def test_a_long_list_of_what_is_unknown_is_told_in_short() -> None:
    wrong = ",".join(f"wrong{number}" for number in range(5_000))
    _question, problems = read({"figures": [wrong]}, FRIDAY.date())
    assert len(problems) == MOST_FIGURES
