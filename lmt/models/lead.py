"""The lead: one request of one customer, from its arrival to its outcome."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    and_,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, validates
from sqlalchemy.types import Text

from lmt.db import Base, uuid7
from lmt.lifecycle import OPEN, Status
from lmt.models.brand import Brand
from lmt.models.customer import Customer
from lmt.models.dealer import Dealer
from lmt.models.market import Market
from lmt.models.source import Campaign, Source
from lmt.models.user import User

BANDS = ("hot", "warm", "cold")
_IMPORTED = "status = 'received' AND import_id IS NOT NULL AND asked_again = 0"
ATTRIBUTED = "given -> 'attributes' <> '{}'"
ATTRIBUTE_WORDS = "jsonb_to_tsvector('simple', given -> 'attributes', '[\"string\", \"numeric\"]')"
"""The custom fields of a lead as words; a search must say ATTRIBUTED too, for its index."""
_OPEN = ",".join(f"'{s}'" for s in Status if s in OPEN)
SEARCHED = "lead_words(full_name, company, email, phone, reference, model, given)"
"""What a lead is found by, folded to words by a function of the database."""
_STATUSES = ",".join(f"'{s}'" for s in Status)


class Lead(Base):
    __tablename__ = "lead"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint("country ~ '^([A-Z]{2})?$'", name="country"),
        CheckConstraint("band IN ('hot','warm','cold')", name="band"),
        CheckConstraint(
            "dealer_id IS NOT NULL"
            " OR status NOT IN ('offered','accepted','contacted','resting','won')",
            name="owned",
        ),
        # A million newcomers of an import stand in the way of no lead whose customer waits.
        Index(
            "ix_lead_due_live",
            "next_action_at",
            postgresql_where=text(f"next_action_at IS NOT NULL AND NOT ({_IMPORTED})"),
        ),
        Index("ix_lead_due_imported", "next_action_at", postgresql_where=text(_IMPORTED)),
        Index("ix_lead_dealer_id_status_created_at", "dealer_id", "status", "created_at"),
        Index("ix_lead_market_id_status_created_at", "market_id", "status", "created_at"),
        # Lists of headquarters run back in time, of everything or of one market.
        Index("ix_lead_created_at", "created_at", "id"),
        Index("ix_lead_market_id_created_at", "market_id", "created_at", "id"),
        Index(
            "ix_lead_open",
            "created_at",
            "id",
            postgresql_include=["status", "market_id", "brand_id"],
            postgresql_where=text(f"status IN ({_OPEN})"),
        ),
        Index("ix_lead_test", "intake_id", postgresql_where=text("test")),
        Index(
            "ix_lead_waiting_for",
            "waiting_for",
            postgresql_using="gin",
            postgresql_where=text("status = 'unrouted'"),
        ),
        # Only leads that have any: their custom fields by value, and as text to be searched.
        Index(
            "ix_lead_attributes",
            text("(given -> 'attributes')"),
            postgresql_using="gin",
            postgresql_where=text(ATTRIBUTED),
        ),
        Index(
            "ix_lead_attributes_words",
            text(ATTRIBUTE_WORDS),
            postgresql_using="gin",
            postgresql_where=text(ATTRIBUTED),
        ),
        # Searched by the words of `lead_query` (lmt/search.py), console and desk alike.
        Index("ix_lead_search", text(SEARCHED), postgresql_using="gin"),
        Index("ix_lead_source_id_created_at", "source_id", "created_at"),
        Index(
            "ix_lead_campaign_id_created_at",
            "campaign_id",
            "created_at",
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index(
            "ix_lead_form_version_id",
            "form_version_id",
            postgresql_where=text("form_version_id IS NOT NULL"),
        ),
        Index(
            "ix_lead_import_id_id",
            "import_id",
            "id",
            postgresql_where=text("import_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    reference: Mapped[str] = mapped_column(unique=True)
    """What people read out on the phone: `K7QF-2M9D`."""
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    intake_id: Mapped[uuid.UUID | None]
    import_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("import_run.id"))
    """The import that brought it. Its person was approached and did not ask."""
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_version.id"))
    """The very form that its customer filled in."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    test: Mapped[bool] = mapped_column(default=False)

    full_name: Mapped[str] = mapped_column(default="")
    company: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    """E.164 where it was understood, else as given."""
    language: Mapped[str] = mapped_column(default="")

    country: Mapped[str] = mapped_column(default="")
    """ISO 3166 alpha-2; empty until the place tells it."""
    region: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    street: Mapped[str] = mapped_column(default="")
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    timezone: Mapped[str] = mapped_column(default="")
    location_method: Mapped[str] = mapped_column(default="")
    """How the place was found: given, postcode, city; empty before and when it wasn't."""
    accuracy_km: Mapped[float | None]

    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    model: Mapped[str] = mapped_column(default="")
    """The model's own name where it was recognised, else as given."""
    model_id: Mapped[int | None] = mapped_column(ForeignKey("vehicle_model.id"))
    request_type: Mapped[str] = mapped_column(default="")
    service: Mapped[str] = mapped_column(default="")
    """The competence that the request needs."""
    comments: Mapped[str] = mapped_column(default="")
    preferred_dealer: Mapped[str] = mapped_column(default="")
    given: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The lead as it was given, in the shape of the API, beside what was understood."""
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    points: Mapped[int] = mapped_column(default=0)
    band: Mapped[str] = mapped_column(default="warm")

    status: Mapped[str] = mapped_column(default=Status.RECEIVED)
    market_status: Mapped[str] = mapped_column(default="", server_default="")
    """The market's own status within `status`; "" for none, and again with every step."""
    cause: Mapped[str] = mapped_column(default="")
    """Why it sits in a queue, or why it was lost or withdrawn: a code."""
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    next_action_at: Mapped[datetime | None]
    """When the worker looks at it again."""
    touched_at: Mapped[datetime | None]
    """When its holder last did something with it; escalation counts from there."""
    escalated_minutes: Mapped[int] = mapped_column(default=0)
    """How far the escalation of its present state has got, in working minutes."""
    waiting_since: Mapped[datetime | None]
    """Since when it has been without a dealer; None while it has one."""
    waiting_for: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    """Dealers that would take it but for a full cap: a freed place wakes it."""
    resting_until: Mapped[datetime | None]
    """The customer said: not yet. Clock and cap stand still until then."""
    promise_at: Mapped[datetime | None]
    """The first promise to the customer; it stands when the lead moves on."""
    call_at: Mapped[datetime | None]
    """When the person asked to be called: a planned action of whoever gets the lead."""
    first_call_at: Mapped[datetime | None]
    """When somebody who was approached was first called: since then they wait."""
    asked_again: Mapped[int] = mapped_column(default=0)
    """How often the customer asked for the same again while it was open."""
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    links_revoked_at: Mapped[datetime | None]
    """Links to the customer's page that were made before no longer open it."""
    postponed: Mapped[int] = mapped_column(default=0)
    """How often a step on it failed and was put off."""

    market: Mapped[Market] = relationship()
    source: Mapped[Source] = relationship()
    campaign: Mapped[Campaign | None] = relationship()
    customer: Mapped[Customer] = relationship()
    brand: Mapped[Brand | None] = relationship()
    dealer: Mapped[Dealer | None] = relationship()
    owner: Mapped[User | None] = relationship()

    @validates("status")
    def _leave_market_status(self, _key: str, status: str) -> str:
        if self.market_status and status != self.status:
            self.market_status = ""
        return status


