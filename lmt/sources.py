"""How an administrator sets up the ways in: sources with their keys, secrets, fields and pauses.

Each verb bumps the source's version, notes who changed what, and commits. A key is told once; of
secrets the history names which was set, never what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.ingest import keys
from lmt.ingest.countries import country_code
from lmt.ingest.languages import language_code
from lmt.ingest.sourcesettings import SECRETS, settings_problems
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import Brand, Campaign, Market, Source, note_change
from lmt.scope import Actor
from lmt.sealing import seal

log = structlog.get_logger(__name__)

PERMISSION = "source.edit"
READING = "intake.read"
CREATABLE = (
    "json",
    "google",
    "meta",
    "tiktok",
    "linkedin",
    "web_to_lead",
    "mailbox",
    "adf",
    "api",
    "call_centre",
    "campaign",
    "file",
)
"""Kinds that are set up by hand, in the order in which they are offered. A form's source comes
with its form."""
KEYED = frozenset({"api", "adf", "call_centre", "campaign", "google", "tiktok", "json"})
"""Kinds whose senders show a key that only we and they know."""
MAPPED = frozenset({"json", "google", "meta", "tiktok", "linkedin", "web_to_lead"})
"""Kinds whose fields are mapped to ours."""
BY_KIND: Mapping[str, Mapping[str, Any]] = {"file": {"solicited": True, "tells_customer": False}}
"""Terms that a kind begins with: whoever stands in a file was approached, and did not ask."""
NEW = "new"
"""Where a source is set up, so no source is called so."""
LONGEST_NAME = 100
LONGEST_SECRET = 2_000
_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class BadSource(ValueError):
    """What was given can't be kept: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


class NotNow(ValueError):
    """What is asked can't be done as things stand; its text, in the reader's words, says why."""


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """What is set of a source. `country` is ISO alpha-2, `language` an ISO 639 code, "" for none;
    `defaults` are paths of the lead JSON with the text that stands where a delivery has none."""

    name: str
    market_id: int
    brand_id: int | None = None
    campaign_id: int | None = None
    country: str = ""
    language: str = ""
    solicited: bool = False
    tells_customer: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


TERMS = tuple(each.name for each in fields(SourceTerms))
ASKED_AT = ("graph_url", "linkedin_url", "host", "port")
"""Settings that name the host at which a lead is asked for, with a token or password."""
SENT_THERE = ("access_token", "password")


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The sources that the actor may read of, for a WHERE."""
    own = actor.whole_markets(READING)
    return true() if own is None else Source.market_id.in_(own)


def may_edit(market_id: int, actor: Actor) -> bool:
    own = actor.whole_markets(PERMISSION)
    return own is None or market_id in own


def seen_source(session: Session, code: str, actor: Actor) -> Source:
    """Raises LookupError for a source that isn't there, or isn't the actor's to see."""
    found = session.scalars(select(Source).where(Source.code == code, seen_by(actor))).first()
    if found is None:
        raise LookupError(f"no source {code}")
    return found


def edited_source(session: Session, code: str, actor: Actor) -> Source:
    """Raises LookupError for a source that isn't there, or isn't the actor's to change."""
    found = seen_source(session, code, actor)
    if not may_edit(found.market_id, actor):
        raise LookupError(f"no source {code}")
    return found


def create_source(
    session: Session,
    *,
    code: str,
    kind: str,
    at: datetime,
    actor: Actor,
    mapping: Mapping[str, Any] | None = None,
    **terms: Any,
) -> tuple[Source, str | None]:
    """A source that takes leads from now on, and its key where the kind has one: told only here.

    `terms` are those of SourceTerms. Raises BadSource naming the fields.
    """
    given = SourceTerms(**{**BY_KIND.get(kind, {}), **terms})
    problems = _problems(session, kind, given, actor)
    if kind not in CREATABLE:
        problems["kind"] = _("Choose one of these.")
    if not _CODE.fullmatch(code) or code == NEW:
        problems["code"] = _("Use small letters, digits and hyphens, 40 at most.")
    if problems:
        raise BadSource(problems)
    key = keys.new_key() if kind in KEYED else None
    values = {
        "code": code,
        "kind": kind,
        "key_hash": None if key is None else keys.key_hash(key),
        "mapping": dict(mapping or {}),
        **_plain(given),
    }
    # Of two people who choose the same code one must be told, whoever commits first.
    made = session.scalar(
        insert(Source)
        .values(values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Source.id)
    )
    if made is None:
        raise BadSource({"code": _("This code is taken.")})
    source = session.get_one(Source, made)
    told = {"kind": kind, **_set(source)}
    _note(session, source, at, actor, {}, told)
    session.commit()
    log.info("source.created", source=code, kind=kind, by=actor.user_id)
    return source, key


