"""What became of the demo's leads: each one lives through the same road as a real lead.

A small simulation in order of time. Every lead is qualified by the default rules and routed by
`decide_nearest` among the dealers with the load they had at that instant; dealers answer within
their own working hours, decline or let it pass, work on, sell or lose. What would happen after
`at` has not happened yet: that is how the demo gets its open offers. Pure.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from lmt.demo.leads import Arrival
from lmt.demo.lives import Life, MadeOffer, MadePlan
from lmt.demo.loads import Loads
from lmt.escalation import due_steps, next_instant
from lmt.lifecycle import OPEN, QUEUES, Status, step
from lmt.qualify.classify import RuleSpec, qualify
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import add_working_minutes

MOST_OFFERS = 4
_DECLINE_REASONS = ("no_capacity", "not_our_area", "not_our_product", "other")
_LOST_REASONS = (
    "bought_elsewhere",
    "no_interest",
    "price",
    "not_reached",
    "delivery_time",
    "bad_data",
)
_CONTACT_HOWS = ("phone", "phone", "phone", "email", "messenger", "in_person")
_PLAN_KINDS = ("call", "call", "test_drive", "visit")
_SLOWEST_DAYS = 40


def lived(
    rng: Random,
    arrivals: Sequence[Arrival],
    networks: Mapping[str, Network],
    policies: Mapping[str, Policy],
    loads: Loads,
    rules: Sequence[RuleSpec],
    at: datetime,
) -> list[Life]:
    """The lives of all arrivals up to `at`, in their order. `loads` ends as things stand then."""
    return _Simulation(rng, networks, policies, loads, rules, at).run(arrivals)


class _Simulation:
    def __init__(
        self,
        rng: Random,
        networks: Mapping[str, Network],
        policies: Mapping[str, Policy],
        loads: Loads,
        rules: Sequence[RuleSpec],
        at: datetime,
    ) -> None:
        self.rng, self.networks, self.policies = rng, networks, policies
        self.loads, self.rules, self.until = loads, rules, at
        self.agenda: list[tuple[datetime, int, Life, str]] = []
        self.turns = count()
        self.serving: dict[str, str] = {}

    def run(self, arrivals: Sequence[Arrival]) -> list[Life]:
        lives = [Life(each, qualify(each.facts(), self.rules)) for each in arrivals]
        for life in lives:
            self.later(life.arrival.at, life, "arrive")
        while self.agenda:
            at, _, life, what = heapq.heappop(self.agenda)
            getattr(self, f"_{what}")(life, at)
        self.loads.at = self.until
        for life in lives:
            if life.status in OPEN:
                self._settle(life)
        return lives

    def later(self, at: datetime | None, life: Life, what: str) -> None:
        if at is not None and at <= self.until:
            heapq.heappush(self.agenda, (at, next(self.turns), life, what))

    def working(self, life: Life, at: datetime, minutes: float) -> datetime | None:
        assert life.dealer is not None
        return add_working_minutes(self.candidate(life).calendar, at, minutes)

    def candidate(self, life: Life) -> Candidate:
        network = self.networks[life.arrival.market.code]
        found = network.by_code(life.decisions[life.offers[-1].decision].chosen or "")
        assert found is not None
        return found

    def _settle(self, life: Life) -> None:
        """When the worker looks at an open lead next; what escalation came before has been."""
        at = self.until
        if life.status in QUEUES:
            life.next_action_at = at + timedelta(hours=1)
        elif life.resting_until is not None:
            life.next_action_at = life.resting_until
        else:
            self._escalate(life, at)

    def _escalate(self, life: Life, at: datetime) -> None:
        offer, policy = life.offers[-1], self.policies[life.arrival.market.code]
        since = offer.offered_at if life.is_offered else life.touched_at or offer.offered_at
        asked: dict[str, Any] = {
            "state": str(life.status),
            "band": life.qualified.band,
            "hop": offer.hop,
            "since": since,
            "calendar": self.candidate(life).calendar,
            "at": at,
        }
        _, life.escalated_minutes = due_steps(policy.escalation, done_minutes=0, **asked)
        coming = [
            next_instant(policy.escalation, done_minutes=life.escalated_minutes, **asked),
            *(plan.due_at for plan in life.plans if plan.done_at is None and plan.due_at > at),
        ]
        if life.is_offered:
            coming.append(offer.expires_at)
        life.next_action_at = min(coming)

    # What may happen, by name

    def _arrive(self, life: Life, at: datetime) -> None:
        arrival, qualified = life.arrival, life.qualified
        life.tell(at, "received", channel=arrival.channel)
        life.tell(
            at,
            "qualified",
            request_type=qualified.request_type,
            band=qualified.band,
            points=qualified.points,
            rules=list(qualified.rules),
        )
        if not arrival.reachable:
            self._queue(life, at, Status.INCOMPLETE, "no_contact")
        elif arrival.city is None:
            self._queue(life, at, Status.UNLOCATED, "unlocated")
        else:
            life.tell(
                at,
                "located",
                method="city",
                place=arrival.city.name,
                accuracy_km=arrival.accuracy_km,
            )
            self._route(life, at)

    def _route(self, life: Life, at: datetime) -> None:
        arrival = life.arrival
        self.loads.at = at
        facts = self.facts(life)
        network = self.networks[arrival.market.code]
        policy = self.policies[arrival.market.code]
        decision = decide_nearest(network, facts, policy, at)
        life.decisions.append(decision)
        if decision.chosen_id is None or decision.respond_by is None:
            cause = "all_tried" if facts.tried else decision.cause or "all_refused"
            return self._queue(life, at, Status.UNROUTED, cause)
        life.status = step(life.status, Status.OFFERED)
        life.dealer, life.waiting_since = decision.chosen_id, None
        life.offered_at = at
        life.offers.append(
            MadeOffer(
                decision.chosen_id,
                at,
                decision.respond_by,
                decision.distance_km,
                policy.respond_minutes(facts.band, facts.hop),
                facts.hop,
                len(life.decisions) - 1,
            )
        )
        self.loads.given(decision.chosen_id, at)
        life.tell(
            at,
            "offered",
            expires_at=decision.respond_by.isoformat(),
            distance_km=decision.distance_km,
        )
        life.promise_at = life.promise_at or decision.respond_by
        self._await_answer(life, at)

    def _await_answer(self, life: Life, at: datetime) -> None:
        offer, candidate = life.offers[-1], self.candidate(life)
        answers = self.rng.random() < 0.78 + 0.2 * candidate.quality
        if life.arrival.unlucky or not answers:
            return self.later(offer.expires_at, life, "expire")
        answered_at = self.working(life, at, offer.minutes * self.rng.betavariate(1.3, 2.6))
        declines = self.rng.random() < 0.05
        self.later(answered_at, life, "decline" if declines else "accept")

    def _expire(self, life: Life, at: datetime) -> None:
        self._close_offer(life, at, "expired")
        life.tell(at, "offer_expired")
        self._route_again(life, at)

    def _decline(self, life: Life, at: datetime) -> None:
        reason = self.rng.choice(_DECLINE_REASONS)
        self._close_offer(life, at, "declined", reason)
        life.tell(at, "offer_declined", by_dealer=True, reason=reason)
        self._route_again(life, at)

    def _route_again(self, life: Life, at: datetime) -> None:
        if len(life.offers) >= MOST_OFFERS:
            return self._queue(life, at, Status.UNROUTED, "all_tried")
        self._route(life, at)

    def _accept(self, life: Life, at: datetime) -> None:
        life.offers[-1].state, life.offers[-1].closed_at = "accepted", at
        life.status = step(life.status, Status.ACCEPTED)
        life.accepted_at = at
        life.tell(at, "accepted", by_dealer=True)
        self.serving[life.arrival.person.email] = self.candidate(life).code
        if self.rng.random() < 0.015:
            return self.later(self.working(life, at, 200), life, "withdraw")
        if self.rng.random() < 0.97:
            minutes = min(self.rng.lognormvariate(3.6, 1.2), 2_400)
            self.later(self.working(life, at, minutes), life, "contact")

    def _contact(self, life: Life, at: datetime) -> None:
        reached = self.rng.random() < 0.8
        life.tell(
            at,
            "contacted",
            by_dealer=True,
            how=self.rng.choice(_CONTACT_HOWS),
            result="reached" if reached else self.rng.choice(("no_answer", "left_message")),
        )
        if not reached:
            return self.later(self.working(life, at, self.rng.uniform(60, 600)), life, "contact")
        life.status = step(life.status, Status.CONTACTED)
        life.contacted_at = at
        if self.rng.random() < 0.05:
            return self._rest(life, at)
        self._plan_outcome(life, at)
        if self.rng.random() < 0.65:
            self._plan(life, at)

    def _rest(self, life: Life, at: datetime) -> None:
        """The customer said: not yet. The clock stands still, and the place is free meanwhile."""
        until = self.working(life, at + timedelta(days=self.rng.randrange(20, 90)), 30)
        if until is not None:
            life.status, life.resting_until = step(life.status, Status.RESTING), until
            life.tell(at, "rested", by_dealer=True, until=until.isoformat())
            self._let_go(life)
            self.later(until, life, "come_back")

    def _come_back(self, life: Life, at: datetime) -> None:
        life.status, life.resting_until = step(life.status, Status.CONTACTED), None
        life.tell(at, "back")
        self.loads.given_back(life.offers[-1].dealer)
        self._plan_outcome(life, at)

    def _plan_outcome(self, life: Life, at: datetime) -> None:
        assert life.accepted_at is not None
        waited = (at - life.arrival.at) / timedelta(hours=1)
        # Who is called soon buys more often: the one thing every report should show.
        chance = {"hot": 0.3, "warm": 0.17, "cold": 0.07}[life.qualified.band]
        chance *= 1.25 if waited < 1 else 0.7 if waited > 24 else 1.0
        life.won = self.rng.random() < chance and life.qualified.service not in {"care", "parts"}
        days = self.rng.gammavariate(2.0, 7.0)
        if days > _SLOWEST_DAYS or self.rng.random() < 0.1:
            return
        closed_at = self.working(life, at + timedelta(days=days), self.rng.uniform(5, 200))
        self.later(closed_at, life, "close")

    def _plan(self, life: Life, at: datetime) -> None:
        kind = self.rng.choice(_PLAN_KINDS)
        base = at + timedelta(days=self.rng.choice((1, 1, 2, 3, 5, 7)))
        due_at = self.working(life, base, self.rng.randrange(10, 400))
        if due_at is None:
            return
        due_at = due_at.replace(minute=due_at.minute // 15 * 15, second=0, microsecond=0)
        life.plans.append(MadePlan(kind, due_at, at))
        life.tell(at, "planned", by_dealer=True, plan_kind=kind, due_at=due_at.isoformat())
        if self.rng.random() < 0.93:
            done_at = self.working(life, due_at, self.rng.uniform(5, 120))
            self.later(done_at, life, "do_plan")

    def _do_plan(self, life: Life, at: datetime) -> None:
        plan = life.plans[-1]
        if life.status == Status.CONTACTED and plan.done_at is None:
            plan.done_at = at
            life.tell(at, "plan_done", by_dealer=True, plan_kind=plan.kind)
            if self.rng.random() < 0.45 and len(life.plans) < 4:
                self._plan(life, at)

    def _close(self, life: Life, at: datetime) -> None:
        life.closed_at = at
        for plan in life.plans:
            plan.done_at = plan.done_at or at
        life.status = step(life.status, Status.WON if life.won else Status.LOST)
        if not life.won:
            life.cause = self.rng.choice(_LOST_REASONS)
        life.tell(at, "won" if life.won else "lost", by_dealer=True, reason=life.cause)
        self._let_go(life)

    def _withdraw(self, life: Life, at: datetime) -> None:
        life.status = step(life.status, Status.WITHDRAWN)
        life.cause, life.closed_at = self.rng.choice(("customer", "no_lead", "duplicate")), at
        self._close_offer(life, at, "withdrawn", life.cause)
        life.tell(at, "withdrawn", by_dealer=True, reason=life.cause)

    def _resolve(self, life: Life, at: datetime) -> None:
        """An old case of a queue is cleared away; the fresh ones stay to be worked on."""
        life.status = step(life.status, Status.WITHDRAWN)
        life.cause, life.closed_at = "no_lead", at
        life.tell(at, "withdrawn", reason="no_lead")

    # What several of them share

    def _queue(self, life: Life, at: datetime, status: Status, cause: str) -> None:
        life.status, life.cause, life.dealer = step(life.status, status), cause, None
        life.waiting_since = life.waiting_since or at
        life.tell(at, "queued", status=str(status), cause=cause)
        self.later(at + timedelta(days=self.rng.uniform(4, 7)), life, "resolve")

    def _close_offer(self, life: Life, at: datetime, state: str, reason: str = "") -> None:
        offer = life.offers[-1]
        offer.state, offer.reason, offer.closed_at = state, reason, at
        self._let_go(life)

    def _let_go(self, life: Life) -> None:
        """The dealer has room for another open lead, and serves this customer no longer."""
        self.loads.freed(life.offers[-1].dealer)
        self.serving.pop(life.arrival.person.email, None)

    def facts(self, life: Life) -> LeadFacts:
        arrival = life.arrival
        city = arrival.city
        assert city is not None
        tried = {life.decisions[offer.decision].chosen or "" for offer in life.offers}
        return LeadFacts(
            lat=city.lat,
            lon=city.lon,
            service=life.qualified.service,
            band=life.qualified.band,
            asked_at=arrival.at,
            accuracy_km=arrival.accuracy_km,
            country=city.country,
            postcode=arrival.postcode,
            brand=arrival.brand.code,
            model=arrival.model.name if arrival.model else "",
            language=arrival.person.language,
            preferred_dealer=arrival.preferred_dealer,
            serving_dealer=self.serving.get(arrival.person.email, ""),
            tried=frozenset(tried),
            customer_kind=arrival.kind,
            request_type=life.qualified.request_type,
            hop=len(life.offers) + 1,
        )