class Consent(Base):
    """What the customer agreed to, by the version of the text they saw."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    purpose: Mapped[str]
    given: Mapped[bool]
    text_version: Mapped[str] = mapped_column(default="")
    text_hash: Mapped[str] = mapped_column(default="")
    """SHA-256 in hex of the text that was shown; empty where nobody said which."""
    language: Mapped[str] = mapped_column(default="")
    origin: Mapped[str] = mapped_column(default="")
    """Where it was given: the source's code, and the page where the sender named it."""
    at: Mapped[datetime]
    to_confirm: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """It counts only once its person has confirmed it by mail (double opt-in)."""
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    """When its person took it back."""

    @hybrid_property
    def holds(self) -> bool:
        """Whether it may be acted on: given, not taken back, and confirmed where that was asked."""
        if self.withdrawn_at is not None:
            return False
        return self.given and (not self.to_confirm or self.confirmed_at is not None)

    @holds.inplace.expression
    @classmethod
    def _holds(cls) -> ColumnElement[bool]:
        confirmed = or_(not_(cls.to_confirm), cls.confirmed_at.is_not(None))
        return and_(cls.given, cls.withdrawn_at.is_(None), confirmed)

    @property
    def waits(self) -> bool:
        """Given, and waiting for its person to confirm it."""
        return self.given and self.withdrawn_at is None and not self.holds


class Inquiry(Base):
    """The customer asked for the same again: joined to the open lead, kept whole, never a rival."""

    __tablename__ = "inquiry"
    __table_args__ = (
        Index("ix_inquiry_open", "lead_id", postgresql_where=text("handled_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    intake_id: Mapped[uuid.UUID | None]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    at: Mapped[datetime]
    request_type: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    comments: Mapped[str] = mapped_column(default="")
    preferred_dealer: Mapped[str] = mapped_column(default="")
    given: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """As it was given, in the shape of the API."""
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_version.id"))
    handled_at: Mapped[datetime | None]
    """When the road took note of it: priority raised, dealer told, moved where that was due."""
    split_into_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id"))
    """A person made it a lead of its own."""
    source: Mapped[Source] = relationship()


def locked_lead(session: Session, lead_id: uuid.UUID) -> Lead:
    """The lead, locked until the transaction ends; LookupError where the actor can't see it.

    What the session knew of it before is read anew: it may have changed while we waited.
    """
    lead = session.scalars(
        select(Lead)
        .where(Lead.id == lead_id)
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    ).first()
    if lead is None:
        raise LookupError(f"no lead {lead_id}")
    return lead
