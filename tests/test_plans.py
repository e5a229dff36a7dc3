"""Targets and exchange rates: entered by month, noted with their author, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import plans
from lmt.dealerchanges import BadValues
from lmt.models import ExchangeRate, SettingChange, Target, User
from lmt.reports.pacing import at_this_pace, months_of, passed_share
from lmt.scope import act_as, actor_of
from lmt.settinghistory import undo
from lmt.settingundo import CantUndo
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def save(session: Session, typed: dict[str, str], code: str = "PL", year: int = 2026) -> int:
    return plans.save_year(session, code, year, typed, at=NOW, actor=session.info["actor"])


def targets(session: Session) -> dict[tuple[date, str], Decimal]:
    return {(row.month, row.figure): row.value for row in session.scalars(select(Target))}


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("leads", "1200", "1200"),
        ("leads", "1 200", "1200"),
        ("leads", "1\u202f200", "1200"),
        ("sold", "0", "0"),
        ("conversion", "12,5", "0.125"),
        ("conversion", "12.5 %", "0.125"),
        ("within_60", "100", "1"),
        ("value", "250000.50", "250000.50"),
        ("rate", "0.2345", "0.2345"),
        ("rate", "", None),
    ],
)
def test_numbers_are_kept_as_they_were_meant(name: str, typed: str, kept: str | None) -> None:
    number = plans.entered(name, typed)
    assert number == (None if kept is None else Decimal(kept))
    assert plans.entered(name, plans.as_entered(name, number)) == number


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("leads", "many"),
        ("leads", "-1"),
        ("leads", "12.5"),
        ("leads", "1.000"),
        ("leads", "12,000"),
        ("sold", "1e30"),
        ("sold", "NaN"),
        ("conversion", "101"),
        ("conversion", "12.3456"),
        ("value", "1.234"),
        ("value", "250.000"),
        ("value", "250,000"),
        ("rate", "0"),
        ("rate", "0.123456789"),
        ("rate", "Infinity"),
    ],
)
def test_what_is_no_such_number_is_refused(name: str, typed: str) -> None:
    with pytest.raises(ValueError, match="Enter"):
        plans.entered(name, typed)


def test_a_year_is_saved_at_once_and_each_month_has_its_author(session: Session) -> None:
    assert save(session, {"3.leads": "100", "3.rate": "0.25", "4.conversion": "10"}) == 2
    assert targets(session) == {
        (date(2026, 3, 1), "leads"): 100,
        (date(2026, 4, 1), "conversion"): Decimal("0.1"),
    }
    assert session.scalars(select(ExchangeRate.rate)).all() == [Decimal("0.25")]
    # What isn't typed stays; what is emptied goes; the same again is no change.
    assert save(session, {"3.leads": "100", "3.rate": ""}) == 1
    assert save(session, {"3.leads": "100", "3.rate": ""}) == 0
    assert session.scalars(select(ExchangeRate)).all() == []
    noted = session.scalars(select(SettingChange).order_by(SettingChange.id)).all()
    assert [(n.kind, n.subject, n.before, n.after) for n in noted] == [
        ("target", "PL/2026-03", {}, {"leads": "100"}),
        ("exchange_rate", "PL/2026-03", {}, {"rate": "0.25"}),
        ("target", "PL/2026-04", {}, {"conversion": "0.1"}),
        ("exchange_rate", "PL/2026-03", {"rate": "0.25"}, {}),
    ]


def test_one_wrong_number_keeps_nothing(session: Session) -> None:
    with pytest.raises(BadValues) as refused:
        save(session, {"3.leads": "100", "5.value": "lots"})
    assert set(refused.value.problems) == {"5.value"}
    assert targets(session) == {}


def test_a_plan_is_taken_back_and_only_while_it_stands(session: Session) -> None:
    save(session, {"3.leads": "100", "3.sold": "9", "3.rate": "0.25"})
    save(session, {"3.leads": "150"})
    second = session.scalars(select(SettingChange).order_by(SettingChange.id.desc())).first()
    assert second is not None
    actor = session.info["actor"]
    undo(session, second.id, at=NOW, actor=actor)
    assert targets(session)[date(2026, 3, 1), "leads"] == 100
    assert targets(session)[date(2026, 3, 1), "sold"] == 9
    rate = session.scalars(select(SettingChange).where(SettingChange.kind == "exchange_rate")).one()
    undo(session, rate.id, at=NOW, actor=actor)
    assert session.scalars(select(ExchangeRate)).all() == []
    first = session.scalars(select(SettingChange).order_by(SettingChange.id)).first()
    assert first is not None
    save(session, {"3.leads": "160"})
    with pytest.raises(CantUndo, match="changed again"):
        undo(session, first.id, at=NOW, actor=actor)


def test_nobody_plans_for_another_market(session: Session, cast: dict[str, User]) -> None:
    act_as(session, actor_of(cast["hana"]))
    with pytest.raises(LookupError):
        save(session, {"3.leads": "100"}, code="GULF")
    assert save(session, {"3.leads": "100"}) == 1


def test_the_page_keeps_what_was_typed_and_says_what_is_wrong(
    enter: Enter, session: Session
) -> None:
    hana = enter("hana")
    wrong = hana.post(
        "/reports/plan",
        data={"market": "PL", "year": "2026", "3.leads": "100", "5.conversion": "200"},
    )
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert "Enter a share from 0 to 100" in page
    assert 'aria-describedby="f-5-conversion-error"' in page
    assert 'value="100"' in page
    assert targets(session) == {}
    right = {"market": "PL", "year": "2026", "3.leads": "100", "5.conversion": "20"}
    told = hana.post("/reports/plan", data=right, follow_redirects=True).get_data(as_text=True)
    assert "2 months were changed" in told
    session.rollback()
    assert targets(session)[date(2026, 5, 1), "conversion"] == Decimal("0.2")
    history = hana.get("/hq/history").get_data(as_text=True)
    assert "Targets" in history
    assert "PL/2026-05" in history
    assert hana.get("/reports/plan?market=GULF").status_code == 404
    assert hana.get("/reports/plan?year=99999").status_code == 404
    assert enter("anna").get("/reports/plan").status_code == 403


def test_the_page_asks_the_same_few_questions_whatever_is_planned(
    enter: Enter, session: Session, count_queries: list[str], world: World
) -> None:
    hana = enter("hana")
    hana.get("/reports/plan")
    count_queries.clear()
    hana.get("/reports/plan")
    empty = len(count_queries)
    save(session, {f"{month}.{name}": "10" for month in range(1, 13) for name in plans.NAMES})
    count_queries.clear()
    hana.get("/reports/plan")
    assert len(count_queries) == empty


@pytest.mark.parametrize(
    ("first", "last", "at", "passed"),
    [
        # A whole month that has gone by.
        (date(2026, 4, 1), date(2026, 4, 30), datetime(2026, 5, 7, tzinfo=UTC), 1.0),
        # Up to now: ten days of thirty.
        (date(2026, 4, 1), date(2026, 4, 11), datetime(2026, 4, 11, tzinfo=UTC), 10 / 30),
        # The days asked for end before now.
        (date(2026, 4, 1), date(2026, 4, 6), datetime(2026, 4, 11, tzinfo=UTC), 6 / 30),
        # From the middle on.
        (date(2026, 4, 16), date(2026, 4, 30), datetime(2026, 6, 1, tzinfo=UTC), 0.5),
        # Less than a day says nothing, and neither does the future.
        (date(2026, 4, 1), date(2026, 4, 30), datetime(2026, 4, 1, 12, tzinfo=UTC), None),
        (date(2026, 4, 1), date(2026, 4, 30), datetime(2026, 3, 1, tzinfo=UTC), None),
    ],
    ids=["whole", "until-now", "until-last", "second-half", "half-a-day", "future"],
)
def test_how_far_a_month_has_come(
    first: date, last: date, at: datetime, passed: float | None
) -> None:
    found = passed_share(date(2026, 4, 1), first, last, "UTC", at)
    assert found == (None if passed is None else pytest.approx(passed))


def test_a_month_with_a_shifted_clock_is_an_hour_shorter() -> None:
    march = date(2026, 3, 1)
    half = passed_share(
        march, march, date(2026, 3, 31), "Europe/Warsaw", datetime(2026, 3, 15, 23, tzinfo=UTC)
    )
    assert half == pytest.approx(15 * 24 / (31 * 24 - 1))


def test_a_pace_is_what_the_month_comes_to() -> None:
    assert at_this_pace(30, 1 / 3) == pytest.approx(90)
    assert months_of(date(2026, 11, 20), date(2027, 1, 2)) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]
