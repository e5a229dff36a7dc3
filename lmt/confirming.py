"""Double opt-in: what a customer agreed to in a form counts once they confirm it from their own
mailbox. The request itself is answered meanwhile."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.lead import consent_text_version
from lmt.models import Consent, ConsentText, FormVersion, Lead, locked_lead, record


@dataclass(frozen=True, slots=True)
class Agreement:
    """One consent that is to be confirmed, in the very words that its customer saw; `text` is ""
    where nobody kept them. `language` is that of the words; a later one has a larger `id`."""

    id: int
    purpose: str
    text: str
    language: str
    confirmed_at: datetime | None


def agreements(session: Session, lead: Lead) -> list[Agreement]:
    """What the lead's customer was asked to confirm, in the order it was agreed to. A session of
    the installation's reads it."""
    consents = _to_confirm(session, lead.id)
    return [
        Agreement(each.id, each.purpose, *_words(session, lead, each), each.confirmed_at)
        for each in consents
    ]


def confirm(session: Session, lead_id: uuid.UUID, latest: int, at: datetime) -> int:
    """The customer confirms all that waits for it up to the agreement `latest`, the last one they
    were shown: what was asked again meanwhile, by whomever, they haven't read. Returns how much
    that was; again changes nothing. Commits; raises LookupError."""
    lead = locked_lead(session, lead_id)
    waiting = [
        each
        for each in _to_confirm(session, lead.id)
        if each.confirmed_at is None and each.id <= latest
    ]
    for each in waiting:
        each.confirmed_at = at
    if waiting:
        purposes = ", ".join(dict.fromkeys(each.purpose for each in waiting))
        record(session, lead.id, "consent_confirmed", at=at, text=purposes)
    session.commit()
    return len(waiting)


def _to_confirm(session: Session, lead_id: uuid.UUID) -> list[Consent]:
    wanted = select(Consent).where(Consent.lead_id == lead_id, Consent.given, Consent.to_confirm)
    return list(session.scalars(wanted.order_by(Consent.id)))


def _words(session: Session, lead: Lead, consent: Consent) -> tuple[str, str]:
    """The text and its language: as it was kept by its version, else as the form has it."""
    wanted = select(ConsentText.text, ConsentText.language).where(
        ConsentText.purpose == consent.purpose,
        ConsentText.version == consent.text_version,
    )
    if consent.text_hash:
        # It tells the text, whichever market keeps it.
        wanted = wanted.where(ConsentText.hash == consent.text_hash)
    else:
        wanted = wanted.where(
            or_(ConsentText.market_id == lead.market_id, ConsentText.market_id.is_(None))
        )
    kept = session.execute(
        wanted.order_by(
            (ConsentText.language == consent.language).desc(),
            ConsentText.market_id.asc().nulls_last(),
        ).limit(1)
    ).first()
    if kept is not None:
        return kept.text, kept.language
    return _words_of_form(session, lead, consent)


def _words_of_form(session: Session, lead: Lead, consent: Consent) -> tuple[str, str]:
    version = session.get(FormVersion, lead.form_version_id) if lead.form_version_id else None
    if version is None:
        return "", ""
    try:
        definition = FormDefinition.from_json(version.definition)
    except BadForm:
        return "", ""
    for item in definition.fields:
        if item.type == "consent" and item.purpose == consent.purpose:
            for language in definition.languages:
                if consent_text_version(definition, item, language) == consent.text_version:
                    return definition.words(item.label, language), language
    return "", ""
