"""Where each newcomer lands: with a dealer, who is told, or in the queue where a person looks.

The same as `lmt.placing` does with one lead, of which the pure parts are used.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, load_only

from lmt.agenda import assigned_until, offered_until
from lmt.bulkroad.books import Books
from lmt.bulkroad.choosing import Chosen
from lmt.bulkroad.people import Staff, staff_of
from lmt.bulkroad.rows import Rows
from lmt.db import uuid7
from lmt.i18n import best_locale
from lmt.lifecycle import Status, step
from lmt.models import DealerSystem, DealerTerms, Lead, Offer, PlannedAction, User
from lmt.notify.recipients import Addressee, colleague_or_dealer, deputy_context, queue_keepers
from lmt.notify.service import alert_unrouted
from lmt.notify.systems import SYSTEM_KIND
from lmt.placing import assigned, belongs_to, next_desk_morning, planned_call, waits
from lmt.routing.candidate import Candidate
from lmt.routing.locate import Unlocated
from lmt.routing.policy import Policy
from lmt.routing.service import decision_values, offer_of, waiting
from lmt.routing.standin import cause_of
from lmt.workhours import Calendar


class Landing:
    """Leads of one market that were decided and counted, as rows; `land` each, then `alert`."""

    def __init__(
        self, session: Session, books: Books, chosen: Collection[Chosen], rows: Rows
    ) -> None:
        self._session, self._books, self._rows, self._at = session, books, rows, rows.at
        ids = {each.dealer.id for each in chosen if each.dealer is not None}
        self._staff: Staff = staff_of(session, ids, self._at)
        self._terms = _terms(session, ids, self._at)
        self._systems = _systems(session, ids)
        self._people: dict[int, User] = {}
        self._readers: dict[tuple[int, int | None, int | None], Addressee | None] = {}
        self._next: dict[tuple[int, Calendar, str], datetime] = {}
        self._queued: dict[int | None, tuple[Lead, str]] = {}
        """By brand: the first lead that nobody has, and why. One alert tells of all."""

    def land(self, chosen: Chosen) -> None:
        """Write down, in memory, what comes of the decision."""
        asked, decision, rows = chosen.asked, chosen.decision, self._rows
        lead = asked.newcomer.lead
        self._tell_beginning(chosen)
        decision_id = uuid7()
        values = decision_values(lead, decision, self._books.policy_id, self._at)
        rows.decisions.append({"id": decision_id, **values})
        rows.leads.append(lead)
        if chosen.dealer is None:
            self._queue(chosen)
            return
        offer = offer_of(lead, chosen.dealer, decision, decision_id, asked.policy, self._at)
        offer.id, offer.state = uuid7(), "open"
        rows.offers.append(offer)
        self._hand_over(chosen, chosen.dealer, offer)

    def alert(self) -> None:
        """Tell headquarters of those that nobody has; call it once the rows are written."""
        for lead, cause in self._queued.values():
            keepers = queue_keepers(self._session, lead)
            alert_unrouted(self._session, lead, cause, keepers, self._at)

    def _tell_beginning(self, chosen: Chosen) -> None:
        lead, result, found = chosen.asked.newcomer.lead, chosen.asked.qualified, chosen.asked.found
        self._rows.tell(
            lead,
            "qualified",
            request_type=result.request_type,
            band=result.band,
            points=result.points,
            rules=list(result.rules),
        )
        if isinstance(found, Unlocated):
            guesses = [guess.to_json() for guess in found.guesses[:5]]
            self._rows.tell(lead, "located", problem=found.problem, guesses=guesses)
        else:
            self._rows.tell(
                lead,
                "located",
                method=found.method,
                place=found.place,
                accuracy_km=round(found.accuracy_km, 1),
            )

    def _queue(self, chosen: Chosen) -> None:
        lead, cause = chosen.asked.newcomer.lead, cause_of(chosen.decision)
        status = Status.UNLOCATED if cause == "unlocated" else Status.UNROUTED
        waits(lead, status, cause, self._at, **waiting(chosen.decision, chosen.until))
        if status is Status.UNLOCATED:
            lead.next_action_at = next_desk_morning(self._books.market, self._at)
        self._rows.tell(lead, "queued", status=status, cause=cause)
        self._queued.setdefault(lead.brand_id, (lead, cause))

    def _hand_over(self, chosen: Chosen, dealer: Candidate, offer: Offer) -> None:
        lead, policy, at = chosen.asked.newcomer.lead, chosen.asked.policy, self._at
        lead.status = step(Status(lead.status), Status.OFFERED)
        belongs_to(lead, offer, at)
        lead.owner_id = self._staff.give(lead, dealer.id, at)
        self._rows.tell(
            lead,
            "offered",
            dealer.id,
            expires_at=offer.expires_at.isoformat(),
            distance_km=offer.distance_km,
        )
        if policy.accept_mode == "assign":
            assigned(lead, offer, at)
            self._rows.tell(lead, "accepted", dealer.id, mode="assign")
        plan = planned_call(lead, at)
        if plan is not None:
            self._rows.plan(lead, plan)
        lead.next_action_at = self._next_of(lead, offer, policy, dealer.calendar, plan)
        self._tell_dealer(lead, offer)

    def _next_of(
        self,
        lead: Lead,
        offer: Offer,
        policy: Policy,
        calendar: Calendar,
        plan: PlannedAction | None,
    ) -> datetime:
        until = assigned_until if policy.accept_mode == "assign" else offered_until
        if plan is not None:
            return until(lead, offer, policy, calendar, self._at, plan)
        # At one instant, all leads of a band have the same next one with dealers of equal hours.
        key = (id(policy), calendar, lead.band)
        if key not in self._next:
            self._next[key] = until(lead, offer, policy, calendar, self._at)
        return self._next[key]

    def _tell_dealer(self, lead: Lead, offer: Offer) -> None:
        terms = self._terms[offer.dealer_id]
        reader = self._reader(lead, terms)
        if reader is not None:
            self._rows.send(
                lead,
                cause=f"offer:{offer.id}:dealer",
                kind="dealer_new_lead",
                recipient=reader.email,
                language=best_locale([reader.language]),
                timezone=reader.timezone,
                dealer_id=offer.dealer_id,
                context={"offer_id": str(offer.id), **deputy_context(reader)},
            )
        system = self._systems.get(offer.dealer_id)
        if system is not None:
            self._rows.send(
                lead,
                cause=f"offer:{offer.id}:system",
                kind=SYSTEM_KIND,
                channel=system.transport,
                recipient=system.address,
                language=best_locale([terms.language]),
                timezone=terms.timezone,
                dealer_id=offer.dealer_id,
                context={"offer_id": str(offer.id)},
            )

    def _reader(self, lead: Lead, terms: DealerTerms) -> Addressee | None:
        key = (terms.dealer_id, lead.owner_id, lead.brand_id)
        if key not in self._readers:
            colleague = None if lead.owner_id is None else self._person(lead.owner_id)
            reader = colleague_or_dealer(self._session, colleague, lead, terms, self._at)
            self._readers[key] = reader
        return self._readers[key]

    def _person(self, user_id: int) -> User:
        if user_id not in self._people:
            self._people[user_id] = self._session.get_one(User, user_id)
        return self._people[user_id]


def _terms(session: Session, ids: Collection[int], at: datetime) -> dict[int, DealerTerms]:
    """As `lmt.notify.recipients.terms_of`, for many dealers; only where their mail goes."""
    of_mail = (DealerTerms.dealer_id, DealerTerms.email, DealerTerms.language, DealerTerms.timezone)
    rows = session.scalars(
        select(DealerTerms)
        .options(load_only(*of_mail))
        .where(DealerTerms.dealer_id.in_(ids))
        .ext(distinct_on(DealerTerms.dealer_id))
        .order_by(
            DealerTerms.dealer_id,
            DealerTerms.holds_at(at).desc(),
            func.lower(DealerTerms.valid).desc(),
        )
    )
    return {each.dealer_id: each for each in rows}


def _systems(session: Session, ids: Collection[int]) -> dict[int, DealerSystem]:
    active = select(DealerSystem).where(DealerSystem.dealer_id.in_(ids), DealerSystem.active)
    return {each.dealer_id: each for each in session.scalars(active)}
