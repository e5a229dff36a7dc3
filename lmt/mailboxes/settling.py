"""What one mail is, and what follows: committed before anybody touches the mail itself."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import partial
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import wake
from lmt.files.problems import FileProblem
from lmt.files.table import opened
from lmt.imports.opening import fits
from lmt.imports.service import NotNow, begin_import, start
from lmt.imports.suggesting import suggested
from lmt.imports.uploads import keep_upload
from lmt.ingest import mailmachines
from lmt.ingest.accept import Delivery
from lmt.ingest.adf import NotAdf
from lmt.ingest.door import Leads, Quarantined, receive
from lmt.ingest.kinds import read_mail, reader_of
from lmt.ingest.mail import Attachment, BadMail, Mail, mail_of
from lmt.ingest.mailleads import adf_leads, table_in, tells_a_lead
from lmt.mailboxes.bounces import mark_bounce
from lmt.mailboxes.replies import answered, keep_reply
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import ImportRun, MailRead, Source
from lmt.scope import SYSTEM

log = structlog.get_logger(__name__)

Reads = Callable[[bytes], Leads]

CONTENT_TYPE = "message/rfc822"
_CONTACTS = frozenset({"customer.email", "customer.phone"})
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a mail, as MailRead keeps it."""

    outcome: str
    intake_id: uuid.UUID | None = None
    lead_id: uuid.UUID | None = None
    import_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies: the numbering of its folder, and its number."""

    uid_validity: int
    uid: int


def settle(
    session: Session, settings: Settings, source: Source, place: Place, raw: bytes, at: datetime
) -> str:
    """Take one mail in, whatever it is, and remember that; commits. Returns the outcome.

    Done twice, it is done once: by its place, by its own id, by the delivery's key. Raises
    SourceChanged and what the database raises; then nothing was kept, and the mail comes again.
    """
    try:
        mail = _taken_apart(raw)
    except BadMail:
        # The door keeps it, and says why.
        mail = Mail(identity=f"sha256:{hashlib.sha256(raw).hexdigest()}")
    before = _read_before(session, source, mail)
    if before is not None:
        settled = Settled("repeated", lead_id=before.lead_id)
    else:
        settled = _settled(session, settings, source, mail, raw, at)
    session.add(
        MailRead(
            source_id=source.id,
            uid_validity=place.uid_validity,
            uid=place.uid,
            message_id=mail.identity[:500],
            at=at,
            sender=mail.sender[:320],
            subject=mail.subject[:300],
            outcome=settled.outcome,
            intake_id=settled.intake_id,
            lead_id=settled.lead_id,
            import_id=settled.import_id,
        )
    )
    session.commit()
    log.info("mailbox.read", source=source.code, outcome=settled.outcome)
    return settled.outcome


def _taken_apart(raw: bytes) -> Mail:
    """Raises BadMail, whatever was wrong."""
    try:
        return mail_of(raw)
    except BadMail:
        raise
    except Exception as problem:
        log.exception("mailbox.mail_unreadable")
        raise BadMail("failed") from problem


def _settled(
    session: Session, settings: Settings, source: Source, mail: Mail, raw: bytes, at: datetime
) -> Settled:
    own = parseaddr(settings.mail_from)[1].lower()
    domain = own.rpartition("@")[2]
    if mailmachines.is_bounce(mail):
        found = mark_bounce(session, mailmachines.bounce_of(mail, domain), at)
        return Settled("bounce", lead_id=found)
    if mailmachines.is_own(mail, {own, settings.reply_address} - {""}, domain):
        return Settled("loop")
    if mailmachines.answers_by_itself(mail):
        return Settled("automatic")
    likely = mailmachines.is_likely_automatic(mail)
    to = answered(session, settings, mail.recipients)
    if to is not None and likely:
        return Settled("automatic")
    if to is not None:
        lead_id = keep_reply(session, source, mail, to, at)
        return Settled("reply", lead_id=lead_id)
    if likely and not tells_a_lead(mail):
        return Settled("automatic")
    return _taken_in(session, source, mail, raw, at)


def _taken_in(session: Session, source: Source, mail: Mail, raw: bytes, at: datetime) -> Settled:
    """A file of leads as an import, everything else by the door of every delivery."""
    read = reader_of(source, CONTENT_TYPE)
    table = table_in(mail)
    if table is not None and not _holds_adf(mail):
        try:
            if _is_of_leads(source, table):
                return Settled("import", import_id=_imported(session, source, mail, table, at))
            # A picture of a price list, so to speak: the mail itself is what counts.
            read = partial(read_mail, source, with_table=True)
        except FileProblem as problem:
            session.rollback()
            log.warning("mailbox.bad_file", source=source.code, code=problem.code)
    return _delivered(session, source, mail, raw, read, at)


def _delivered(
    session: Session, source: Source, mail: Mail, raw: bytes, read: Reads, at: datetime
) -> Settled:
    delivery = Delivery(body=raw, content_type=CONTENT_TYPE, key=f"mail:{mail.identity}")
    try:
        receipt = receive(session, source, delivery, read, at)
    except Quarantined as kept:
        return Settled("quarantined", intake_id=kept.intake_id)
    wake(session, "leads")
    return Settled("lead", lead_id=next(iter(receipt.lead_ids), None))


def _read_before(session: Session, source: Source, mail: Mail) -> MailRead | None:
    """This very mail, wherever it lay when it was read first."""
    return session.scalars(
        select(MailRead)
        .where(MailRead.source_id == source.id, MailRead.message_id == mail.identity[:500])
        .order_by(MailRead.id)
        .limit(1)
    ).first()


def _holds_adf(mail: Mail) -> bool:
    try:
        return adf_leads(mail) is not None
    except NotAdf:
        return True


def _is_of_leads(source: Source, table: Attachment) -> bool:
    """Does the file tell whom to reach? Raises FileProblem for one that is no table."""
    with tempfile.TemporaryDirectory(prefix="lmt-mail-") as name:
        folder = Path(name)
        path = folder / "attached"
        path.write_bytes(table.content)
        opened_table = opened(path, folder)
        columns = opened_table.layout.columns
        own = FieldMapping.from_json(source.mapping)
        if not fits(own, columns):
            rows = [row.cells for row in islice(opened_table.rows(), _LOOKED_AT) if not row.problem]
            own = suggested(columns, rows)
    return any(line.target in _CONTACTS for line in own.lines)


def _imported(
    session: Session, source: Source, mail: Mail, table: Attachment, at: datetime
) -> uuid.UUID:
    """An import of the file; it starts by itself where the source's last file looked the same.

    Raises FileProblem.
    """
    run = _begun_before(session, source, mail)
    if run is None:
        upload = keep_upload(
            session,
            [table.content],
            table.name or "attached",
            market_id=source.market_id,
            at=at,
            actor=SYSTEM,
            most_bytes=len(table.content),
        )
        run = begin_import(session, source, upload, at=at, actor=SYSTEM, mail=mail.identity)
    own = FieldMapping.from_json(source.mapping)
    if run.state == "draft" and own.lines and run.mapping == own.to_json():
        try:
            start(session, run, at, SYSTEM)
        except NotNow as why:
            log.warning("mailbox.import_waits", source=source.code, why=why.code)
    return run.id


def _begun_before(session: Session, source: Source, mail: Mail) -> ImportRun | None:
    """The import that was begun for this mail before it was marked as read."""
    own = ImportRun.options["mail"].as_string() == mail.identity
    return session.scalars(
        select(ImportRun).where(ImportRun.source_id == source.id, own).limit(1)
    ).first()
