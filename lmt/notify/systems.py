"""A dealer's own system is told of its leads, as ADF: written here from the rows as they stand.

One message for each offer, beside the dealer's own mail, never in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.i18n import best_locale, format_day_time, language_name, reading
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.models import Consent, Dealer, DealerSystem, DealerTerms, Lead, Message, Offer
from lmt.notify.adfout import adf_document
from lmt.notify.envelope import File
from lmt.notify.letter import Rendered
from lmt.notify.messages import enqueue
from lmt.notify.recipients import terms_of

SYSTEM_KIND = "adf"
ATTACHED_TYPE = "application/x-adf+xml"
MOST_NOTES = 30
LONGEST_NOTE = 500
_TIMES = frozenset({"", "morning", "afternoon", "evening", "day", "nopreference"})
_CONDITIONS = frozenset({"new", "used", "demo"})
_OF_ADF = frozenset(
    {"adf", "vendor", "vendor_ids", "provider", "interest", "phone_type", "other_phones",
     "other_emails"}
)  # fmt: skip


def tell_dealer_system(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """The lead goes to the own system of the dealer that it was offered to, once. Nobody is behind
    a test."""
    if lead.test:
        return
    system = system_of(session, offer.dealer_id)
    if system is None:
        return
    session.flush()
    terms = terms_of(session, offer.dealer_id, at)
    enqueue(
        session,
        cause=f"offer:{offer.id}:system",
        kind=SYSTEM_KIND,
        channel=system.transport,
        audience="dealer",
        recipient=system.address,
        language=best_locale([terms.language]),
        timezone=terms.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=offer.dealer_id,
        context={"offer_id": str(offer.id)},
        at=at,
    )


def system_of(session: Session, dealer_id: int | None) -> DealerSystem | None:
    """The dealer's own system, where it takes leads."""
    return session.scalars(
        select(DealerSystem).where(DealerSystem.dealer_id == dealer_id, DealerSystem.active)
    ).first()


def system_mail(
    session: Session, message: Message, settings: Settings, at: datetime
) -> tuple[Rendered, list[File]]:
    """The lead as a mail for machines: the ADF is its whole text, and once more attached."""
    lead, body = _document_of(session, message, settings, at)
    name = f"{lead.reference}.xml"
    mail = Rendered(subject=f"ADF {lead.reference}", text=body.decode("utf-8"), html="")
    return mail, [File(name, ATTACHED_TYPE, body)]


def system_post(session: Session, message: Message, settings: Settings, at: datetime) -> bytes:
    """The lead as the body of a request."""
    _lead, body = _document_of(session, message, settings, at)
    return body


def lead_document(
    session: Session,
    lead: Lead,
    dealer_id: int,
    settings: Settings,
    at: datetime,
    *,
    language: str,
    timezone: str,
    offer: Offer | None = None,
) -> bytes:
    """The lead as ADF for this dealer, as it stands at `at`; notes in `language`."""
    terms = terms_of(session, dealer_id, at)
    code = session.scalars(select(Dealer.code).where(Dealer.id == dealer_id)).one()
    consents = session.execute(
        select(Consent.purpose, Consent.holds).where(Consent.lead_id == lead.id).limit(MOST_NOTES)
    )
    with reading(language, timezone):
        notes = _notes(lead, offer, [(p, holds) for p, holds in consents], code, settings, at)
    return adf_document(_as_given(lead, terms, code), reference=lead.reference, notes=notes)


def _document_of(
    session: Session, message: Message, settings: Settings, at: datetime
) -> tuple[Lead, bytes]:
    lead, dealer_id = message.lead, message.dealer_id
    if lead is None or dealer_id is None:
        raise LookupError("the message's lead is gone")
    offer = session.scalars(select(Offer).where(Offer.id == message.context["offer_id"])).first()
    body = lead_document(
        session,
        lead,
        dealer_id,
        settings,
        at,
        language=message.language,
        timezone=message.timezone,
        offer=offer,
    )
    return lead, body


