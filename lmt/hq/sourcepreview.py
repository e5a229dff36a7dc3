"""What production would understand of a payload under a mapping that nobody has saved yet.

Nothing is written, and nothing of the payload is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import web
from lmt.hq.mappingform import target_words
from lmt.i18n import country_name, format_datetime, language_name
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.arrival import understood
from lmt.ingest.books import books_as_system
from lmt.ingest.door import Leads, Unreadable
from lmt.ingest.kinds import reader_of
from lmt.ingest.leadinput import LeadInput
from lmt.ingest.leadinput import Problem as FieldProblem
from lmt.ingest.platforms import (
    NoLead,
    PlatformLead,
    google_lead,
    linkedin_lead,
    meta_lead,
    tiktok_leads,
)
from lmt.labels import LABELS, label
from lmt.mapping.apply import mapped
from lmt.mapping.flatten import flat
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.payload import PayloadError, records
from lmt.models import Brand, Campaign, Source

MOST_BYTES = 65_536
MOST_SHOWN = 3
PROBLEM_WORDS = {
    "email_not_valid": _l("is no mail address"),
    "phone_not_valid": _l("is no phone number; it is kept as given"),
    "phone_extension": _l("holds an extension, which is kept beside it"),
    "country_not_known": _l("is no country we know"),
    "language_not_known": _l("is no language we know"),
    "request_type_not_known": _l("is no kind of request we know; translate it"),
    "condition_not_known": _l("is neither new nor used"),
    "year_not_known": _l("is no year"),
    "vin_not_valid": _l("is no vehicle identification number"),
    "instant_not_known": _l("is no date and time"),
    "not_a_yes_or_no": _l("is neither yes nor no"),
    "not_a_number": _l("is no number"),
    "option_not_known": _l("is none of the field's options"),
    "date_not_known": _l("is no date"),
    "coordinate_missing": _l("stands alone; a place needs two"),
    "coordinate_out_of_range": _l("lies on no map"),
    "coordinates_zero": _l("is what forms send for an unknown place"),
    "consent_incomplete": _l("doesn't say whether it was given"),
    "too_long": _l("is too long; it is cut, and kept whole beside it"),
    "too_many": _l("are too many"),
    "not_text": _l("is no text"),
    "not_a_list": _l("is no list"),
    "not_an_object": _l("is no object"),
    "unknown_field": _l("is no field of a lead; it is kept beside it"),
}


@dataclass(frozen=True, slots=True)
class LeadPreview:
    """`facts` are (words, value, direction) as understood; `beside` is kept as the sender wrote it;
    `problems` are (field, what was given, why)."""

    facts: Sequence[tuple[str, str, str]]
    beside: Sequence[tuple[str, str]]
    problems: Sequence[tuple[str, str, str]]
    reachable: bool
    test: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """`errors` say why nothing would be taken in, as (field, words); leads may be shown with them,
    as far as the mapping fills any."""

    leads: Sequence[LeadPreview] = ()
    total: int = 0
    errors: Sequence[tuple[str, str]] = field(default_factory=tuple)


def as_if(source: Source, mapping: Mapping[str, Any]) -> Source:
    """The source with another mapping, never stored."""
    return Source(
        id=source.id,
        code=source.code,
        kind=source.kind,
        name=source.name,
        market_id=source.market_id,
        brand_id=source.brand_id,
        campaign_id=source.campaign_id,
        country=source.country,
        language=source.language,
        defaults=source.defaults,
        settings=source.settings,
        mapping=dict(mapping),
        active=True,
        solicited=source.solicited,
        version=source.version,
    )


def samples_of(kind: str, payload: bytes, content_type: str) -> list[dict[str, str]]:
    """The payload's records as {path: text}. Raises PayloadError."""
    return [flat(record) for record in _records(kind, payload, content_type)[:MOST_SHOWN]]


def preview(
    session: Session, source: Source, mapping: Mapping[str, Any], payload: bytes, content_type: str
) -> Preview:
    """The leads of a payload, each as it would stand before it is routed."""
    tried = as_if(source, mapping)
    try:
        leads: Leads = reader_of(tried, content_type)(payload)
        errors: Sequence[tuple[str, str]] = ()
    except Unreadable as problem:
        errors = _errors(problem)
        leads = _as_far_as(source.kind, mapping, payload, content_type)
    known = books_as_system(session)
    shown = [_lead(session, tried, known, lead) for lead in leads[:MOST_SHOWN]]
    return Preview(shown, len(leads), errors)


