"""What leads add to the figures, against an oracle that never sees their rows: it reads the story
of each lead, event by event, with clock changes written down by hand."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.reports.facts import COLUMNS, Fact, facts_of, values_of
from lmt.reports.histories import (
    History,
    LeadRow,
    OfferRow,
    OutcomeRow,
    PlanRow,
    SaleRow,
    VerdictRow,
)
from lmt.workhours import Calendar

# Standard offset, summer offset, and from when to when summer time holds in 2026, in UTC.
ZONES = {
    "Europe/Berlin": (60, 120, datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)),
    "Africa/Cairo": (120, 180, datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21)),
    "America/New_York": (-300, -240, datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6)),
    "Asia/Dubai": (240, 240, datetime(2026, 1, 1), datetime(2026, 1, 1)),
}
STORIES = int(os.environ.get("LMT_FACT_STORIES", "80"))
HOURS = "Mo-Fr 09:00-18:00"
DEALERS = (11, 12, 13)


def wall(at: datetime, zone: str) -> datetime:
    """What a clock there shows, without a zone."""
    standard, summer, begins, ends = ZONES[zone]
    plain = at.astimezone(UTC).replace(tzinfo=None)
    return plain + timedelta(minutes=summer if begins <= plain < ends else standard)


def worked_minutes(since: datetime, until: datetime, zone: str) -> int:
    """Minute by minute: how many of them the dealer was open."""
    minutes, each = 0, since
    while each < until:
        shown = wall(each, zone)
        minutes += shown.weekday() < 5 and 9 <= shown.hour < 18
        each += timedelta(minutes=1)
    return minutes


@dataclass
class Plan:
    kind: str
    due_at: datetime
    by: str
    ended: str = ""
    """How: done, cancelled, or with the lead."""
    ended_at: datetime | None = None


@dataclass
class Story:
    """One lead's life: rows as the product keeps them, and beside them what truly happened."""

    zone: str
    at: datetime
    imported: bool
    test: bool
    lead: LeadRow = field(init=False)
    created_at: datetime = field(init=False)
    offers: list[OfferRow] = field(default_factory=list)
    rows: list[PlanRow] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    verdicts: list[VerdictRow] = field(default_factory=list)
    outcome: OutcomeRow | None = None
    sale: SaleRow | None = None
    score: int | None = None
    replied: bool = False
    happened: list[tuple[str, datetime, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.created_at = self.at
        self.lead = LeadRow(
            id=uuid.UUID(int=1), market_id=1, timezone=self.zone, currency="EUR", source_id=2,
            channel="api", campaign_id=None, import_id=uuid.UUID(int=2) if self.imported else None,
            test=self.test, customer_kind="private", language="de", country="DE", region="",
            lat=-0.05, lon=13.4, brand_id=3, model="Mira", request_type="offer", service="sales",
            band="hot", status="received", cause="", dealer_id=None, owner_id=None,
            promise_at=None, first_call_at=None, asked_again=0, created_at=self.at,
            offered_at=None, accepted_at=None, contacted_at=None, closed_at=None,
        )  # fmt: skip

    @property
    def history(self) -> History:
        return History(
            self.lead, tuple(self.offers), tuple(self.rows), tuple(self.verdicts), self.outcome,
            self.sale, self.score, self.replied, Calendar(HOURS, self.zone, ""),
        )  # fmt: skip

    def times(self, what: str) -> list[datetime]:
        return [at for name, at, _data in self.happened if name == what]

    def note(self, what: str, data: Any = None) -> None:
        self.happened.append((what, self.at, data))

    def change(self, **values: Any) -> None:
        self.lead = self.lead._replace(**values)

    # What may happen; a step that makes no sense now does nothing.

    def offer(self, dealer_id: int, clock_minutes: int) -> None:
        if self.lead.status in ("received", "unrouted"):
            clock_at = self.at + timedelta(minutes=clock_minutes) if clock_minutes else None
            self.offers.append(OfferRow(dealer_id, "open", self.at, clock_at, None, 12.3456))
            self.change(
                status="offered", dealer_id=dealer_id, offered_at=self.at, cause="",
                promise_at=self.lead.promise_at or self.at + timedelta(hours=2),
            )  # fmt: skip
            self.note("offer", dealer_id)

    def refuse(self, state: str) -> None:
        if self.lead.status in ("offered", "accepted", "contacted"):
            # Who has accepted can't decline any more; the lead is taken away.
            state = state if self.lead.status == "offered" else "withdrawn"
            self.offers[-1] = self.offers[-1]._replace(state=state, closed_at=self.at)
            self.end_plans()
            self.change(
                status="unrouted", dealer_id=None, owner_id=None, accepted_at=None, cause="no_cap"
            )
            self.note("refuse", state)

    def accept(self) -> None:
        if self.lead.status == "offered":
            self.offers[-1] = self.offers[-1]._replace(state="accepted", closed_at=self.at)
            self.change(status="accepted", accepted_at=self.at, owner_id=7)
            self.note("accept")

    def call(self) -> None:
        if self.imported and self.lead.first_call_at is None:
            self.change(first_call_at=self.at)
            self.note("call")

    def contact(self) -> None:
        if self.lead.status in ("accepted", "contacted"):
            self.change(status="contacted", contacted_at=self.lead.contacted_at or self.at)
            self.note("contact")

    def plan(self, kind: str, by: str, minutes: int) -> None:
        if self.lead.status in ("accepted", "contacted"):
            due_at = self.at + timedelta(minutes=minutes)
            self.plans.append(Plan(kind, due_at, by))
            self.rows.append(PlanRow(kind, due_at, None, None, by))

    def finish(self, nth: int, ended: str) -> None:
        still = [each for each, plan in enumerate(self.plans) if not plan.ended]
        if still and self.lead.status in ("accepted", "contacted"):
            self.end_plan(still[nth % len(still)], ended)

    def end_plan(self, place: int, ended: str) -> None:
        self.plans[place].ended, self.plans[place].ended_at = ended, self.at
        cancelled_at = self.at if ended == "cancelled" else None
        self.rows[place] = self.rows[place]._replace(done_at=self.at, cancelled_at=cancelled_at)

    def end_plans(self) -> None:
        for place, plan in enumerate(self.plans):
            if not plan.ended:
                self.end_plan(place, "with the lead")

    def close(self, status: str, cause: str, value: int | None, currency: str) -> None:
        if self.lead.status in ("accepted", "contacted"):
            self.end_plans()
            dealer_id = self.lead.dealer_id or 0
            told = None if value is None else Decimal(value)
            self.outcome = OutcomeRow(self.at, dealer_id, told, currency if told else None)
            self.change(status=status, closed_at=self.at, cause=cause if status == "lost" else "")
            self.note(status, (cause, told, currency, dealer_id))

    def reopen(self) -> None:
        if self.lead.status in ("won", "lost"):
            for place, plan in enumerate(self.plans):
                if plan.ended == "with the lead" and plan.ended_at == self.lead.closed_at:
                    plan.ended, plan.ended_at = "", None
                    self.rows[place] = self.rows[place]._replace(done_at=None)
            reached = self.lead.contacted_at is not None
            self.change(status="contacted" if reached else "accepted", closed_at=None, cause="")
            self.outcome = None
            self.note("reopen")

    def withdraw(self, cause: str) -> None:
        if self.lead.status not in ("won", "lost", "withdrawn"):
            self.end_plans()
            if self.lead.dealer_id is not None:
                self.offers[-1] = self.offers[-1]._replace(state="withdrawn", closed_at=self.at)
            self.change(
                status="withdrawn", cause=cause, closed_at=self.at, accepted_at=None, owner_id=None
            )
            self.note("withdraw", cause)

    def ask_again(self) -> None:
        if self.lead.status not in ("won", "lost", "withdrawn"):
            self.change(asked_again=self.lead.asked_again + 1)
            self.note("again")

    def say(self, verdict: str) -> None:
        if self.lead.accepted_at is not None:
            self.verdicts.append(VerdictRow(verdict, self.at))
            self.note("verdict", verdict)

    def reply(self) -> None:
        if self.lead.accepted_at is not None:
            self.replied = True

    def answer(self, score: int) -> None:
        if self.score is None:
            self.score = score

    def sell(self, days: int, dealer_id: int | None, value: int | None, currency: str) -> None:
        if self.sale is None:
            sold_on = wall(self.at, self.zone).date() + timedelta(days=days)
            self.sale = SaleRow(
                dealer_id, sold_on, None if value is None else Decimal(value), currency
            )


minutes = st.sampled_from([1, 4, 5, 15, 60, 239, 240, 1440, 1440, 2000])
KINDS = st.sampled_from(["call", "visit", "test_drive"])
STEPS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "offer": (st.sampled_from(DEALERS), st.sampled_from([0, 2, 30])),
    "refuse": (st.sampled_from(["declined", "expired", "withdrawn"]),),
    "plan": (KINDS, st.sampled_from(["dealer", "customer"]), minutes),
    "finish": (st.integers(0, 2), st.sampled_from(["done", "done", "cancelled"])),
    "close": (
        st.sampled_from(["won", "lost"]),
        st.sampled_from(["bad_data", "price"]),
        st.sampled_from([None, 0, 30_000]),
        st.sampled_from(["EUR", "EUR", "USD"]),
    ),
    "withdraw": (st.sampled_from(["no_lead", "duplicate", "wish", "suppressed", "joined_back"]),),
    "say": (st.sampled_from(["confirmed", "more", "no_interest", "bad_data"]),),
    "answer": (st.integers(1, 5),),
    "sell": (
        st.integers(-2, 40),
        st.sampled_from([None, *DEALERS]),
        st.sampled_from([None, 20_000]),
        st.sampled_from(["EUR", "EUR", "USD"]),
    ),
}
# What may well come next, by the status; named more often: likelier.
LOOSE = ["offer"] * 5 + ["withdraw", "ask_again", "call"]
WORKED = ["plan"] * 4 + ["finish"] * 3 + ["close", "close", "contact", "refuse", "say", "reply"]
ENDED = ["reopen", "reopen", "sell", "sell", "sell", "answer", "say"]
NEXT = {
    "received": LOOSE,
    "unrouted": LOOSE,
    "offered": ["accept"] * 5 + ["refuse", "refuse", "ask_again", "call"],
    "accepted": [*WORKED, "contact", "contact", "contact", "call"],
    "contacted": [*WORKED, "answer", "ask_again"],
    "won": ENDED,
    "lost": ENDED,
    "withdrawn": ["sell"],
}


@st.composite
def stories(draw: st.DrawFn) -> Story:
    zone = draw(st.sampled_from(sorted(ZONES)))
    _standard, _summer, begins, ends = ZONES[zone]
    edge = draw(st.sampled_from([begins, ends, datetime(2026, 2, 28, 23), datetime(2026, 6, 1)]))
    begun = edge.replace(tzinfo=UTC) + timedelta(minutes=draw(st.integers(-1600, 1600)))
    story = Story(zone, begun, draw(st.booleans()), draw(st.integers(0, 19)) == 0)
    for _each in range(draw(st.integers(0, 16))):
        name = draw(st.sampled_from(NEXT[story.lead.status]))
        story.at += timedelta(minutes=draw(minutes))
        getattr(story, name)(*(draw(each) for each in STEPS.get(name, ())))
    story.at += timedelta(minutes=draw(minutes))
    return story


def expected(story: Story) -> dict[str, Any] | None:
    """The counters on the row of whoever has the lead, by the definitions and the story; None of a
    lead that doesn't count."""
    withdrawn = [data for name, _at, data in story.happened if name == "withdraw"]
    if story.test or withdrawn in (["suppressed"], ["joined_back"]):
        return None
    found: Counter[str] = Counter(leads=1)
    spans: dict[str, int | None] = {}
    ends = [(n, at, d) for n, at, d in story.happened if n in ("won", "lost", "reopen")]
    end = ends[-1] if ends and ends[-1][0] != "reopen" else None
    at = story.at
    # Whose it is: the last offer, unless it was refused since.
    way = [(n, t, d) for n, t, d in story.happened if n in ("offer", "refuse")]
    owner = way[-1][2] if way and way[-1][0] == "offer" else None
    asked = [(t, d) for n, t, d in way if n == "offer"]
    contacts = story.times("contact")
    contact = contacts[0] if contacts else None
    said = [data for name, _at, data in story.happened if name == "verdict"]

    spoilt = "bad_data" in said or withdrawn in (["no_lead"], ["duplicate"])
    spoilt |= end is not None and end[0] == "lost" and end[2][0] == "bad_data"
    found["valid"] = not spoilt
    found["open"] = end is None and not withdrawn and story.sale is None
    found["queued"] = found["open"] and bool(way) and owner is None
    found["offered"] = bool(asked)
    taken = [t for t in story.times("accept") if owner is not None and t > way[-1][1]]
    taken = [] if withdrawn else taken
    found["accepted"] = bool(taken)
    found["contacted"] = contact is not None
    found["won"] = end is not None and end[0] == "won"
    found["lost"] = end is not None and end[0] == "lost" and story.sale is None
    found["withdrawn"] = bool(withdrawn)
    found["asked_again"] = bool(story.times("again"))
    found["inquiries"] = len(story.times("again"))
    found["verdicts"] = len(said)
    found["confirmed"] = sum(each in ("confirmed", "partly", "more") for each in said)
    found["answers"], found["score"] = story.score is not None, story.score or 0

    called = [*story.times("call"), *contacts]
    since = story.created_at if not story.imported else min(called, default=None)
    if since is not None:
        found["waiting"] = 1
        if contact is None:
            found["unreached"] = 1
            for limit in (15, 60, 240, 1440):
                found[f"overdue_{limit}"] = at - since >= timedelta(minutes=limit)
        else:
            waited = contact - since
            spans["response"] = int(waited.total_seconds())
            buckets = [n for n in (5, 15, 30, 60, 240, 1440) if waited <= timedelta(minutes=n)]
            found[f"reached_{buckets[0]}" if buckets else "reached_later"] = 1
    if asked:
        promise = asked[0][0] + timedelta(hours=2)
        found["promised"] = contact is not None or promise <= at
        found["promise_kept"] = contact is not None and contact <= promise
        to = [dealer for _t, dealer in asked]
        found["rerouted"] = len(set(to)) > 1
        found["reroutes"] = sum(a != b for a, b in pairwise(to))
    if end is not None:
        found["closed"] = 1
        found["closed_by_first"] = asked[0][1] == end[2][3]
        spans["handling"] = int((end[1] - story.created_at).total_seconds())
    day = timedelta(days=1)
    for plan in story.plans:
        if plan.ended == "cancelled":
            continue
        found["appointment"] |= plan.kind != "call"
        if not plan.ended:
            found["plans"] += at >= plan.due_at + day
            continue
        assert plan.ended_at is not None
        if plan.ended == "with the lead" and plan.ended_at < plan.due_at:
            continue
        found["plans"] += 1
        found["plans_kept"] += plan.ended_at <= plan.due_at + day
        found["visited"] |= plan.kind != "call"
        if plan.kind != "call" and plan.by == "customer" and contact is not None:
            found["proven"] = 1
    if contact is not None and (story.replied or story.score is not None):
        found["proven"] = 1

    if owner is not None:
        offer = story.offers[-1]
        found["placed"], found["metres"] = 1, 12346
        if taken:
            began = offer.clock_at if offer.clock_at and offer.clock_at <= taken[0] else way[-1][1]
            spans["take"] = int((taken[0] - began).total_seconds())
            spans["work_take"] = worked_minutes(began, taken[0], story.zone) * 60
        if contact is not None and contact >= way[-1][1]:
            spans["work_response"] = worked_minutes(way[-1][1], contact, story.zone) * 60
    sale = story.sale
    found["matched"] = sale is not None
    found["sold"] = found["won"] or sale is not None
    value = Decimal(0)
    if sale is not None:
        found["sold_elsewhere"] = sale.dealer_id is not None and sale.dealer_id != owner
        noon = datetime.combine(sale.sold_on, datetime.min.time()) + timedelta(hours=12)
        since_noon = [
            m
            for m in range(-900, 901)
            if wall(noon.replace(tzinfo=UTC) + timedelta(minutes=m), story.zone) == noon
        ]
        sold_at = noon.replace(tzinfo=UTC) + timedelta(minutes=since_noon[0])
        spans["sale"] = max(int((sold_at - story.created_at).total_seconds()), 0)
        value = (sale.value or Decimal(0)) if sale.currency == "EUR" else Decimal(0)
    if found["won"]:
        assert end is not None
        spans["sale"] = int((end[1] - story.created_at).total_seconds())
        if end[2][1] is not None:
            # A value of nothing is told without a currency by these rows.
            value = end[2][1] if end[2][2] == "EUR" and end[2][1] else Decimal(0)
    shown = wall(story.created_at, story.zone)
    return {
        **{name: int(number) for name, number in found.items() if number},
        **spans,
        "value": value,
        "dealer_id": owner or 0,
        "day": shown.date(),
        "month": date(shown.year, shown.month, 1),
        "hour": shown.weekday() * 24 + shown.hour,
        "lat_tenth": -1,
        "lon_tenth": 134,
        "verdict": said[-1] if said else "",
    }


def counted(fact: Fact) -> dict[str, Any]:
    """What a row says beyond the lead's own words, without the offers and what is nothing."""
    own = set(COLUMNS) - set(LeadRow._fields) - {"lead_id", "settles_at", "queued"}
    told = {name: getattr(fact, name) for name in own if not name.startswith("offers")}
    kept = ("value", "day", "month", "hour", "lat_tenth", "lon_tenth", "verdict")
    zeros = {"response", "work_response", "take", "work_take", "handling", "sale"}
    shown = {n: v for n, v in told.items() if n in kept or (v is not None if n in zeros else v)}
    return {**shown, "dealer_id": fact.dealer_id, **({"queued": 1} if fact.queued else {}),
            **({"asked_again": fact.asked_again} if fact.asked_again else {})}  # fmt: skip


@settings(max_examples=STORIES, deadline=None)
@given(stories())
def test_each_lead_adds_what_its_story_says(story: Story) -> None:
    facts = facts_of(story.history, story.at)
    wanted = expected(story)
    if wanted is None:
        assert facts == ()
        return
    holders = [fact for fact in facts if fact.leads]
    assert [counted(fact) for fact in holders] == [wanted]
    others = [fact for fact in facts if not fact.leads]
    told = {"leads", "valid", "response", "value", "settles_at", "owner_id"}
    told |= {"status", "cause", "verdict"}  # what became of it elsewhere
    assert all(not getattr(fact, name) for fact in others for name in told)


@settings(max_examples=STORIES // 2, deadline=None)
@given(stories())
def test_every_offer_counts_at_its_dealer_by_how_it_stands(story: Story) -> None:
    facts = facts_of(story.history, story.at)
    if expected(story) is None:
        return
    wanted: Counter[tuple[int, str]] = Counter()
    dealer, state = 0, ""
    for name, _at, data in story.happened:
        if name == "offer":
            dealer, state = data, "offers"
            wanted[dealer, "offers"] += 1
        elif name in ("accept", "refuse") or (name == "withdraw" and state):
            if state == "offers_accepted":
                wanted[dealer, state] -= 1
            becomes = {"accept": "accepted", "withdraw": "withdrawn"}.get(name, data)
            state = f"offers_{becomes}"
            wanted[dealer, state] += 1
        if name == "refuse":
            state = ""
    states = ("offers", *(f"offers_{s}" for s in ("accepted", "declined", "expired", "withdrawn")))
    told = {(fact.dealer_id, s): getattr(fact, s) for fact in facts for s in states}
    assert {key: n for key, n in told.items() if n} == {key: n for key, n in wanted.items() if n}


@settings(max_examples=STORIES // 2, deadline=None)
@given(stories())
def test_nothing_changes_by_time_alone_before_it_is_said_to(story: Story) -> None:
    facts = facts_of(story.history, story.at)
    coming = [fact.settles_at for fact in facts if fact.settles_at is not None]
    if coming:
        assert len(coming) == 1
        just_before = coming[0] - timedelta(microseconds=1)
        assert facts_of(story.history, just_before) == facts
        assert facts_of(story.history, coming[0]) != facts
    else:
        assert facts_of(story.history, story.at + timedelta(days=3650)) == facts


@pytest.mark.parametrize(
    ("won", "sold", "value"),
    [
        ((None, None), None, 0),
        ((100, "EUR"), None, 100),
        ((100, "USD"), None, 0),
        ((None, None), (70, "EUR"), 70),
        ((None, None), (70, "USD"), 0),
        ((100, "EUR"), (70, "EUR"), 100),
        ((0, "EUR"), (70, "EUR"), 0),
        (None, (70, "EUR"), 70),
    ],
)
def test_the_value_is_the_outcomes_else_the_sales_in_the_markets_currency(
    won: tuple[int | None, str | None] | None, sold: tuple[int, str] | None, value: int
) -> None:
    story = Story("Asia/Dubai", datetime(2026, 5, 1, 20, tzinfo=UTC), False, False)
    story.offer(11, 0)
    story.accept()
    story.close("won" if won else "lost", "price", None, "EUR")
    history = story.history
    if won:
        amount, currency = won
        told = None if amount is None else Decimal(amount)
        history.outcome = OutcomeRow(story.at, 11, told, currency)
    if sold:
        history.sale = SaleRow(11, story.at.date(), Decimal(sold[0]), sold[1])
    (fact,) = facts_of(history, story.at)
    assert fact.value == value
    assert fact.sold == int(bool(won or sold))


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [
        (0, "reached_5"), (300, "reached_5"), (301, "reached_15"), (900, "reached_15"),
        (901, "reached_30"), (1800, "reached_30"), (1801, "reached_60"), (3600, "reached_60"),
        (3601, "reached_240"), (14_400, "reached_240"), (14_401, "reached_1440"),
        (86_400, "reached_1440"), (86_401, "reached_later"), (9_000_000, "reached_later"),
    ],
)  # fmt: skip
def test_a_response_is_in_one_bucket(seconds: int, bucket: str) -> None:
    story = Story("Asia/Dubai", datetime(2026, 5, 1, 20, tzinfo=UTC), False, False)
    story.offer(11, 0)
    story.accept()
    story.at += timedelta(seconds=seconds)
    story.contact()
    (fact,) = facts_of(story.history, story.at)
    within = {name for name in COLUMNS if name.startswith("reached_") and getattr(fact, name)}
    assert (within, fact.response) == ({bucket}, seconds)


def test_a_row_has_the_columns_of_the_table_in_their_names() -> None:
    from lmt.models import LeadFact, ShareFact
    from lmt.reports.shares import SHARE_COLUMNS

    assert set(COLUMNS) == {column.name for column in LeadFact.__table__.columns}
    assert set(SHARE_COLUMNS) == {column.name for column in ShareFact.__table__.columns}
    story = Story("Asia/Dubai", datetime(2026, 5, 1, 20, tzinfo=UTC), False, False)
    (fact,) = facts_of(story.history, story.at)
    assert len(values_of(fact)) == len(COLUMNS)
    # 20:00 UTC is midnight in Dubai: the next day, a Saturday.
    assert (fact.day, fact.hour) == (date(2026, 5, 2), 5 * 24)
    assert replace(fact) == fact
