"""A market living through weeks in minutes: leads arrive, dealers answer or don't, clocks run out.

Time is passed in. Between two happenings the worker and the outbox are run at exactly the instants
at which rows say that something is due, as they would be.
"""

from __future__ import annotations

import heapq
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt import pipeline, resting
from lmt.config import Settings
from lmt.convert import service as convert
from lmt.db import SessionFactory
from lmt.demo.leads import Arrival
from lmt.followup import service as followup
from lmt.lifecycle import IllegalStep
from lmt.models import Lead, Message, Offer, PlannedAction
from lmt.notify import outbox
from lmt.routing.service import calendar_of_dealer
from lmt.scope import SYSTEM, act_as
from lmt.worker import advance_batch
from lmt.workhours import add_working_minutes
from tests.world import send

WITHOUT_OWNER_OR_INSTANT = text(
    """
    SELECT count(*) FROM lead
    WHERE status NOT IN ('won', 'lost', 'withdrawn')
      AND (next_action_at IS NULL OR next_action_at <= :at
           OR (dealer_id IS NULL AND status NOT IN ('incomplete', 'unlocated', 'unrouted')))
    """
)
"""Open leads that nobody has, or that nobody would ever look at again."""


def given(arrival: Arrival) -> dict[str, Any]:
    """The arrival as a sender's JSON."""
    person = arrival.person
    return {
        "customer": {
            "full_name": person.full_name,
            "company": arrival.company,
            "email": person.email if arrival.reachable else "",
            "phone": person.phone if arrival.reachable else "",
            "language": person.language,
        },
        "address": {
            "city": arrival.city_text,
            "postcode": arrival.postcode,
            "country": person.country,
            "lat": arrival.city.lat if arrival.city else None,
            "lon": arrival.city.lon if arrival.city else None,
        },
        "request": {
            "type": arrival.request_type,
            "brand": arrival.brand.name,
            "model": arrival.model.name if arrival.model else "",
            "timeframe": arrival.timeframe,
            "comments": arrival.comments,
            "preferred_dealer": arrival.preferred_dealer,
        },
    }


