"""The local mailbox: where mail lands, and is read in the browser, while no SMTP server is set."""

from __future__ import annotations

import mailbox
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

from lmt.config import Settings

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,:=_@%+~-]{0,254}")


@dataclass(frozen=True, slots=True)
class MailSummary:
    """One mail in the list; `id` is what `read_mail` takes, `at` when it arrived (UTC)."""

    id: str
    to: str
    subject: str
    at: datetime
    message_id: str


def keep_mail(settings: Settings, message: EmailMessage) -> None:
    """Add the mail to the mailbox (a Maildir, which any number of processes may write to)."""
    settings.mailbox.parent.mkdir(parents=True, exist_ok=True)
    # Made by hand where missing: the standard library would race with another process for it.
    for folder in (settings.mailbox, *(settings.mailbox / n for n in ("tmp", "new", "cur"))):
        folder.mkdir(mode=0o700, exist_ok=True)
    mailbox.Maildir(settings.mailbox, create=False).add(message.as_bytes())


def list_mails(settings: Settings, limit: int = 200) -> list[MailSummary]:
    """The latest mails, newest first."""
    files = [file for folder in ("new", "cur") for file in _files(settings.mailbox / folder)]
    files.sort(key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
    return [_summary(file) for file in files[:limit]]


def read_mail(settings: Settings, id: str) -> EmailMessage | None:
    """The mail that `list_mails` named so; None where there is none."""
    if not _ID.fullmatch(id):
        return None
    for folder in ("new", "cur"):
        file = settings.mailbox / folder / id
        if file.is_file() and not file.is_symlink():
            return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(
                file.read_bytes()
            )
    return None


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*") if file.is_file()] if folder.is_dir() else []


def _summary(file: Path) -> MailSummary:
    with file.open("rb") as opened:
        headers = BytesHeaderParser(policy=policy.default).parse(opened)
    return MailSummary(
        id=file.name,
        to=str(headers["To"] or ""),
        subject=str(headers["Subject"] or ""),
        at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        message_id=str(headers["Message-ID"] or "").strip(),
    )
