"""What a mail may tell, as plain values: gathered from rows when its turn comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DealerCard:
    """What a customer is told of a dealer. `kind` as in the dealer's row, `timezone` IANA."""

    name: str
    kind: str = "showroom"
    phone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """One line of a list for headquarters: `state` and `minutes` are those of the escalation
    step, `cause` that of the queue."""

    lead_id: str
    reference: str
    dealer: str = ""
    state: str = ""
    minutes: int = 0
    cause: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceTrouble:
    """A source that fell silent or fails (`kind`) since an instant, until `ended_at`. `per_day`:
    what it usually brings; `failures`: how many deliveries for which cause."""

    code: str
    name: str
    kind: str
    since: datetime
    ended_at: datetime | None = None
    per_day: float = 0.0
    failures: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a mail may tell. Codes are the database's; instants aware; "" or None is unknown.

    `take_by_at` is the end of the dealer's offer, `opens_at` the next opening of a dealer that
    was closed, `ended` how an offer ended (expired, withdrawn, lead_withdrawn), `waiting` the
    leads that a mail to headquarters counts, `listed` the first of them, `cause` why this one has
    no dealer and `queue` where it sits; `sources` are those in trouble, or back from it. `state`
    and `minutes` are those of the escalation step, `stands_in_for` who is away, `from_dealer` who
    had the lead before. An instant that has passed at `written_at` is left out rather than
    promised. `answerable`: an answer to this mail joins the lead's history.
    """

    written_at: datetime
    lead_id: str = ""
    reference: str = ""
    test: bool = False
    answerable: bool = False
    full_name: str = ""
    company: str = ""
    phone: str = ""
    phone_shown: str = ""
    email: str = ""
    language: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    brand: str = ""
    model: str = ""
    request_type: str = ""
    timeframe: str = ""
    contact_time: str = ""
    comments: str = ""
    distance_km: float | None = None
    received_at: datetime | None = None
    take_by_at: datetime | None = None
    planned: str = ""
    planned_at: datetime | None = None
    plan_note: str = ""
    dealer: DealerCard | None = None
    choice_refused: bool = False
    model_not_sold: bool = False
    promise_at: datetime | None = None
    opens_at: datetime | None = None
    status_url: str = ""
    confirm_url: str = ""
    ended: str = ""
    cause: str = ""
    queue: str = "unrouted"
    waiting: int = 0
    listed: tuple[WaitingLead, ...] = ()
    state: str = ""
    minutes: int = 0
    colleague: str = ""
    stands_in_for: str = ""
    from_dealer: str = ""
    sources: tuple[SourceTrouble, ...] = ()
