"""What a mail may tell, as plain values: gathered from rows when its turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


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
class DigestLead:
    """One line of a dealer's morning: what is due `at` (of a new lead, until when to take it), by
    the code of its plan ("" for none). `offer_id` of a lead that can be taken, `accept_url` then
    its one-tap link."""

    lead_id: str
    reference: str
    at: datetime
    who: str = ""
    phone: str = ""
    phone_shown: str = ""
    request_type: str = ""
    car: str = ""
    plan: str = ""
    note: str = ""
    offer_id: str = ""
    accept_url: str = ""


@dataclass(frozen=True, slots=True)
class DigestPart:
    """The first leads of a list, and how many there are in all."""

    leads: tuple[DigestLead, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """A dealer's morning, as its reader has it."""

    new: DigestPart = DigestPart()
    overdue: DigestPart = DigestPart()
    today: DigestPart = DigestPart()
    back: DigestPart = DigestPart()

    @property
    def count(self) -> int:
        return self.new.count + self.overdue.count + self.today.count + self.back.count


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """A dealer's week from `first`: leads offered, taken, declined and timed out, the median
    working minutes until they were taken, what was sold, and what is open now. Shares and minutes
    of the market are medians over its dealers; None where there are too few to hide one."""

    first: date
    offered: int = 0
    taken: int = 0
    declined: int = 0
    expired: int = 0
    sold: int = 0
    open: int = 0
    minutes: float | None = None
    market_taken: float | None = None
    market_declined: float | None = None
    market_expired: float | None = None
    market_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class ReportTold:
    """A report as its reader sees it, in their words and numbers: the question, a table of its
    first rows (`head` and each row begin with the group, `total` too; () without one), how many
    `more` there are, and what must be known of it. `picture` names the chart within the mail, ""
    for none; `by` who set the schedule, "" for the reader; `address` is the report's own page.
    """

    name: str
    question: str
    days: str
    address: str
    leave_address: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    total: tuple[str, ...] = ()
    more: int = 0
    picture: str = ""
    by: str = ""
    notes: tuple[str, ...] = ()


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

    `taps` are one-tap links by purpose; `what` became of an appointment (booked, moved, cancelled)
    or by which purpose a link was used; `by` who did it, `said` their words, `title` the subject
    they gave them; `closed_as` the end of the lead; `thread_url` a question's page.
    """

    written_at: datetime
    lead_id: str = ""
    reference: str = ""
    market: str = ""
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
    taps: Mapping[str, str] = field(default_factory=dict)
    what: str = ""
    by: str = ""
    said: str = ""
    title: str = ""
    what_at: datetime | None = None
    closed_as: str = ""
    thread_url: str = ""
    digest: Digest | None = None
    week: WeekFigures | None = None
    report: ReportTold | None = None
