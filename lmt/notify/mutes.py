"""Mails that their reader can end by one press (RFC 8058): which, by which link, and who did."""

from __future__ import annotations

import hmac
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from itsdangerous import Signer
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.links import stop_token
from lmt.models import MailMute, Message
from lmt.models.message import SCHEDULED_REPORT

SCHEDULED = SCHEDULED_REPORT
"""The kind of a report that is mailed again and again: each schedule ends by itself."""
MUTABLE = frozenset({"dealer_digest", "manager_weekly", SCHEDULED})
"""Kinds that somebody may want no more; all others are work."""
STOPPABLE = frozenset({"customer_feedback"})
"""Kinds that end by the customer's own list."""
_PROOF_BYTES = 12


def unsubscribe_link(settings: Settings, message: Message, at: datetime) -> str:
    """What stands in the mail's List-Unsubscribe; "" for kinds that can't be ended."""
    if message.kind in STOPPABLE and message.lead_id is not None:
        return f"{settings.base_url}/r/stop/{stop_token(settings.secret_key, message.lead_id, at)}"
    if message.kind in MUTABLE:
        return f"{settings.base_url}/t/mute/{mute_token(settings.secret_key, message.id)}"
    return ""


def mute_token(secret: str, message_id: uuid.UUID) -> str:
    """Names the mail in whose address and kind somebody has had enough; does not expire, since
    people look for it in old mails."""
    told = message_id.bytes + _proof(secret, message_id)
    return urlsafe_b64encode(told).decode().rstrip("=")


def message_of_mute(secret: str, token: str) -> uuid.UUID | None:
    """The message of a token; None where it is forged."""
    try:
        told = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if len(told) != 16 + _PROOF_BYTES:
        return None
    message_id = uuid.UUID(bytes=told[:16])
    return message_id if hmac.compare_digest(told[16:], _proof(secret, message_id)) else None


def ended_with(message: Message) -> str:
    """What its reader ends by its link: the kind, or of a report the one schedule."""
    if message.kind == SCHEDULED:
        return of_schedule(int(message.context["schedule_id"]))
    return message.kind


def of_schedule(schedule_id: int) -> str:
    """Stands in the place of the kind where one schedule is ended."""
    return f"{SCHEDULED}:{schedule_id}"


def is_muted(session: Session, recipient: str, kind: str) -> bool:
    return session.get(MailMute, (recipient, kind)) is not None


def muted(session: Session, kind: str) -> frozenset[str]:
    """Every address that wants no more of the kind."""
    return frozenset(session.scalars(select(MailMute.recipient).where(MailMute.kind == kind)))


def mute(session: Session, recipient: str, kind: str, at: datetime) -> None:
    """No more of them; again changes nothing. No commit."""
    row = insert(MailMute).values(recipient=recipient, kind=kind, at=at)
    session.execute(row.on_conflict_do_nothing())


def unmute(session: Session, recipient: str, kind: str) -> None:
    """They come again. No commit."""
    session.execute(delete(MailMute).where(MailMute.recipient == recipient, MailMute.kind == kind))


def _proof(secret: str, message_id: uuid.UUID) -> bytes:
    key = Signer(secret, salt="lmt.links.mute").derive_key()
    return hmac.digest(key, message_id.bytes, "sha256")[:_PROOF_BYTES]