@dataclass
class VirtualTime:
    """Runs `arrivals` through the real pipeline until `until`. Dealers behave by `rng`."""

    sessions: SessionFactory
    settings: Settings
    rng: Random
    source_of: dict[str, str]
    """A market's code → the code of a source of it."""
    until: datetime
    agenda: list[tuple[datetime, int, str, Any]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    unwatched: list[tuple[datetime, int]] = field(default_factory=list)
    """Instants at which open leads had no owner or no next instant, and how many."""
    turns: Iterator[int] = field(default_factory=count)
    last_offer: uuid.UUID = field(default_factory=lambda: uuid.UUID(int=0))

    def run(self, arrivals: Sequence[Arrival]) -> Counter[str]:
        for arrival in arrivals:
            self.later(arrival.at, "arrive", arrival)
        looked_at = arrivals[0].at
        at = arrivals[0].at
        while at <= self.until:
            while self.agenda and self.agenda[0][0] <= at:
                _, _, what, subject = heapq.heappop(self.agenda)
                getattr(self, f"_{what}")(subject, at)
            self._settle(at)
            if at >= looked_at:
                self._look(at)
                looked_at = at + timedelta(hours=1)
            at = self._next(at)
        self._look(self.until)
        return self.figures

    def later(self, at: datetime | None, what: str, subject: Any) -> None:
        if at is not None:
            heapq.heappush(self.agenda, (at, next(self.turns), what, subject))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.sessions() as session:
            yield act_as(session, SYSTEM)

    def _next(self, at: datetime) -> datetime:
        """When the next row is due or the next thing happens; whole minutes but for mails."""
        with self.session() as session:
            due = session.scalars(select(func.min(Lead.next_action_at))).one()
            mail = session.scalars(
                select(func.min(Message.next_attempt_at)).where(Message.status == "queued")
            ).one()
        coming = [instant for instant in (due, mail) if instant is not None]
        if self.agenda:
            coming.append(self.agenda[0][0])
        later = min(coming, default=self.until + timedelta(minutes=1))
        return max(later, at + timedelta(seconds=1))

    def _settle(self, at: datetime) -> None:
        """All that is due at `at`: leads, mails, and what dealers make of new offers."""
        while advance_batch(self.sessions, at):
            pass
        self.figures["mails"] += outbox.send_due(self.sessions, self.settings, at)
        with self.session() as session:
            offers = session.scalars(
                select(Offer).where(Offer.id > self.last_offer).order_by(Offer.id)
            ).all()
            for offer in offers:
                self.last_offer = offer.id
                self.figures["offers"] += 1
                self._answer_some_time(session, offer, at)

    def _answer_some_time(self, session: Session, offer: Offer, at: datetime) -> None:
        chance = self.rng.random()
        if chance > 0.8:
            return
        minutes = self.rng.randrange(1, max(offer.minutes, 2))
        calendar = calendar_of_dealer(session, offer.dealer_id, at)
        answers_at = add_working_minutes(calendar, at, minutes)
        self.later(answers_at, "decline" if chance > 0.75 else "accept", offer.lead_id)

    def _working(self, lead_id: uuid.UUID, at: datetime, minutes: float) -> datetime | None:
        with self.session() as session:
            dealer_id = session.get_one(Lead, lead_id).dealer_id
            if dealer_id is None:
                return None
            calendar = calendar_of_dealer(session, dealer_id, at)
            return add_working_minutes(calendar, at, round(minutes))

    def _look(self, at: datetime) -> None:
        with self.session() as session:
            missing = session.execute(WITHOUT_OWNER_OR_INSTANT, {"at": at}).scalar_one()
        if missing:
            self.unwatched.append((at, missing))

    # What happens

    def _arrive(self, arrival: Arrival, at: datetime) -> None:
        with self.session() as session:
            send(session, self.source_of[arrival.market.code], given(arrival), at)
        self.figures["leads"] += 1

    def _accept(self, lead_id: uuid.UUID, at: datetime) -> None:
        with self._verb("accepted") as session:
            pipeline.accept(session, lead_id, at=at, actor=SYSTEM)
        if self.rng.random() < 0.85:
            minutes = min(self.rng.lognormvariate(3.6, 1.2), 2_400)
            self.later(self._working(lead_id, at, minutes), "contact", lead_id)

    def _decline(self, lead_id: uuid.UUID, at: datetime) -> None:
        with self._verb("declined") as session:
            pipeline.decline(session, lead_id, reason="no_capacity", at=at, actor=SYSTEM)

    def _contact(self, lead_id: uuid.UUID, at: datetime) -> None:
        with self._verb("contacted") as session:
            followup.contacted(session, lead_id, how="phone", result="reached", at=at, actor=SYSTEM)
        chance = self.rng.random()
        if chance < 0.5:
            base = at + timedelta(days=self.rng.choice((1, 2, 3)))
            due_at = self._working(lead_id, base, self.rng.randrange(10, 300))
            if due_at is not None:
                self._plan(lead_id, at, due_at)
        elif chance < 0.55:
            with self._verb("rested") as session:
                until = at + timedelta(days=self.rng.choice((2, 5, 12)))
                resting.rest(session, lead_id, until=until, note="", at=at, actor=SYSTEM)
        elif chance < 0.9:
            minutes = self.rng.uniform(400, 4_000)
            self.later(self._working(lead_id, at, minutes), "close", lead_id)

    def _plan(self, lead_id: uuid.UUID, at: datetime, due_at: datetime) -> None:
        with self._verb("planned") as session:
            followup.plan(session, lead_id, kind="call", due_at=due_at, at=at, actor=SYSTEM)
        if self.rng.random() < 0.8:
            done_at = self._working(lead_id, due_at, self.rng.uniform(1, 90))
            self.later(done_at, "finish", lead_id)

    def _finish(self, lead_id: uuid.UUID, at: datetime) -> None:
        with self.session() as session:
            plan_id = session.scalars(
                select(PlannedAction.id).where(
                    PlannedAction.lead_id == lead_id, PlannedAction.done_at.is_(None)
                )
            ).first()
        if plan_id is not None:
            with self._verb("plans kept") as session:
                followup.finish_plan(session, plan_id, at=at, actor=SYSTEM)
            self.later(self._working(lead_id, at, 30), "close", lead_id)

    def _close(self, lead_id: uuid.UUID, at: datetime) -> None:
        won = self.rng.random() < 0.2
        with self._verb("won" if won else "lost") as session:
            if won:
                convert.won(session, lead_id, at=at, actor=SYSTEM)
            else:
                convert.lost(session, lead_id, reason="price", at=at, actor=SYSTEM)

    @contextmanager
    def _verb(self, name: str) -> Iterator[Session]:
        """Somebody acts; where the lead has moved on meanwhile, they are told so."""
        with self.session() as session:
            try:
                yield session
                self.figures[name] += 1
            except (IllegalStep, pipeline.TooLate):
                self.figures[f"{name} too late"] += 1
