"""How surely a sale came of a lead: a figure from 0 to 1 and what speaks for it, from plain values.

Pure. Who the buyer is, is judged as customers are told apart everywhere (`lmt.ingest.identity`);
order number and VIN stand beside that; dealer, model and time make a doubt smaller or larger. The
weights are our own decision, written down with the reasons in docs/sales.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rapidfuzz.fuzz import token_set_ratio

from lmt.ingest.identity import Known, Person, judge
from lmt.ingest.namekeys import folded
from lmt.sales.rows import order_key

SURE = 0.85
"""From here on a sale is matched by itself."""
PROPOSED = 0.5
"""From here on a person is asked."""
AHEAD = 0.1
"""How far the best must be before the best lead of any other customer to be matched by itself."""
MOST_CANDIDATES = 5
DAYS_BEFORE = 1
"""A lead may be written down the day after its car was sold; a later one brought no sale."""
DAYS_AFTER = 365

ORDER, ORDER_ELSEWHERE = 0.97, 0.6
VIN, VIN_TRADED = 0.9, 0.3
_LEAST_PERSON = 0.2
_HALF_NAMES = frozenset({"name_other", "name_household"})
_NAME_AND_CITY_MOST = 0.8
"""Who has only the name and a city in common is never matched without a person's look."""
_DEALER_AGREES = 0.5
_MODEL_AGREES, _MODEL_DIFFERS = 0.7, 1.2
_NEARNESS = ((30, 0.7, "soon"), (90, 0.85, "soon"), (180, 1.0, ""), (DAYS_AFTER, 1.4, "late"))
"""(days after the lead at most, what the doubt is multiplied by, its code)."""
_LIKE_MODELS = 85
_OTHER_NAMES = 0.8


@dataclass(frozen=True, slots=True)
class Sold:
    """What a sale says. `person.phone` in E.164; `vin` only where it is a whole one."""

    person: Person
    sold_on: date
    order_number: str = ""
    vin: str = ""
    model: str = ""
    dealer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A lead it may have come from: its customer with all phones and mails, the day on which it
    arrived in the market, and what its dealer said of its end. `dealer_ids`: who has it."""

    lead_id: uuid.UUID
    known: Known
    arrived_on: date
    model: str = ""
    vin: str = ""
    traded_vin: str = ""
    order_number: str = ""
    dealer_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reason:
    """`weight`: what it added to the confidence, or took from it; they add up to it. Those of one
    person are weighed together: the first has the weight, the others nought."""

    code: str
    weight: float = 0.0

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "weight": self.weight}


@dataclass(frozen=True, slots=True)
class Scored:
    """A lead and how surely the sale came of it."""

    asked: Asked
    confidence: float
    reasons: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "lead_id": str(self.asked.lead_id),
            "confidence": self.confidence,
            "reasons": [reason.to_json() for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a sale by itself: `state` matched, proposed or none; `best` and the others,
    the surest first."""

    state: str
    candidates: tuple[Scored, ...] = ()

    @property
    def best(self) -> Scored | None:
        return self.candidates[0] if self.candidates else None


def could_be(sold_on: date, arrived_on: date) -> bool:
    """Whether a sale of that day can have come of a lead of that one at all."""
    return -DAYS_BEFORE <= (sold_on - arrived_on).days <= DAYS_AFTER


def score(sold: Sold, asked: Asked) -> Scored:
    """The confidence that the sale came of the lead, with its reasons; 0 where time forbids it."""
    if not could_be(sold.sold_on, asked.arrived_on):
        return Scored(asked, 0.0, (Reason("time_forbids"),))
    weighing = _Weighing()
    _weigh_order(weighing, sold, asked)
    _weigh_vin(weighing, sold, asked)
    most = _weigh_person(weighing, sold, asked)
    if weighing.doubt == 1:
        return Scored(asked, 0.0)
    _weigh_circumstances(weighing, sold, asked)
    return Scored(asked, *weighing.told(most))


def judged(sold: Sold, candidates: Iterable[Asked]) -> Judged:
    """What becomes of a sale by these leads of its market.

    Of a customer's several leads the surest counts, then the latest: which of them brought the
    sale is no question about the person. Another customer's must be clearly behind.
    """
    scored = [each for asked in candidates if (each := score(sold, asked)).confidence >= PROPOSED]
    # Sorted by what can't tie last, so that every run gives the same.
    scored.sort(key=lambda each: str(each.asked.lead_id))
    scored.sort(key=lambda each: each.asked.arrived_on, reverse=True)
    scored.sort(key=lambda each: -each.confidence)
    if not scored:
        return Judged("none")
    best = scored[0]
    rival = next(
        (
            each.confidence
            for each in scored
            if each.asked.known.customer_id != best.asked.known.customer_id
        ),
        0.0,
    )
    is_sure = best.confidence >= SURE and best.confidence - rival >= AHEAD
    return Judged("matched" if is_sure else "proposed", tuple(scored[:MOST_CANDIDATES]))


