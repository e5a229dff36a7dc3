"""The customer of an open lead asked for the same again: heat, not a rival lead.

Whoever asks twice is waiting: the priority rises and the dealer that has the lead hears of it.
Another dealer gets it only where the customer now picks one, or the first let its time pass.
Part of a step of the pipeline, before the step itself; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from lmt.agenda import agenda_of
from lmt.chase import RAISED_POINTS, route_on
from lmt.db import uuid7
from lmt.lifecycle import CLOSED, QUEUES, WITH_DEALER, Status
from lmt.models import Consent, Event, ImportRun, Inquiry, Lead, Offer, PlannedAction, record
from lmt.models.reference import new_reference
from lmt.moving import NotEligible, give_to_pick
from lmt.notify import service as notify
from lmt.notify.recipients import terms_of
from lmt.placing import held_offer, keep_call, planned_call
from lmt.workhours import working_minutes_between

MOST_AT_ONCE = 50
_WARMER = {"cold": "warm", "warm": "hot"}


class _NobodyElse(Exception):
    """No other dealer would take the lead: it stays where it is."""


def unheard() -> ColumnElement[bool]:
    """The condition of a Lead with an inquiry that the road took no note of yet."""
    return exists().where(Inquiry.lead_id == Lead.id, Inquiry.handled_at.is_(None))


def take_note(session: Session, lead: Lead, at: datetime) -> bool:
    """Do what the lead's new inquiries call for; False where the customer asked for nothing. The
    lead is locked.

    Of a row of a list that nobody asked to be on only the wish to be called counts. The lead's own
    step comes after it: a queue is looked at again, a rest ends, an offer whose time is over goes
    to the next dealer.
    """
    inquiries = session.scalars(
        select(Inquiry)
        .where(Inquiry.lead_id == lead.id, Inquiry.handled_at.is_(None))
        .order_by(Inquiry.at, Inquiry.id)
        .limit(MOST_AT_ONCE)
    ).all()
    if not inquiries:
        return False
    for inquiry in inquiries:
        inquiry.handled_at = at
    asked = [inquiry for inquiry in inquiries if not inquiry.source.solicited]
    if lead.status in CLOSED:
        if asked:
            # It was closed before the road heard of them: the last of them begins anew.
            asked[-1].split_into_id = lead_of_inquiry(session, lead, asked[-1], at).id
        return bool(asked)
    holder = lead.dealer_id
    if asked:
        _raise_priority(session, lead, asked[-1], at)
        _perhaps_move(session, lead, asked, at)
        notify.ask_to_confirm(session, lead, at)
    if lead.dealer_id == holder:
        _plan_call(session, lead, at)
        if asked and _keeps_it(session, lead, at):
            assert lead.dealer_id is not None
            terms = terms_of(session, lead.dealer_id, at)
            notify.tell_dealer_asked_again(session, lead, asked[-1].id, terms, at)
    return bool(asked)


def lead_of_inquiry(session: Session, lead: Lead, inquiry: Inquiry, at: datetime) -> Lead:
    """A lead of its own for what was joined to `lead`: of the same person, at the same place. What
    a row of an import asked for is a lead of that import, for its undo and for the figures."""
    model = inquiry.model or lead.model
    brought_by = select(ImportRun.id).where(
        ImportRun.source_id == inquiry.source_id,
        ImportRun.intake_id == inquiry.intake_id,
    )
    own = Lead(
        id=uuid7(at),
        reference=new_reference(),
        market_id=lead.market_id,
        source_id=inquiry.source_id,
        campaign_id=inquiry.campaign_id,
        intake_id=inquiry.intake_id,
        import_id=session.scalars(brought_by).first() if inquiry.intake_id else None,
        customer_id=lead.customer_id,
        test=lead.test,
        full_name=lead.full_name,
        company=lead.company,
        email=lead.email,
        phone=lead.phone,
        language=lead.language,
        country=lead.country,
        region=lead.region,
        postcode=lead.postcode,
        city=lead.city,
        street=lead.street,
        lat=lead.lat,
        lon=lead.lon,
        accuracy_km=lead.accuracy_km,
        timezone=lead.timezone,
        location_method=lead.location_method,
        brand_id=lead.brand_id,
        model=model,
        model_id=lead.model_id if model == lead.model else None,
        request_type=inquiry.request_type,
        comments=inquiry.comments,
        preferred_dealer=inquiry.preferred_dealer,
        given=inquiry.given,
        created_at=inquiry.at,
        next_action_at=at,
    )
    session.add(own)
    session.flush()
    _copy_consents(session, lead, own, inquiry.at)
    record(session, own.id, "received", at=at, from_lead=str(lead.id))
    record(session, lead.id, "inquiry_split", at=at, reference=own.reference, into=str(own.id))
    return own


def _copy_consents(session: Session, lead: Lead, own: Lead, until: datetime) -> None:
    """What the person had agreed to when they asked again holds for that request as well."""
    given = select(Consent).where(Consent.lead_id == lead.id, Consent.at <= until)
    for each in session.scalars(given.order_by(Consent.id)).all():
        session.add(
            Consent(
                lead_id=own.id,
                purpose=each.purpose,
                given=each.given,
                text_version=each.text_version,
                text_hash=each.text_hash,
                language=each.language,
                origin=each.origin,
                at=each.at,
                to_confirm=each.to_confirm,
                confirmed_at=each.confirmed_at,
            )
        )


def _raise_priority(session: Session, lead: Lead, inquiry: Inquiry, at: datetime) -> None:
    lead.points += RAISED_POINTS
    lead.band = _WARMER.get(lead.band, lead.band)
    news = {
        name: getattr(inquiry, name)
        for name in ("request_type", "model")
        if getattr(inquiry, name) not in ("", getattr(lead, name))
    }
    record(
        session,
        lead.id,
        "raised",
        at=at,
        dealer_id=lead.dealer_id,
        cause="asked_again",
        band=lead.band,
        **news,
    )


def _perhaps_move(session: Session, lead: Lead, inquiries: Sequence[Inquiry], at: datetime) -> None:
    """To the dealer that the customer picks now, else on from one that let its time pass."""
    pick = next((i.preferred_dealer for i in reversed(inquiries) if i.preferred_dealer), "")
    holder = "" if lead.dealer is None else lead.dealer.code
    if pick and not holder:
        # Nobody has it: its own step comes to the pick first.
        lead.preferred_dealer = pick
    if pick and holder and pick != holder and _moved_to(session, lead, pick, at):
        return
    offer = held_offer(session, lead) if lead.status == Status.ACCEPTED else None
    if offer is not None and _is_overdue(session, lead, offer, at):
        _pass_on(session, lead, offer, at)


def _plan_call(session: Session, lead: Lead, at: datetime) -> None:
    """The dealer that has the lead calls when the person now asks for it, instead of the time they
    named before. Where somebody there has planned a call, that one stands."""
    if lead.call_at is None or lead.status not in WITH_DEALER:
        return
    if lead.status == Status.RESTING:
        # It is back by then, with a call planned.
        lead.resting_until = min(lead.resting_until or lead.call_at, max(lead.call_at, at))
        return
    calls = select(PlannedAction).where(
        PlannedAction.lead_id == lead.id,
        PlannedAction.kind == "call",
        PlannedAction.done_at.is_(None),
    )
    asked_before = exists().where(
        Event.lead_id == PlannedAction.lead_id,
        Event.kind == "planned",
        Event.actor_id.is_(None),
        Event.at == PlannedAction.created_at,
    )
    due_at = max(lead.call_at, at)
    if lead.call_at > at:
        for former in session.scalars(calls.where(asked_before, PlannedAction.due_at != due_at)):
            former.done_at = at
        session.flush()
    if session.scalars(calls.limit(1)).first() is not None:
        return
    call = planned_call(lead, at)
    assert call is not None
    keep_call(session, lead, call, at)


def _keeps_it(session: Session, lead: Lead, at: datetime) -> bool:
    """Whether the dealer still has the lead when its own step is done; not where its offer is
    over, which goes to the next."""
    if lead.status != Status.OFFERED:
        return lead.status in WITH_DEALER
    offer = held_offer(session, lead)
    return offer is not None and offer.expires_at > at


def _moved_to(session: Session, lead: Lead, pick: str, at: datetime) -> bool:
    try:
        with session.begin_nested():
            give_to_pick(session, lead, dealer_code=pick, reason="asked_again", at=at)
    except NotEligible as refused:
        _stays(session, lead, "pick_refused", at, refused=refused.reason)
        return False
    return True


def _pass_on(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """To the next dealer; where there is none the first keeps it, late as it is."""
    try:
        with session.begin_nested():
            route_on(session, lead, offer, at, "asked_again", "offer_expired")
            if lead.status in QUEUES:
                raise _NobodyElse
    except _NobodyElse:
        _stays(session, lead, "nobody_else", at)


def _stays(session: Session, lead: Lead, cause: str, at: datetime, **codes: Any) -> None:
    record(session, lead.id, "kept", at=at, dealer_id=lead.dealer_id, cause=cause, **codes)


def _is_overdue(session: Session, lead: Lead, offer: Offer, at: datetime) -> bool:
    """Whether the dealer that took the lead let the time to the first contact pass, counted in its
    working minutes without our outages."""
    agenda = agenda_of(session, lead, offer, at)
    since = next((watch.since for watch in agenda.watches if watch.state == "accepted"), None)
    if since is None or since >= at:
        return False
    spent = working_minutes_between(agenda.calendar, since, at)
    return spent >= agenda.policy.contact_minutes(lead.band)