def change_source(
    session: Session,
    source: Source,
    changes: Mapping[str, Any],
    at: datetime,
    actor: Actor,
    *,
    seen: int | None = None,
) -> tuple[str, ...]:
    """Set some of SourceTerms, or the `mapping`; the names of what differs now.

    `seen` is the version that was edited. Raises BadSource, NotNow where the source was changed
    meanwhile, LookupError for another's source.
    """
    row = _locked(session, source, actor)
    if seen is not None and seen != row.version:
        raise NotNow(_("Somebody changed this source meanwhile. Look at it again."))
    before = {name: getattr(row, name) for name in (*TERMS, "mapping")}
    after = {**before, **changes}
    terms = SourceTerms(**{name: after[name] for name in TERMS})
    problems = _problems(session, row.kind, terms, actor)
    if problems:
        raise BadSource(problems)
    after = {**_plain(terms), "mapping": FieldMapping.from_json(after["mapping"]).to_json()}
    if not after["mapping"].get("lines") and not before["mapping"]:
        after["mapping"] = before["mapping"]
    changed = tuple(name for name in before if before[name] != after[name])
    if not changed:
        session.rollback()
        return ()
    for name in changed:
        setattr(row, name, after[name])
    if any(before["settings"].get(name) != after["settings"].get(name) for name in ASKED_AT):
        # A token is for the one it was made for: whoever names another host must bring his own.
        before |= {name: "set" for name in SENT_THERE if name in row.secrets}
        after |= {name: "not_set" for name in SENT_THERE if name in row.secrets}
        row.secrets = {name: kept for name, kept in row.secrets.items() if name not in SENT_THERE}
    _bump(row)
    _note(session, row, at, actor, before, after)
    session.commit()
    log.info("source.changed", source=row.code, changed=changed, by=actor.user_id)
    return changed


def pause(session: Session, source: Source, at: datetime, actor: Actor) -> None:
    """From now on its deliveries are kept unread. Raises NotNow, LookupError."""
    row = _locked(session, source, actor)
    if not row.active or row.paused_at is not None:
        raise NotNow(_("This source doesn't run."))
    row.paused_at = at
    _state(session, row, at, actor, "runs", "paused")


def resume(session: Session, source: Source, at: datetime, actor: Actor) -> None:
    """It runs again, whether paused or retired. What was kept is the quarantine's to take in.

    Raises NotNow, LookupError.
    """
    row = _locked(session, source, actor)
    if row.active and row.paused_at is None:
        raise NotNow(_("This source runs already."))
    before = "paused" if row.active else "retired"
    row.active, row.paused_at = True, None
    _state(session, row, at, actor, before, "runs")


def retire(session: Session, source: Source, at: datetime, actor: Actor) -> None:
    """From now on its deliveries are refused. Raises NotNow, LookupError."""
    row = _locked(session, source, actor)
    if not row.active:
        raise NotNow(_("This source is retired already."))
    before = "runs" if row.paused_at is None else "paused"
    row.active, row.paused_at = False, None
    _state(session, row, at, actor, before, "retired")


def new_key(session: Session, source: Source, at: datetime, actor: Actor) -> str:
    """A fresh key, told only here; the old one opens nothing any more. Raises NotNow."""
    row = _locked(session, source, actor)
    if row.kind not in KEYED:
        raise NotNow(_("Sources of this kind have no key."))
    key = keys.new_key()
    before = "set" if row.key_hash else "not_set"
    row.key_hash = keys.key_hash(key)
    _bump(row)
    _note(session, row, at, actor, {"key": before}, {"key": "set_anew"})
    session.commit()
    log.info("source.key_renewed", source=row.code, by=actor.user_id)
    return key