def _records(kind: str, payload: bytes, content_type: str) -> list[Any]:
    """What a mapping of this kind of source reads: a platform's answers, else the records."""
    found = records(payload, content_type)
    take_apart = _PLATFORMS.get(kind)
    if take_apart is None:
        return found
    try:
        return [lead.record for record in found for lead in take_apart(record)]
    except NoLead:
        return found


_PLATFORMS: Mapping[str, Callable[[Any], Sequence[PlatformLead]]] = {
    "google": lambda record: [google_lead(record)],
    "meta": lambda record: [meta_lead(record)],
    "linkedin": lambda record: [linkedin_lead(record)],
    "tiktok": tiktok_leads,
}


def _as_far_as(kind: str, mapping: Mapping[str, Any], payload: bytes, content_type: str) -> Leads:
    """What the mapping alone makes of it, so that one sees what is missing."""
    try:
        given = FieldMapping.from_json(dict(mapping))
        return [mapped(given, record).lead for record in _records(kind, payload, content_type)]
    except (PayloadError, ValueError):
        return []


def _errors(problem: Unreadable) -> list[tuple[str, str]]:
    """Each sentence once, whichever fields it was said of."""
    told: dict[str, list[str]] = {}
    for each in problem.errors:
        name = each.get("field", "")
        told.setdefault(each.get("message", ""), []).append(target_words(name) if name else "")
    return [(", ".join(filter(None, names)), words) for words, names in told.items()] or [
        ("", _("This can't be read as a lead."))
    ]


def _lead(session: Session, source: Source, known: Any, lead: Mapping[str, Any]) -> LeadPreview:
    given = understood(source, known.markets[source.market_id], lead)
    market = known.market(given.address.country, source.market_id)
    asked = given.request
    wanted = known.catalogue.wanted(asked.brand, asked.model, market.code, source.brand_id)
    brand_id, model = wanted.brand_id, wanted.model
    campaign_id = known.campaigns.campaign_of(
        given.campaign, market.day(web.at()), market.id, brand_id
    )
    names = {
        "brand": _name(session, Brand, brand_id),
        "campaign": _name(session, Campaign, campaign_id or source.campaign_id),
        "model": model.name if model is not None else given.request.model,
    }
    return LeadPreview(
        facts=[fact for fact in _facts(given, names) if fact[1]],
        beside=[(str(key), str(value)) for key, value in given.attributes.items()],
        problems=[_problem(each) for each in given.problems],
        reachable=given.reachable,
        test=given.test,
    )


def _facts(given: LeadInput, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    who, where, what = given.customer, given.address, given.request
    kind = what.type
    if kind in LABELS["request_type"]:
        kind = label("request_type", kind)
    place = ", ".join(filter(None, [where.street, f"{where.postcode} {where.city}".strip()]))
    consents = [
        f"{target_words('consents.' + each.purpose)}: {_('yes') if each.given else _('no')}"
        for each in given.consents
    ]
    return [
        (target_words("id"), given.id, "ltr"),
        (target_words("customer.full_name"), who.full_name, "auto"),
        (target_words("customer.company"), who.company, "auto"),
        (target_words("customer.phone"), who.phone, "ltr"),
        (target_words("customer.email"), who.email, "ltr"),
        (target_words("customer.language"), language_name(who.language), ""),
        (_("Address"), place, "auto"),
        (target_words("address.region"), where.region, "auto"),
        (target_words("address.country"), country_name(where.country), ""),
        (target_words("request.type"), kind, ""),
        (target_words("request.brand"), names["brand"], "auto"),
        (target_words("request.model"), names["model"], "auto"),
        (target_words("request.comments"), what.comments, "auto"),
        (target_words("request.timeframe"), what.timeframe, "auto"),
        (target_words("request.preferred_dealer"), what.preferred_dealer, "auto"),
        (target_words("request.contact_time"), what.contact_time, "auto"),
        (target_words("vehicle.vin"), given.vehicle.vin, "ltr"),
        (
            _("Trade-in"),
            ", ".join(str(value) for value in given.vehicle.trade_in.values()),
            "auto",
        ),
        (_("Campaign"), names["campaign"], "auto"),
        (target_words("campaign.utm_campaign"), given.campaign.utm_campaign, "ltr"),
        (
            target_words("sent_at"),
            format_datetime(given.sent_at) if given.sent_at else "",
            "",
        ),
        (_("Consents"), "; ".join(consents), "auto"),
    ]


def _problem(problem: FieldProblem) -> tuple[str, str, str]:
    why = PROBLEM_WORDS.get(problem.code)
    return target_words(problem.field), problem.given, str(why) if why else problem.code


def _name(session: Session, model: type[Brand] | type[Campaign], id: int | None) -> str:
    if id is None:
        return ""
    return session.scalar(select(model.name).where(model.id == id)) or ""