def outranks(a: tuple[float, date, str], b: tuple[float, date, str]) -> bool:
    """Whether the first of two sales has the better claim to one lead, each as (confidence,
    sold_on, key): the surer one, then the earlier, then by the key. Never both."""
    return (-a[0], a[1], a[2]) < (-b[0], b[1], b[2])


class _Weighing:
    """Doubt that shrinks with each independent reason, and what each did to the confidence."""

    def __init__(self) -> None:
        self.doubt = 1.0
        self._reasons: list[Reason] = []

    def speak_for(self, code: str, weight: float, *besides: str) -> None:
        self._change(code, self.doubt * (1 - weight))
        self._reasons += [Reason(each) for each in besides]

    def multiply(self, code: str, factor: float) -> None:
        self._change(code, min(1.0, self.doubt * factor))

    def _change(self, code: str, doubt: float) -> None:
        self._reasons.append(Reason(code, round(self.doubt - doubt, 4)))
        self.doubt = doubt

    def told(self, most: float) -> tuple[float, tuple[Reason, ...]]:
        if 1 - self.doubt > most:
            self._change("name_and_city_alone", 1 - most)
        return round(1 - self.doubt, 4), tuple(self._reasons)


def _weigh_order(weighing: _Weighing, sold: Sold, asked: Asked) -> None:
    order = order_key(sold.order_number)
    if not order or order != order_key(asked.order_number):
        return
    elsewhere = sold.dealer_id is not None and asked.dealer_ids.isdisjoint({sold.dealer_id})
    # Order 1042 of one dealer is not order 1042 of another.
    weighing.speak_for("order_number", ORDER_ELSEWHERE if elsewhere else ORDER)


def _weigh_vin(weighing: _Weighing, sold: Sold, asked: Asked) -> None:
    if sold.vin and sold.vin == asked.vin:
        weighing.speak_for("vin", VIN)
    elif sold.vin and sold.vin == asked.traded_vin:
        # The car they gave in, sold on: mostly to somebody else.
        weighing.speak_for("vin_traded", VIN_TRADED)


def _weigh_person(weighing: _Weighing, sold: Sold, asked: Asked) -> float:
    """Weighs who the buyer is; the most confidence that this allows."""
    verdict = judge(sold.person, asked.known)
    shares_key = {"phone", "email", "shared_email"} & set(verdict.reasons)
    place = {"address", "postcode", "city"} & set(verdict.reasons)
    is_firm = "company_agrees" in verdict.reasons
    alone = weighing.doubt == 1
    if verdict.score >= _LEAST_PERSON and (shares_key or place):
        weighing.speak_for(verdict.reasons[0], verdict.score, *verdict.reasons[1:])
    elif is_firm and "company_differs" not in verdict.reasons and not alone:
        weighing.speak_for("company_agrees", _LEAST_PERSON)
    elif _HALF_NAMES & set(verdict.reasons) and not alone:
        # The number agrees and the person doesn't: mistyped as often as not.
        weighing.multiply(str(verdict.reasons[-1]), 1 / _OTHER_NAMES)
    is_city_alone = alone and not shares_key and place == {"city"}
    return _NAME_AND_CITY_MOST if is_city_alone else 1.0


def _weigh_circumstances(weighing: _Weighing, sold: Sold, asked: Asked) -> None:
    if sold.dealer_id is not None and sold.dealer_id in asked.dealer_ids:
        weighing.multiply("dealer", _DEALER_AGREES)
    if sold.model and asked.model:
        if are_like_models(sold.model, asked.model):
            weighing.multiply("model", _MODEL_AGREES)
        else:
            weighing.multiply("model_differs", _MODEL_DIFFERS)
    days = (sold.sold_on - asked.arrived_on).days
    _most, factor, code = next(each for each in _NEARNESS if days <= each[0])
    if code:
        weighing.multiply(code, factor)


def are_like_models(a: str, b: str) -> bool:
    """Whether two names of models mean one: `Mira` and `Aurel Mira 1.5 Hybrid`."""
    one, other = folded(a), folded(b)
    if not one or not other:
        return False
    return token_set_ratio(*sorted((one, other))) >= _LIKE_MODELS
