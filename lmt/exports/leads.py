"""Leads to take away: each with its place, its way through the house and what was said of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, aliased

from lmt.attributes import field_label, keys_kept_back, raw_value
from lmt.exports.listing import Column, Listing, Record, Wanted
from lmt.forms.fields import FieldDefinition
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import (
    Brand,
    Campaign,
    Consent,
    Dealer,
    DealerTerms,
    ImportRun,
    Lead,
    Market,
    Offer,
    Source,
    Upload,
    User,
)

_CAUSES = {"lost": "lost_reason", "withdrawn": "withdraw_reason"}
_market, _source, _campaign = aliased(Market), aliased(Source), aliased(Campaign)
_brand, _owner = aliased(Brand), aliased(User)


@dataclass(frozen=True, slots=True)
class LeadLine:
    """A lead's columns with what other tables say of it; `dealer` is (code, name)."""

    lead: Record
    dealer: tuple[str, str] = ("", "")
    distance_km: float | None = None
    consents: str = ""
    file: str = ""
    kept_back: Collection[str] = ()
    """Attributes that are not for downloads."""


def leads_listing(
    conditions: Iterable[ColumnElement[bool]],
    at: datetime,
    fields: Iterable[FieldDefinition] = (),
) -> Listing[LeadLine]:
    """The leads that fit, the latest first; dealers are named as at `at`.

    Each of the custom `fields` that is meant for exports has a column of its own, behind ours.
    """
    wanted = _LEADS.where(*conditions)
    columns = (*COLUMNS, *(_answers_to(item) for item in fields if "exports" in item.shows))
    return Listing("leads", _l("Leads"), columns, wanted, Lead.id, partial(_lines, at))


def _answers_to(item: FieldDefinition) -> Column[LeadLine]:
    def cell(line: LeadLine) -> str | int | float:
        given = line.lead.attributes
        return raw_value(given.get(item.key)) if isinstance(given, dict) else ""

    return Column(field_label(item), cell)


def _lines(at: datetime, session: Session, leads: Sequence[Record]) -> list[LeadLine]:
    ids = [lead.id for lead in leads]
    dealers = _dealers(session, {lead.dealer_id for lead in leads} - {None}, at)
    distances = _distances(session, ids)
    consents = _consents(session, ids)
    files = _files(session, {lead.import_id for lead in leads} - {None})
    homes = {(lead.market_id, lead.form_version_id) for lead in leads if lead.attributes}
    not_shown = keys_kept_back(session, homes, "exports")
    return [
        LeadLine(
            lead,
            dealers.get(lead.dealer_id, ("", "")),
            distances.get((lead.id, lead.dealer_id)),
            "; ".join(consents.get(lead.id, {}).values()),
            files.get(lead.import_id, ""),
            not_shown.get((lead.market_id, lead.form_version_id), ()),
        )
        for lead in leads
    ]


def _dealers(session: Session, ids: set[int], at: datetime) -> dict[int, tuple[str, str]]:
    """Code and today's name; a dealer that the actor may not see is called so."""
    names = dict.fromkeys(ids, ("", _("A dealer of another market")))
    if not ids:
        return names
    found = session.execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .outerjoin(DealerTerms, and_(DealerTerms.dealer_id == Dealer.id, DealerTerms.holds_at(at)))
        .where(Dealer.id.in_(ids))
    )
    return names | {id: (code, name or "") for id, code, name in found}


def _distances(
    session: Session, ids: Sequence[uuid.UUID]
) -> dict[tuple[uuid.UUID, int | None], float | None]:
    """By lead and dealer, as the last offer had it."""
    found = session.execute(
        select(Offer.lead_id, Offer.dealer_id, Offer.distance_km)
        .where(Offer.lead_id.in_(ids))
        .order_by(Offer.offered_at)
    )
    return {(lead_id, dealer_id): distance_km for lead_id, dealer_id, distance_km in found}


def _consents(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, str]]:
    """What was said last of each purpose, in words."""
    found = session.execute(
        select(Consent.lead_id, Consent.purpose, Consent.given, Consent.holds)
        .where(Consent.lead_id.in_(ids))
        .order_by(Consent.at, Consent.id)
    )
    said: dict[uuid.UUID, dict[str, str]] = {}
    for lead_id, purpose, given, holds in found:
        said.setdefault(lead_id, {})[purpose] = _said(purpose, given, holds)
    return said


def _said(purpose: str, given: bool, holds: bool) -> str:
    if holds:
        return _("%(purpose)s: yes", purpose=purpose)
    if given:
        return _("%(purpose)s: waits for confirmation", purpose=purpose)
    return _("%(purpose)s: no", purpose=purpose)


