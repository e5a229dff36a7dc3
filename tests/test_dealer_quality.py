"""How it went: who is asked, who may answer, and what the answers make of a dealer's figure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import feedback
from lmt.dealerquality import quality
from lmt.lifecycle import IllegalStep
from lmt.models import DealerTerms, Event, Feedback, Lead, Market, Message, PlannedAction
from lmt.routing.directory import directory
from tests.world import FRIDAY, World, somebody

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("answers", "figure"),
    [
        pytest.param([], 0.5, id="nobody answered"),
        pytest.param([(5, 0)], 3.5 / 6, id="one happy customer"),
        pytest.param([(1, 0)], 2.5 / 6, id="one angry customer"),
        pytest.param([(3, 0)] * 50, 0.5, id="all right is the middle"),
        pytest.param([(5, 0)] * 45, 47.5 / 50, id="many happy customers"),
        pytest.param([(5, 90)] * 2, 3.5 / 6, id="half as much after 90 days"),
        pytest.param([(1, 366)] * 50, 0.5, id="forgotten after a year"),
    ],
)
def test_the_figure(answers: list[tuple[int, float]], figure: float) -> None:
    assert quality(answers) == pytest.approx(figure)


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 400)), max_size=60), st.floats(0, 400))
def test_the_figure_is_a_share_and_a_better_answer_never_harms(
    answers: list[tuple[int, float]], days: float
) -> None:
    before = quality(answers)
    assert 0 <= before <= 1
    assert quality([*answers, (5, days)]) >= before >= quality([*answers, (1, days)])


@pytest.fixture
def visited(session: Session, offered_lead: Callable[..., Lead]) -> Callable[..., Lead]:
    """A lead in the works whose customer was to come on Friday at noon; keywords are the plan's."""

    def make(kind: str = "test_drive", **plan: object) -> Lead:
        lead = offered_lead(**somebody())
        session.execute(update(Lead).where(Lead.id == lead.id).values(status="accepted"))
        session.add(
            PlannedAction(
                lead_id=lead.id, dealer_id=lead.dealer_id, kind=kind, due_at=FRIDAY + 4 * HOUR,
                created_at=FRIDAY, **plan,
            )
        )  # fmt: skip
        session.commit()
        return lead

    return make


def asked(session: Session) -> list[object]:
    return list(session.scalars(select(Message.lead_id).where(Message.kind == "customer_feedback")))


@pytest.mark.parametrize(
    ("kind", "plan", "after", "is_asked"),
    [
        ("test_drive", {}, 5 * HOUR, False),
        ("test_drive", {}, 6 * HOUR, True),
        ("visit", {"done_at": FRIDAY + 4 * HOUR}, 4 * HOUR, True),
        ("visit", {}, 4 * DAY, False),
        ("call", {}, 7 * HOUR, False),
        ("visit", {"done_at": FRIDAY, "cancelled_at": FRIDAY}, 7 * HOUR, False),
        ("visit", {"done_at": FRIDAY - 2 * DAY}, 7 * HOUR, False),
    ],
    ids=["an hour after", "two hours after", "done", "days after", "a call", "off", "ended early"],
)
def test_who_is_asked_when(
    session: Session, visited: Callable[..., Lead], kind: str, plan: dict[str, object],
    after: timedelta, is_asked: bool,
) -> None:  # fmt: skip
    lead = visited(kind, **plan)
    for _ in range(2):
        feedback.ask_due(session, FRIDAY + after)
    assert asked(session) == ([lead.id] if is_asked else [])
    assert feedback.may_answer(session, lead, FRIDAY + after) or not is_asked


def test_a_market_that_does_not_ask_asks_nobody(
    session: Session, visited: Callable[..., Lead]
) -> None:
    lead = visited()
    session.execute(update(Market).values(asks_feedback=False))
    session.commit()
    feedback.ask_due(session, FRIDAY + 7 * HOUR)
    assert asked(session) == []
    assert not feedback.may_answer(session, lead, FRIDAY + 7 * HOUR)


def test_an_answer_is_kept_once_and_may_be_changed_for_a_week(
    session: Session, visited: Callable[..., Lead]
) -> None:
    lead, at = visited(), FRIDAY + DAY
    for _ in range(2):
        feedback.answer(session, lead.id, score=4, comment="Nice", at=at)
    feedback.answer(session, lead.id, score=2, comment="", at=at + 6 * DAY)
    given = session.scalars(select(Feedback)).one()
    assert (given.score, given.comment, given.at) == (2, "Nice", at)
    assert given.dealer_id == lead.dealer_id
    told = session.scalars(select(Event.data).where(Event.kind == "feedback").order_by(Event.id))
    assert [each["score"] for each in told] == [4, 2]
    with pytest.raises(IllegalStep):
        feedback.answer(session, lead.id, score=5, comment="", at=at + 7 * DAY)
    assert feedback.ask_due(session, at) == 0


def test_nothing_to_answer_before_anything_happened(
    session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead()
    with pytest.raises(IllegalStep):
        feedback.answer(session, lead.id, score=5, comment="", at=FRIDAY)
    for score in (0, 6):
        with pytest.raises(ValueError, match="1 to 5"):
            feedback.answer(session, lead.id, score=score, comment="", at=FRIDAY)


def test_answers_become_the_figure_that_routing_reads(
    session: Session, visited: Callable[..., Lead], world: World
) -> None:
    dealer_id, market_id = world.dealers["PL-WAW-1"], world.markets["PL"]
    leads = [visited() for _ in range(3)]
    at = FRIDAY + DAY
    for lead in leads:
        feedback.answer(session, lead.id, score=5, comment="", at=at)
    assert feedback.rate_dealers(session, at + HOUR) == 1
    assert feedback.rate_dealers(session, at + 2 * HOUR) == 0
    rows = select(DealerTerms).where(DealerTerms.dealer_id == dealer_id)
    now = session.scalars(rows.where(DealerTerms.holds_at(at + HOUR))).one()
    then = session.scalars(rows.where(DealerTerms.holds_at(at))).one()
    assert (then.quality, now.quality) == (0.5, pytest.approx(5.5 / 8, abs=0.001))
    found = directory.network(session, market_id, at + HOUR).by_id(dealer_id)
    assert found is not None
    assert found.quality == now.quality
    assert feedback.answers_of(session, dealer_id, at + HOUR) == (3, 5.0)
