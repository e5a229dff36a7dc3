"""Links of a mail that do one thing: made when it is sent, the same for a mail that is repeated."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from itsdangerous import Signer
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import uuid7
from lmt.models import DealerTerms, Message, Offer, PlannedAction, Tap, User
from lmt.notify.facts import Digest, DigestLead, MailFacts
from lmt.scope import as_system

DAYS = 14
"""How long a link may be used; that of an offer ends with the offer, which may be extended."""
ANSWERS = ("accept", "decline")
OFFERING = frozenset({"dealer_new_lead", "dealer_reminder"})
OF_PLANS: Mapping[str, tuple[str, ...]] = {"call": ("reached", "no_answer", "done")}
"""Kind of plan → what can be said of it; of others that they are done."""


def with_taps(
    session: Session, message: Message, facts: MailFacts, settings: Settings, at: datetime
) -> MailFacts:
    """`facts` with the links that this mail may carry, which are rows from now on. No commit."""
    if message.kind == "dealer_digest" and facts.digest is not None:
        new = facts.digest.new
        leads = tuple(_acceptable(session, message, lead, settings, at) for lead in new.leads)
        return replace(facts, digest=_with_new(facts.digest, leads))
    if message.kind in OFFERING and (offer := _open_offer(session, message)) is not None:
        return replace(
            facts,
            taps={
                purpose: _link(
                    session, message, settings, purpose, at, offer.lead_id, offer_id=offer.id
                )
                for purpose in ANSWERS
            },
        )
    if message.kind == "plan_reminder":
        plan_id = message.context["plan_id"]
        plan = session.scalars(select(PlannedAction).where(PlannedAction.id == plan_id)).one()
        return replace(
            facts,
            taps={
                purpose: _link(
                    session, message, settings, purpose, at, plan.lead_id, plan_id=plan_id
                )
                for purpose in OF_PLANS.get(plan.kind, ("done",))
            },
        )
    return facts


def with_dead_taps(kind: str, facts: MailFacts, address: str) -> MailFacts:
    """`facts` with buttons where this mail has links by one tap, which lead to `address` alone."""
    if kind == "dealer_digest" and facts.digest is not None:
        leads = tuple(replace(lead, accept_url=address) for lead in facts.digest.new.leads)
        return replace(facts, digest=_with_new(facts.digest, leads))
    purposes: tuple[str, ...] = ()
    if kind in OFFERING:
        purposes = ANSWERS
    elif kind == "plan_reminder":
        purposes = OF_PLANS.get(facts.planned, ("done",))
    return replace(facts, taps=dict.fromkeys(purposes, address))


def hash_of(token: str) -> str:
    """As the row keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _acceptable(
    session: Session, message: Message, lead: DigestLead, settings: Settings, at: datetime
) -> DigestLead:
    address = _link(
        session,
        message,
        settings,
        "accept",
        at,
        uuid.UUID(lead.lead_id),
        offer_id=uuid.UUID(lead.offer_id),
    )
    return replace(lead, accept_url=address)


def _with_new(digest: Digest, leads: tuple[DigestLead, ...]) -> Digest:
    return replace(digest, new=replace(digest.new, leads=leads))


def _open_offer(session: Session, message: Message) -> Offer | None:
    """The offer that the mail asks about; none where the lead was taken already."""
    offer_id = message.context.get("offer_id")
    if not offer_id or message.context.get("state", "offered") != "offered":
        return None
    return session.scalars(
        select(Offer).where(Offer.id == uuid.UUID(offer_id), Offer.state == "open")
    ).first()


def _link(
    session: Session,
    message: Message,
    settings: Settings,
    purpose: str,
    at: datetime,
    lead_id: uuid.UUID,
    *,
    offer_id: uuid.UUID | None = None,
    plan_id: int | None = None,
) -> str:
    token = token_of(settings.secret_key, message.id, purpose, offer_id or plan_id)
    row = insert(Tap).values(
        id=uuid7(at),
        token_hash=hash_of(token),
        purpose=purpose,
        lead_id=lead_id,
        offer_id=offer_id,
        plan_id=plan_id,
        dealer_id=message.dealer_id,
        user_id=_reader(session, message, at),
        recipient=message.recipient,
        language=message.language,
        timezone=message.timezone,
        created_at=at,
        expires_at=at + timedelta(days=DAYS),
    )
    # A mail that is sent once more brings its links back to life, not those that were used.
    session.execute(
        row.on_conflict_do_update(
            index_elements=["token_hash"],
            set_={"expires_at": row.excluded.expires_at},
            where=Tap.used_at.is_(None),
        )
    )
    return f"{settings.base_url}/t/{token}"


def token_of(secret: str, message_id: uuid.UUID, purpose: str, of: uuid.UUID | int | None) -> str:
    """256 bits that nobody can guess, and that a repeated mail has again."""
    key = Signer(secret, salt="lmt.links.tap").derive_key()
    told = f"{message_id}:{purpose}:{of}".encode()
    return urlsafe_b64encode(hmac.digest(key, told, "sha256")).decode().rstrip("=")


def works_at(session: Session, user: User, dealer_id: int | None) -> bool:
    """Whether the person works on this dealer's leads now: by its own scope or by its group's."""
    if not user.active or not user.may("lead.work"):
        return False
    with as_system(session):
        return any(
            scope.dealer_id == dealer_id
            or (scope.group is not None and dealer_id in scope.group.dealer_ids)
            for scope in user.scopes
        )


def _reader(session: Session, message: Message, at: datetime) -> int | None:
    """Whose mail it is, where it is a person's and no dealer's common mailbox.

    A person who left since is still whose it is: their links are dead.
    """
    user = session.scalars(select(User).where(User.email == message.recipient)).first()
    if user is None:
        return None
    mailbox = select(DealerTerms.id).where(
        DealerTerms.dealer_id == message.dealer_id,
        DealerTerms.email == message.recipient,
        DealerTerms.holds_at(at),
    )
    is_common = session.scalars(mailbox.limit(1)).first() is not None
    return None if is_common and not works_at(session, user, message.dealer_id) else user.id