def _files(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of the files that brought them, those of them that the actor may see."""
    if not ids:
        return {}
    found = session.execute(
        select(ImportRun.id, Upload.name)
        .join(Upload, Upload.id == ImportRun.upload_id)
        .where(ImportRun.id.in_(ids))
    )
    return dict(found.all())


def _cause(line: LeadLine) -> str:
    lead = line.lead
    return label(_CAUSES.get(lead.status, "cause"), lead.cause) if lead.cause else ""


def _response_minutes(line: LeadLine) -> int | None:
    """From the wish, or from the first call where we came first, to the contact."""
    lead = line.lead
    if lead.contacted_at is None:
        return None
    began_at = lead.created_at
    if lead.import_id is not None:
        # Reached before the first call was noted: they waited for nothing, as in the reports.
        began_at = min(lead.first_call_at or lead.contacted_at, lead.contacted_at)
    waited: timedelta = lead.contacted_at - began_at
    return round(waited.total_seconds() / 60)


def _km(line: LeadLine) -> float | None:
    return None if line.distance_km is None else round(line.distance_km, 1)


def _attributes(line: LeadLine) -> str:
    given = line.lead.attributes
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if key not in line.kept_back}
    return json.dumps(given, ensure_ascii=False, sort_keys=True) if given else ""


def _request(line: LeadLine) -> str:
    code = line.lead.request_type
    return label("request_type", code) if code else ""


_LEADS: Wanted = (
    select(
        Lead.id,
        Lead.reference,
        Lead.test,
        Lead.status,
        Lead.cause,
        Lead.dealer_id,
        Lead.band,
        Lead.request_type,
        Lead.model,
        Lead.full_name,
        Lead.company,
        Lead.email,
        Lead.phone,
        Lead.language,
        Lead.street,
        Lead.postcode,
        Lead.city,
        Lead.region,
        Lead.country,
        Lead.comments,
        Lead.preferred_dealer,
        Lead.asked_again,
        Lead.import_id,
        Lead.market_id,
        Lead.form_version_id,
        Lead.sent_at,
        Lead.created_at,
        Lead.first_call_at,
        Lead.offered_at,
        Lead.accepted_at,
        Lead.contacted_at,
        Lead.closed_at,
        Lead.given["attributes"].label("attributes"),
        _market.name.label("market"),
        _source.name.label("source"),
        _source.kind.label("channel"),
        _campaign.name.label("campaign"),
        _brand.name.label("brand"),
        _owner.name.label("owner"),
    )
    .join(_market, _market.id == Lead.market_id)
    .join(_source, _source.id == Lead.source_id)
    .outerjoin(_campaign, _campaign.id == Lead.campaign_id)
    .outerjoin(_brand, _brand.id == Lead.brand_id)
    .outerjoin(_owner, _owner.id == Lead.owner_id)
)

COLUMNS: tuple[Column[LeadLine], ...] = (
    Column(_l("Reference"), lambda line: line.lead.reference),
    Column(_l("Received"), lambda line: line.lead.created_at, instant=True),
    Column(_l("Status"), lambda line: label("status", line.lead.status)),
    Column(_l("Cause"), _cause),
    Column(_l("Market"), lambda line: line.lead.market),
    Column(_l("Dealer's code"), lambda line: line.dealer[0]),
    Column(_l("Dealer"), lambda line: line.dealer[1]),
    Column(_l("Distance in km"), _km),
    Column(_l("Assignee"), lambda line: line.lead.owner),
    Column(_l("Channel"), lambda line: label("channel", line.lead.channel)),
    Column(_l("Source"), lambda line: line.lead.source),
    Column(_l("Campaign"), lambda line: line.lead.campaign),
    Column(_l("Request"), _request),
    Column(_l("Brand"), lambda line: line.lead.brand),
    Column(_l("Model"), lambda line: line.lead.model),
    Column(_l("Priority"), lambda line: label("band", line.lead.band)),
    Column(_l("Name"), lambda line: line.lead.full_name),
    Column(_l("Company"), lambda line: line.lead.company),
    Column(_l("Mail address"), lambda line: line.lead.email),
    Column(_l("Phone"), lambda line: line.lead.phone),
    Column(_l("Language"), lambda line: line.lead.language),
    Column(_l("Street"), lambda line: line.lead.street),
    Column(_l("Postcode"), lambda line: line.lead.postcode),
    Column(_l("City"), lambda line: line.lead.city),
    Column(_l("Region"), lambda line: line.lead.region),
    Column(_l("Country"), lambda line: line.lead.country),
    Column(_l("Comments"), lambda line: line.lead.comments),
    Column(_l("Preferred dealer"), lambda line: line.lead.preferred_dealer),
    Column(_l("Consents"), lambda line: line.consents),
    Column(_l("Times asked again"), lambda line: line.lead.asked_again),
    Column(_l("Sent"), lambda line: line.lead.sent_at, instant=True),
    Column(_l("Offered"), lambda line: line.lead.offered_at, instant=True),
    Column(_l("Accepted"), lambda line: line.lead.accepted_at, instant=True),
    Column(_l("Contacted"), lambda line: line.lead.contacted_at, instant=True),
    Column(_l("Closed"), lambda line: line.lead.closed_at, instant=True),
    Column(_l("Response time in minutes"), _response_minutes),
    Column(_l("Test"), lambda line: _("yes") if line.lead.test else ""),
    Column(_l("Imported from"), lambda line: line.file),
    Column(_l("Further details"), _attributes),
)
