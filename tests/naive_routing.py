"""A second reading of docs/routing.md, in the plainest way: every dealer asked in a loop, measured
with geopy. It shares no code with the decision; slow, and meant to be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from geopy.distance import geodesic

from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.policy import Policy
from lmt.workhours import closes_at, is_open, next_opening

PRECEDENCE = ["all_capped", "no_opening", "all_refused", "out_of_range", "no_competence"]
NOT_FOR_IT = {"no_competence", "model", "inactive", "country", "team_only"}


@dataclass
class Answer:
    """What is expected; `refused` must be told, `may_be_refused` lie too close to call."""

    chosen: str | None = None
    how: str | None = None
    cause: str | None = None
    distance_km: float | None = None
    opens_at: datetime | None = None
    respond_by: datetime | None = None
    ring_km: float | None = None
    ranked: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    may_be_refused: dict[str, str] = field(default_factory=dict)
    look_again_at: datetime | None = None
    waits_for: tuple[int, ...] = ()


def naive_decision(
    lead: LeadFacts, dealers: Sequence[Candidate], policy: Policy, at: datetime
) -> Answer:
    return _Reading(lead, dealers, policy, at).answer()


class _Reading:
    def __init__(
        self, lead: LeadFacts, dealers: Sequence[Candidate], policy: Policy, at: datetime
    ) -> None:
        self.lead, self.policy, self.at = lead, policy, at
        self.dealers = {each.code: each for each in dealers}
        self.widest = max(policy.radius_km, *policy.rings_km, policy.radius_km)
        self.claims: dict[str, str] = {}
        self.out_of_ring: set[str] = set()
        self.asked_teams: set[str] = set()

    # --- distances ------------------------------------------------------------------------------

    def located(self) -> bool:
        return usable(self.lead.lat, self.lead.lon) and (
            self.lead.accuracy_km <= self.policy.max_accuracy_km
        )

    def km(self, dealer: Candidate) -> float | None:
        if not self.located() or not usable(dealer.lat, dealer.lon):
            return None
        there = geodesic((self.lead.lat, self.lead.lon), (dealer.lat, dealer.lon)).km
        return round(float(there), 6)

    def straight_km(self, dealer: Candidate) -> float:
        assert self.lead.lat is not None
        assert self.lead.lon is not None
        return math.dist(in_space(self.lead.lat, self.lead.lon), in_space(dealer.lat, dealer.lon))

    def bonus(self, dealer: Candidate) -> float:
        open_now = is_open(dealer.calendar, self.at)
        return self.policy.open_bonus_km.get(self.lead.band, 0.0) if open_now else 0.0

    def leg(self, dealer: Candidate) -> float | None:
        if not self.policy.use_road or dealer.id not in self.lead.road:
            return None
        return self.lead.road[dealer.id][0]

    def way(self, dealer: Candidate) -> float:
        leg = self.leg(dealer)
        return leg if leg is not None else self.km(dealer) or 0.0

    def share(self, dealer: Candidate) -> float:
        return dealer.received / dealer.weight if dealer.weight > 0 else math.inf

    # --- refusals -------------------------------------------------------------------------------

    def offers(self, dealer: Candidate, service: str) -> bool:
        for brand, offered in dealer.competences:
            if offered == service and (brand in {self.lead.brand, ""} or not self.lead.brand):
                return True
        return False

    def has_range(self, dealer: Candidate) -> bool:
        if not self.lead.model:
            return True
        for brand, offered in dealer.competences:
            if offered != self.lead.service:
                continue
            if self.lead.brand and brand not in {self.lead.brand, ""}:
                continue
            held = dealer.models.get((brand, offered))
            if held is None or self.lead.model in held:
                return True
        return False

    def reason(
        self, dealer: Candidate, *, right: bool = False, choice: bool = False, service: str = ""
    ) -> str | None:
        lead, policy = self.lead, self.policy
        today = self.at.astimezone(ZoneInfo(dealer.calendar.timezone)).date()
        border = lead.country and dealer.country and lead.country != dealer.country
        opens = next_opening(dealer.calendar, self.at)
        longest = timedelta(hours=policy.max_wait_hours)
        table = [
            ("no_competence", not self.offers(dealer, service or lead.service)),
            ("model", not service and not self.has_range(dealer)),
            ("inactive", not dealer.active),
            ("country", border and (lead.country, dealer.country) not in policy.cross_border),
            ("team_only", dealer.kind == "team" and not right),
            (
                "language",
                policy.language_required
                and not choice
                and lead.language != ""
                and len(dealer.languages) > 0
                and lead.language not in dealer.languages,
            ),
            ("not_reachable", not dealer.reachable),
            ("paused", dealer.paused),
            ("on_closure", any(a <= today <= b for a, b in dealer.calendar.closures)),
            ("tried", dealer.code in lead.tried),
            ("day_cap", dealer.day_cap is not None and dealer.day_used >= dealer.day_cap),
            ("month_cap", dealer.month_cap is not None and dealer.month_used >= dealer.month_cap),
            ("open_cap", dealer.open_cap is not None and dealer.open_used >= dealer.open_cap),
            ("no_opening", opens is None or (not choice and opens - self.at > longest)),
        ]
        return next((code for code, holds in table if holds), None)

    def claim(
        self, dealer: Candidate, *, choice: bool = False, service: str = ""
    ) -> Candidate | None:
        """The dealer, if it may take the lead by right."""
        reason = self.reason(dealer, right=True, choice=choice, service=service)
        if reason is None:
            return dealer
        self.claims[dealer.code] = reason
        return None

    # --- the order of rules ---------------------------------------------------------------------

    def answer(self) -> Answer:
        lead = self.lead
        if lead.hop > self.policy.max_hops:
            return Answer(cause="all_tried")
        if lead.preferred_dealer:
            choice = self.dealers.get(lead.preferred_dealer)
            if choice is None:
                self.claims[lead.preferred_dealer] = "unknown_dealer"
            elif self.claim(choice, choice=True):
                return self.given("preferred", [choice])
        serving = self.dealers.get(lead.serving_dealer)
        if serving is not None and serving.code not in self.claims:
            far = (self.km(serving) or 0.0) > self.widest
            able = self.claim(serving)
            if far:
                self.claims.setdefault(serving.code, "out_of_range")
                self.out_of_ring.add(serving.code)
            elif able:
                return self.given("serving", [serving])
        teams = self.able_teams()
        if teams:
            return self.given("team", teams, by_distance=False)
        owners = [
            each
            for each in self.owners(list(self.dealers.values()), lead.service)
            if each.code not in self.claims or each.code in self.out_of_ring
        ]
        self.out_of_ring -= {each.code for each in owners}  # this right has no ring
        owners = [each for each in owners if self.claim(each)]
        if owners:
            for each in owners:
                self.claims.pop(each.code, None)
            return self.given("territory", owners)
        if not self.located():
            answer = Answer(cause="unlocated", refused=dict(self.claims))
            self.wait(answer)
            return answer
        return self.nearest()

    def able_teams(self) -> list[Candidate]:
        lead, wanted = self.lead, []
        if lead.service in {"fleet", "care"}:
            wanted = [lead.service]
        else:
            if lead.customer_kind in self.policy.team_for:
                wanted = ["fleet", lead.service]
            if not lead.model_sold:
                wanted = [*(wanted or [lead.service]), "care"]
        for service in wanted:
            able = []
            for code in sorted(self.dealers):
                team = self.dealers[code]
                if team.kind != "team" or not self.offers(team, service):
                    continue
                self.asked_teams.add(code)
                if code not in self.claims and self.claim(team, service=service):
                    able.append(team)
            if able:
                return self.owners(able, service) or able
        return []

    def owners(self, among: list[Candidate], service: str) -> list[Candidate]:
        lead = self.lead
        fit = [each for each in among if each.active and self.offers(each, service)]
        digits = plain(lead.postcode)
        if lead.country:
            for length in range(len(digits), 0, -1):
                start = digits[:length]
                for exclusive in (True, False):
                    holders = [
                        each
                        for each in fit
                        if each.country in {lead.country, ""}
                        and start
                        in map(
                            plain, each.exclusive_postcodes if exclusive else each.shared_postcodes
                        )
                    ]
                    if holders:
                        return holders
        if self.located():
            for exclusive in (True, False):
                holders = []
                for each in fit:
                    area = each.exclusive_area if exclusive else each.shared_area
                    if area is None:
                        continue
                    west, south, east, north = area.bounds  # all are boxes
                    if west <= (lead.lon or 0) <= east and south <= (lead.lat or 0) <= north:
                        holders.append(each)
                if holders:
                    return holders
        return []

    def nearest(self) -> Answer:
        for ring in (self.policy.radius_km, *self.policy.rings_km):
            able = []
            for each in self.dealers.values():
                km = self.km(each)
                if km is not None and km <= ring and self.reason(each) is None:
                    able.append(each)
            if able:
                answer = self.given("nearest", able)
                answer.ring_km = ring
                return answer
        return self.nobody()

    # --- answers --------------------------------------------------------------------------------

    def given(self, how: str, able: list[Candidate], *, by_distance: bool = True) -> Answer:
        order = self.order(able, by_distance=by_distance)
        first = order[0][0]
        dealer = self.dealers[first]
        opens = next_opening(dealer.calendar, self.at)
        answer = Answer(
            chosen=first,
            how=how,
            distance_km=self.km(dealer),
            opens_at=None if opens == self.at else opens,
            respond_by=worked(dealer, self.at, self.minutes()),
            ranked=order,
            refused=dict(self.claims),
        )
        if how in {"preferred", "serving"} or answer.distance_km is None:
            return answer
        others = {"team": "not_a_team", "territory": "territory_of_other"}.get(how)
        straight = self.straight_km(dealer)
        for code, each in self.dealers.items():
            if code in self.claims or each in able or self.km(each) is None:
                continue
            reason = self.reason(each) or others
            if how == "team" and each.kind == "team" and reason != "no_competence":
                continue
            if reason is not None:
                self.tell(answer, each, reason, straight)
        return answer

    def tell(self, answer: Answer, dealer: Candidate, reason: str, reach: float) -> None:
        there = self.straight_km(dealer)
        if there < reach - 0.002:
            answer.refused[dealer.code] = reason
        elif there < reach + 0.005:
            answer.may_be_refused[dealer.code] = reason

    def order(self, able: list[Candidate], *, by_distance: bool) -> list[tuple[str, str]]:
        """Who is asked in turn, and why each came behind the first."""
        left = sorted(able, key=lambda each: each.code)
        order: list[tuple[str, str]] = []
        equals_of_first: list[Candidate] = []
        winner_first = left[0]
        while left and len(order) < self.policy.shown_ranked:
            equal = self.equally_near(left) if by_distance else left
            winner = min(equal, key=lambda e: (self.share(e), -e.quality, e.code))
            left = [each for each in left if each is not winner]
            if not order:
                winner_first, equals_of_first = winner, equal
                order.append((winner.code, ""))
            else:
                near = any(each is winner for each in equals_of_first)
                order.append((winner.code, self.why(winner, winner_first, near)))
        return order

    def equally_near(self, left: list[Candidate]) -> list[Candidate]:
        with_leg = [e for e in left if self.leg(e) is not None and self.km(e) is not None]
        rest = with_leg or left

        def worth(each: Candidate) -> float:
            return math.inf if self.km(each) is None else self.way(each) - self.bonus(each)

        best = min(rest, key=lambda e: (worth(e), self.km(e) or 0.0, e.code))
        best_way = self.way(best) if self.km(best) is not None else 0.0
        tolerance = max(self.policy.tolerance_km, self.policy.tolerance_share * best_way)
        return [each for each in rest if worth(each) <= worth(best) + tolerance]

    def why(self, loser: Candidate, first: Candidate, near: bool) -> str:
        if near:
            if self.share(loser) != self.share(first):
                return "fair_share"
            return "quality" if loser.quality != first.quality else "code"
        if self.leg(first) is not None and self.leg(loser) is None:
            return "no_road"
        nearer = self.km(loser) is not None and self.way(loser) <= self.way(first)
        return "closed" if nearer and is_open(first.calendar, self.at) else "farther"

    def minutes(self) -> int:
        policy, band = self.policy, self.lead.band
        table = policy.respond_within_minutes
        if policy.accept_mode == "assign":
            table = policy.contact_within_minutes or table
        else:
            steps = [
                step.after_minutes
                for step in policy.escalation
                if step.state == "offered"
                and step.action == "reroute"
                and (not step.band or band in step.band)
                and step.hop in {None, self.lead.hop}
            ]
            if steps:
                return min(steps)
        return table[band] if band in table else max(table.values())

    def nobody(self) -> Answer:
        answer = Answer(refused=dict(self.claims))
        inside: set[str] = set()
        outside: set[str] = set()
        placeless: set[str] = set()
        for code, each in self.dealers.items():
            km, reason = self.km(each), self.reason(each)
            if km is None:
                if reason != "no_competence":
                    placeless.add(reason or "no_location")
                    answer.refused.setdefault(code, reason or "no_location")
                continue
            (inside if km <= self.widest else outside).add(reason or "out_of_range")
            if code not in self.claims:
                self.tell(answer, each, reason or "out_of_range", self.widest)
        causes = {cause_of(inside - NOT_FOR_IT)}
        if causes == {"no_competence"}:
            # To show that there is somebody, the nearest beyond the widest ring is told.
            for code, each in self.dealers.items():
                if self.km(each) is not None and self.reason(each) not in NOT_FOR_IT:
                    answer.may_be_refused.setdefault(code, "out_of_range")
        if outside - NOT_FOR_IT:
            causes.add("out_of_range")
        elif placeless - NOT_FOR_IT and not inside - NOT_FOR_IT:
            causes.add("all_refused")
        # A team that served them before and is too far was turned away for that, not as a team.
        of_teams = {self.claims[code] for code in self.asked_teams} - {"out_of_range"}
        causes.add(cause_of(of_teams - NOT_FOR_IT))
        answer.cause = min(causes, key=PRECEDENCE.index)
        self.wait(answer)
        return answer

    def wait(self, answer: Answer) -> None:
        """Whose cap would have to free, and when time alone may help."""
        hopes: list[tuple[Candidate, str, bool]] = []
        for code, told in self.claims.items():
            if code in self.dealers and code not in self.out_of_ring:
                hopes.append((self.dealers[code], told, code == self.lead.preferred_dealer))
        for each in self.dealers.values():
            km, reason = self.km(each), self.reason(each)
            if km is not None and km <= self.widest and reason is not None:
                hopes.append((each, reason, False))
        longest = timedelta(hours=self.policy.max_wait_hours)
        waits, instants = set(), []
        for dealer, reason, choice in hopes:
            opens = next_opening(dealer.calendar, self.at)
            full = reason in {"day_cap", "month_cap", "open_cap"}
            if full and opens is not None and (choice or opens - self.at <= longest):
                waits.add(dealer.id)
            if reason == "day_cap":
                instants.append(next_local(dealer, self.at, "%j"))
            elif reason == "month_cap":
                instants.append(next_local(dealer, self.at, "%m"))
            elif reason == "on_closure" and opens is not None:
                instants.append(opens)
            elif reason == "no_opening" and opens is not None:
                instants.append(opens - longest)
        answer.waits_for = tuple(sorted(waits))
        answer.look_again_at = min(instants, default=None)


def cause_of(reasons: set[str]) -> str:
    if reasons & {"day_cap", "month_cap", "open_cap"}:
        return "all_capped"
    if "no_opening" in reasons:
        return "no_opening"
    return "all_refused" if reasons else "no_competence"


def plain(postcode: str) -> str:
    return postcode.replace("-", "").replace(" ", "").upper()


def usable(lat: float | None, lon: float | None) -> bool:
    return lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180


def in_space(lat: float, lon: float) -> tuple[float, float, float]:
    """Kilometres from the middle of the earth (WGS-84)."""
    a, b = 6378.137, 6356.752314245
    p, q = math.radians(lat), math.radians(lon)
    n = a * a / math.hypot(a * math.cos(p), b * math.sin(p))
    around = n * math.cos(p)
    return around * math.cos(q), around * math.sin(q), n * (b / a) ** 2 * math.sin(p)


def worked(dealer: Candidate, at: datetime, minutes: float) -> datetime | None:
    """When so many working minutes have passed."""
    left = timedelta(minutes=minutes)
    end = at + timedelta(days=366)
    while True:
        opens = next_opening(dealer.calendar, at)
        if opens is None or opens >= end:
            return None
        closes = closes_at(dealer.calendar, opens) or end
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
        at = closes


def next_local(dealer: Candidate, at: datetime, part: str) -> datetime:
    """The next full hour at which a part of the local date is another."""
    zone = ZoneInfo(dealer.calendar.timezone)
    now = at.astimezone(zone).strftime(part)
    later = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while later.astimezone(zone).strftime(part) == now:
        later += timedelta(hours=1)
    return later