def set_secret(
    session: Session,
    source: Source,
    name: str,
    plain: str,
    secret_key: str,
    at: datetime,
    actor: Actor,
) -> None:
    """Keep a secret sealed with `secret_key`; "" forgets it. Raises BadSource, LookupError."""
    row = _locked(session, source, actor)
    if name not in SECRETS.get(row.kind, ()):
        raise LookupError(f"no secret {name} of a {row.kind}")
    if len(plain) > LONGEST_SECRET or not plain.isprintable():
        raise BadSource({name: _("This can't be such a secret.")})
    before = "set" if row.secrets.get(name) else "not_set"
    kept = {key: sealed for key, sealed in row.secrets.items() if key != name}
    row.secrets = {**kept, name: seal(secret_key, plain)} if plain else kept
    _bump(row)
    after = "not_set" if not plain else ("set" if before == "not_set" else "set_anew")
    _note(session, row, at, actor, {name: before}, {name: after})
    session.commit()
    log.info("source.secret_set", source=row.code, secret=name, by=actor.user_id)


def _locked(session: Session, source: Source, actor: Actor) -> Source:
    row = session.scalars(
        select(Source)
        .where(Source.id == source.id)
        .with_for_update(of=Source)
        .execution_options(populate_existing=True)
    ).first()
    if row is None or not may_edit(row.market_id, actor):
        raise LookupError(f"no source {source.id}")
    return row


def _state(
    session: Session, row: Source, at: datetime, actor: Actor, before: str, after: str
) -> None:
    _bump(row)
    _note(session, row, at, actor, {"state": before}, {"state": after})
    session.commit()
    log.info("source.state", source=row.code, state=after, by=actor.user_id)


def _bump(row: Source) -> None:
    row.version += 1


def _note(
    session: Session,
    row: Source,
    at: datetime,
    actor: Actor,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    note_change(
        session,
        "source",
        row.code,
        at=at,
        user_id=actor.user_id,
        before=dict(before),
        after=dict(after),
    )


def _plain(terms: SourceTerms) -> dict[str, Any]:
    values = asdict(terms)
    values["defaults"] = {path: text for path, text in terms.defaults.items() if text}
    return values


def _set(source: Source) -> dict[str, Any]:
    """What is not as if nobody had said anything."""
    values = {name: getattr(source, name) for name in (*TERMS, "mapping")}
    return {name: value for name, value in values.items() if value not in ("", None, {}, False)}


def _problems(session: Session, kind: str, terms: SourceTerms, actor: Actor) -> dict[str, str]:
    problems = {}
    if not terms.name:
        problems["name"] = _("Enter a name.")
    elif len(terms.name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    if session.get(Market, terms.market_id) is None or not may_edit(terms.market_id, actor):
        problems["market_id"] = _("Choose one of these.")
    if terms.brand_id is not None and session.get(Brand, terms.brand_id) is None:
        problems["brand_id"] = _("Choose one of these.")
    if terms.campaign_id is not None:
        campaign = session.get(Campaign, terms.campaign_id)
        if campaign is None or campaign.market_id != terms.market_id:
            problems["campaign_id"] = _("Choose a campaign of this market.")
    if terms.country and country_code(terms.country) != terms.country:
        problems["country"] = _("Choose one of these.")
    if terms.language and language_code(terms.language) != terms.language:
        problems["language"] = _("Choose one of these.")
    for name, code in settings_problems(kind, terms.settings):
        # Of a list the first bad item is told, at the list's field.
        field = ".".join(part for part in name.split(".") if not part.isdecimal())
        problems.setdefault(f"settings.{field}", setting_words(code))
    return problems


def setting_words(code: str) -> str:
    """Why a setting of a kind can't be kept, for its code of `settings_problems`."""
    return {
        "too_many": _("These are too many."),
        "no_oid": _("Enter the 15 or 18 letters and digits of the form's field oid."),
        "no_host": _("Enter names of servers such as www.brand.example, one a line."),
        "no_address": _("Enter an address that begins with https://."),
        "no_version": _("Enter a version as the platform writes it."),
        "no_number": _("Enter numbers, one a line."),
        "no_header": _("Enter the name of the header that carries the signature."),
        "timestamp_header_missing": _("Enter the name of the header that carries the time."),
        "missing": _("Fill this in."),
        "no_server": _("Enter the name of a server, such as imap.brand.example."),
        "no_port": _("Enter a number from 1 to 65535."),
        "no_minutes": _("Enter a number of minutes from 1 to 1440."),
        "no_folder": _("Enter the name of a folder."),
        "same_folder": _("Choose another folder than the one that is read."),
        "no_sender": _("Enter addresses or domains, one a line."),
    }.get(code, _("This can't be right."))