def _as_given(lead: Lead, terms: DealerTerms, code: str) -> dict[str, Any]:
    """The lead in the shape of the API: what was understood in the place of what was given, the
    dealer that has it in the place of the one that was named."""
    given = lead.given if isinstance(lead.given, dict) else {}
    person, request = _part(given, "customer"), _part(given, "request")
    vehicle, attributes = _part(given, "vehicle"), _part(given, "attributes")
    from_adf = lead.source.kind == "adf"
    contact_time = _text(request, "contact_time")
    condition = _text(vehicle, "condition")
    kept = {
        path: text
        for path, text in _part(attributes, "adf").items()
        if not path.startswith(("vendor", "@status"))
    }
    kept |= {
        path: text
        for path, text in (
            ("vendor/contact/name", terms.name),
            ("vendor/contact/email", terms.email),
            ("vendor/contact/phone", terms.phone),
        )
        if text
    }
    number = _text(given, "id")
    return {
        "id": number if from_adf or not number else f"{lead.source.code}:{number}",
        "sent_at": (lead.sent_at or lead.created_at).isoformat(timespec="seconds"),
        "customer": {
            **person,
            "full_name": lead.full_name,
            "company": lead.company,
            "email": lead.email,
            "phone": lead.phone or _text(person, "phone"),
            "language": person.get("language", "") if from_adf else "",
        },
        "address": {
            "street": lead.street,
            "postcode": lead.postcode,
            "city": lead.city,
            "region": lead.region,
            "country": lead.country,
        },
        "request": {
            **request,
            "type": lead.request_type,
            "brand": lead.brand.name if lead.brand else _text(request, "brand"),
            "model": lead.model,
            "comments": lead.comments,
            "contact_time": contact_time if from_adf or contact_time in _TIMES else "",
        },
        "vehicle": {**vehicle, "condition": condition if condition in _CONDITIONS else ""},
        "attributes": {
            **{key: attributes[key] for key in _OF_ADF & attributes.keys()},
            "vendor": terms.name,
            "vendor_ids": [f"LMT:{code}"],
            "provider": attributes.get("provider") or {"name": lead.source.name},
            "adf": kept,
        },
    }


def _notes(
    lead: Lead,
    offer: Offer | None,
    consents: list[tuple[str, bool]],
    code: str,
    settings: Settings,
    at: datetime,
) -> list[str]:
    """What ADF has no element for, in lines that a person reads."""
    request, attributes = _part(lead.given, "request"), _part(lead.given, "attributes")
    lines = [
        (_("Request"), label("request_type", lead.request_type) if lead.request_type else ""),
        (_("Language"), language_name(lead.language) if lead.language else ""),
        (_("When to reach them"), _text(request, "contact_time")),
        (_("Campaign"), lead.campaign.name if lead.campaign else ""),
    ]
    if offer is not None and offer.state == "open" and offer.expires_at > at:
        lines.append((_("To be taken by"), format_day_time(offer.expires_at)))
    if lead.asked_again:
        lines.append((label("event", "asked_again"), str(lead.asked_again)))
    named = _text(request, "preferred_dealer")
    if named and lead.preferred_dealer != code:
        lines.append((_("The customer named this dealer"), named))
    lines += [(purpose, _("yes") if holds else _("no")) for purpose, holds in consents]
    lines += [
        (str(name), str(value))
        for name, value in attributes.items()
        if name not in _OF_ADF and isinstance(value, str | int | float) and str(value).strip()
    ]
    lines.append(("LMT", f"{settings.base_url}/desk/leads/{lead.id}"))
    told = [f"{name}: {value}"[:LONGEST_NOTE] for name, value in lines if value]
    return [*told[:MOST_NOTES], *told[MOST_NOTES:][-1:]]


def waiting_for(session: Session, dealer_id: int) -> int:
    """How many leads still wait to be sent to the dealer's own system."""
    return session.scalars(
        select(func.count(Message.id)).where(
            Message.dealer_id == dealer_id,
            Message.kind == SYSTEM_KIND,
            Message.status == "queued",
        )
    ).one()


def _part(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = given.get(name) if isinstance(given, Mapping) else None
    return part if isinstance(part, dict) else {}


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
