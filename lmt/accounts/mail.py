"""Mails about an account itself: they go out at once, in the language of its owner."""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from flask_security.mail_util import MailUtil

from lmt import clock, i18n
from lmt.i18n import gettext as _
from lmt.models import User
from lmt.notify.envelope import BadAddress, envelope
from lmt.notify.letter import Rendered
from lmt.notify.transport import DeliveryError, deliver
from lmt.web import settings

log = structlog.get_logger(__name__)


class AccountMail(MailUtil):
    """What Flask-Security wants sent, sent by our own transport."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Deliver. A failure is logged and not shown: it would tell that the account exists."""
        owner = context.get("user")
        language = owner.language if isinstance(owner, User) else "en"
        with i18n.reading(language):
            title = subject_of(template) or subject
        address = recipient if isinstance(recipient, str) else recipient[1]
        try:
            message = envelope(
                Rendered(subject=title, text=body or "", html=html or ""),
                message_id=uuid.uuid4(),
                sender=settings().mail_from,
                recipient=address,
                language=language,
                at=clock.now(),
            )
            deliver(settings(), message)
        except (DeliveryError, BadAddress) as problem:
            log.error("account_mail.failed", template=template, problem=str(problem))


def subject_of(template: str) -> str:
    """The subject in the reader's language; empty for a mail that isn't ours."""
    return {
        "security/email/reset_instructions": _("Choose a new password"),
        "security/email/reset_notice": _("Your password has been reset"),
        "security/email/change_notice": _("Your password has been changed"),
    }.get(template, "")
