"""How a mail leaves: by SMTP where a server is set, else into the local mailbox."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from lmt.config import Settings
from lmt.notify.mailbox import keep_mail

TIMEOUT_SECONDS = 15.0
_TOO_LARGE = 552


class DeliveryError(Exception):
    """A mail did not leave."""


class Refused(DeliveryError):
    """For good: the server will never take this mail."""


class Deferred(DeliveryError):
    """For now: the server wants this mail later (greylisting, a full mailbox)."""


class Unavailable(DeliveryError):
    """The server takes no mail at all at present, ours or anybody's."""


def deliver(settings: Settings, message: EmailMessage) -> None:
    """Hand one mail over. Raises Refused, Deferred or Unavailable."""
    with Transport(settings) as transport:
        transport.deliver(message)


class Transport:
    """One connection for a run of mails, opened at the first."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def deliver(self, message: EmailMessage) -> None:
        """Hand one mail over. Raises Refused, Deferred or Unavailable."""
        if not self._settings.smtp_url:
            try:
                keep_mail(self._settings, message)
            except OSError as problem:
                raise Unavailable(_shown(problem)) from problem
            return
        try:
            self._connected().send_message(message)
        except smtplib.SMTPRecipientsRefused as problem:
            code, words = next(iter(problem.recipients.values()))
            raise _verdict(code, words) from problem
        except smtplib.SMTPSenderRefused as problem:
            # A sender that is refused is a setting to mend: the mails wait for it.
            self._hang_up()
            if problem.smtp_code == _TOO_LARGE:
                raise Refused(_shown(problem)) from problem
            raise Unavailable(_shown(problem)) from problem
        except smtplib.SMTPDataError as problem:
            raise _verdict(problem.smtp_code, problem.smtp_error) from problem
        except smtplib.SMTPNotSupportedError as problem:
            raise Refused(_shown(problem)) from problem
        except (smtplib.SMTPException, OSError) as problem:
            self._hang_up()
            raise Unavailable(_shown(problem)) from problem

    def _connected(self) -> smtplib.SMTP:
        """The open connection, or a new one where the server has closed it meanwhile."""
        if self._client is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._client.noop()[0] == 250:
                    return self._client
            self._hang_up()
        self._client = _connection(self._settings.smtp_url)
        return self._client

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            # What was accepted stays accepted, however the farewell goes.
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()


def _connection(url: str) -> smtplib.SMTP:
    """Logged in. `smtp://user:password@host:port?starttls=true` or `smtps://…`."""
    parts = urlsplit(url)
    host, options = parts.hostname or "localhost", parse_qs(parts.query)
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if parts.scheme == "smtps":
        client = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    try:
        if options.get("starttls", [""])[0].lower() in {"1", "true", "yes"}:
            client.starttls(context=context)
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
    except smtplib.SMTPNotSupportedError as problem:
        # No encryption or no login where the setting asks for it: nobody's mail may leave.
        client.close()
        raise smtplib.SMTPException(str(problem)) from problem
    except BaseException:
        client.close()
        raise
    return client


def _verdict(code: int, words: bytes | str) -> DeliveryError:
    shown = f"{code} {_decoded(words)}"
    return Refused(shown) if 500 <= code < 600 else Deferred(shown)


def _shown(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"{problem.smtp_code} {_decoded(problem.smtp_error)}"
    return str(problem) or type(problem).__name__


def _decoded(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
