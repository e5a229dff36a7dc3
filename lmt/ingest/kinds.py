"""How each kind of source is read: one table for deliveries, previews, test leads and replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lmt.i18n import gettext as _
from lmt.ingest.adf import NotAdf
from lmt.ingest.door import Leads, Unreadable
from lmt.ingest.emails import email_address
from lmt.ingest.mail import BadMail, mail_of
from lmt.ingest.mailleads import Senders, adf_leads, is_reachable, plain_lead, table_in
from lmt.ingest.phones import is_dialable
from lmt.ingest.platforms import (
    NoLead,
    PlatformLead,
    google_lead,
    linkedin_lead,
    meta_lead,
    tiktok_leads,
)
from lmt.ingest.readers import read_adf, read_json
from lmt.ingest.sourcesettings import source_settings
from lmt.ingest.unreadable import no_lead_error, payload_error
from lmt.mapping.apply import mapped
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.model import MappingError
from lmt.mapping.payload import PayloadError, records
from lmt.mapping.presets import PRESETS
from lmt.models import Source

MOST_LEADS = 200
"""In one delivery."""

TEST_KEY = "test:"
"""How the key of a delivery begins that a person sent from our own pages to try its source."""

SUSPICIOUS = "suspicious"
"""The code of a delivery that could be read, but looks like a machine's: a person decides."""

Reads = Callable[[Source, bytes, str], Leads]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source. `reads` turns a body of a content type into leads in the shape of the
    API, or raises Unreadable; `preset` is the mapping it starts with, "" where it needs none.
    `platform`: its leads carry the platform's own ids."""

    code: str
    reads: Reads
    preset: str = ""
    platform: bool = False


def reader_of(source: Source, content_type: str, *, test: bool = False) -> Callable[[bytes], Leads]:
    """What reads a body of this source; `test` marks every lead as a test, whatever it says.

    The reader raises Unreadable, which names the field.
    """
    kind = KINDS.get(source.kind)
    if kind is None:
        raise LookupError(f"nothing reads sources of the kind {source.kind}")

    def read(body: bytes) -> Leads:
        leads = kind.reads(source, body, content_type)
        return [{**lead, "test": True} for lead in leads] if test else leads

    return read


def delivery_key(source: Source, leads: Leads) -> str | None:
    """The sender's own id of the delivery, where it holds one lead that has one."""
    if len(leads) != 1:
        return None
    own = str(leads[0].get("id") or "")
    kind = KINDS.get(source.kind)
    prefix = source.kind if kind is not None and kind.platform else "own"
    return f"{prefix}:{own}" if own else None


def read_platform(source: Source, given: PlatformLead) -> dict[str, Any]:
    """One lead of a platform, by the source's mapping; what the platform itself told stands."""
    lead = _by_mapping(source, KINDS[source.kind].preset, given.record)
    if given.id:
        lead["id"] = given.id
    lead["test"] = given.test
    if given.sent_at:
        lead["sent_at"] = given.sent_at
    if given.platform_ids:
        campaign = dict(lead.get("campaign") or {})
        mapped_ids = str(campaign.get("platform_ids") or "").split()
        campaign["platform_ids"] = " ".join(dict.fromkeys([*mapped_ids, *given.platform_ids]))
        lead["campaign"] = campaign
    if not given.test:
        # A platform makes up the answers of its tests, and a test reaches nobody anyhow.
        _require_contact(lead)
    return lead


def _google(source: Source, body: bytes, _content_type: str) -> Leads:
    return [read_platform(source, google_lead(_one(body)))]


def _meta(source: Source, body: bytes, _content_type: str) -> Leads:
    return [read_platform(source, meta_lead(_one(body)))]


def _linkedin(source: Source, body: bytes, _content_type: str) -> Leads:
    return [read_platform(source, linkedin_lead(_one(body)))]


def _tiktok(source: Source, body: bytes, _content_type: str) -> Leads:
    return [read_platform(source, given) for given in tiktok_leads(_one(body))]


def _any(source: Source, body: bytes, content_type: str) -> Leads:
    """JSON, urlencoded or multipart, by the source's mapping alone."""
    found = records(body, content_type)
    if len(found) > MOST_LEADS:
        raise NoLead("too_many_leads")
    leads = [_by_mapping(source, KINDS[source.kind].preset, record) for record in found]
    for lead in leads:
        _require_contact(lead)
    return leads


def _form(_source: Source, body: bytes, _content_type: str) -> Leads:
    """What our own form's page wrote: {"form": code, "lead": …}."""
    found = _one(body)
    lead = found.get("lead") if isinstance(found, Mapping) else None
    if not isinstance(lead, Mapping):
        raise NoLead("no_object", "lead")
    return [lead]


def _mailbox(source: Source, body: bytes, _content_type: str) -> Leads:
    """A mail of a mailbox, whole. A file of rows in it is an import, and no lead."""
    return read_mail(source, body, with_table=False)


def read_mail(source: Source, body: bytes, *, with_table: bool) -> Leads:
    """The leads that a mail tells itself; `with_table`: whatever file lies beside them.

    Raises Unreadable.
    """
    try:
        mail = mail_of(body)
        found = adf_leads(mail)
    except BadMail as problem:
        raise no_lead_error(problem.code, "") from problem
    except NotAdf as problem:
        message = _("The mail holds an ADF document that can't be read.")
        raise Unreadable(problem.code, [{"field": "", "message": message}]) from problem
    if found is not None:
        return found
    if not with_table and table_in(mail) is not None:
        message = _("A file with leads is attached that could not be taken in. Import it by hand.")
        raise Unreadable("table", [{"field": "", "message": message}])
    lead = plain_lead(
        mail, _own_mapping(source), Senders(source_settings(source.settings).portal_senders)
    )
    if is_reachable(lead["customer"]):
        return [lead]
    message = _("Nothing in this mail says how its customer can be reached, by mail or by phone.")
    raise Unreadable("no_contact", [{"field": "customer", "message": message}])


def _own_mapping(source: Source) -> FieldMapping | None:
    """What the source itself says of labels; that of a file's calls is none of a mail's."""
    try:
        own = FieldMapping.from_json(source.mapping) if source.mapping else None
    except MappingError:
        return None
    if own is None:
        return None
    return FieldMapping(tuple(line for line in own.lines if not line.target.startswith("call.")))


def _one(body: bytes) -> Any:
    found = records(body, "application/json")
    if len(found) != 1:
        raise NoLead("no_object")
    return found[0]


def _by_mapping(source: Source, preset: str, record: Any) -> dict[str, Any]:
    return dict(mapped(_mapping(source, preset), record).lead)


def _mapping(source: Source, preset: str) -> FieldMapping:
    try:
        own = FieldMapping.from_json(source.mapping) if source.mapping else None
    except MappingError as problem:
        message = _("The mapping of this source can't be used; open it and mend it.")
        raise Unreadable("mapping", [{"field": problem.field, "message": message}]) from problem
    if own is not None and own.lines:
        return own
    chosen = (own.preset if own is not None else "") or preset
    if chosen not in PRESETS:
        message = _("This source has no mapping yet: nothing says which field is which.")
        raise Unreadable("mapping", [{"field": "", "message": message}])
    return PRESETS[chosen].mapping


def _require_contact(lead: Mapping[str, Any]) -> None:
    """A lead that nobody could answer is more likely mapped wrongly than sent for nothing."""
    customer = lead.get("customer") or {}
    email, phone = str(customer.get("email") or ""), str(customer.get("phone") or "")
    if email_address(email) or is_dialable(phone):
        return
    message = _("Nothing here is a usable email or phone. Check what the mapping takes for them.")
    fields = ("customer.email", "customer.phone")
    raise Unreadable("mapping", [{"field": field, "message": message} for field in fields])


def _named(reads: Reads) -> Reads:
    """The same, with everything that a pure reader complains of as Unreadable in words."""

    def read(source: Source, body: bytes, content_type: str) -> Leads:
        try:
            return reads(source, body, content_type)
        except PayloadError as problem:
            raise payload_error(problem.code) from problem
        except NoLead as problem:
            raise no_lead_error(problem.code, problem.field) from problem

    return read


def _table(kinds: Sequence[Kind]) -> Mapping[str, Kind]:
    return {kind.code: kind for kind in kinds}


KINDS: Mapping[str, Kind] = _table(
    [
        *(
            Kind(code, lambda _source, body, _content_type: read_json(body))
            for code in ("api", "call_centre", "campaign")
        ),
        Kind("adf", lambda _source, body, _content_type: read_adf(body)),
        Kind("form", _named(_form)),
        Kind("google", _named(_google), "google", platform=True),
        Kind("meta", _named(_meta), "meta", platform=True),
        Kind("tiktok", _named(_tiktok), "tiktok", platform=True),
        Kind("linkedin", _named(_linkedin), "linkedin", platform=True),
        Kind("web_to_lead", _named(_any), "web_to_lead"),
        Kind("json", _named(_any)),
        Kind("mailbox", _named(_mailbox)),
    ]
)
"""Every kind that something reads."""
