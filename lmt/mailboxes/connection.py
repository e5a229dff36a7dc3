"""One connection to a mailbox: to an address that was looked at, ended at one instant."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Timer

from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from lmt.ingest.sourcesettings import SourceSettings
from lmt.outside import Target, is_public

TIMEOUT_SECONDS = 15.0
"""For each thing that is asked of the server."""


class MailboxError(Exception):
    """The mailbox can't be read now. `code` is away, refused, certificate, login, folder, protocol,
    secret_missing or secret_broken; the text names the server and nothing of its answer."""

    def __init__(self, code: str, host: str = ""):
        super().__init__(f"{host}: {code}")
        self.code = code


class Box(BaseMailBox):
    """A mailbox with its folder selected; `uid_validity` says which numbering its mails have."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._given = client
        self.uid_validity = 0
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._given

    def select(self, folder: str) -> None:
        """Raises MailboxError(folder)."""
        try:
            self.folder.set(folder)
        except ImapToolsError as problem:
            raise MailboxError("folder") from problem
        _name, told = self.client.response("UIDVALIDITY")
        number = told[0] if told and isinstance(told[0], bytes) else b"0"
        self.uid_validity = int(number) if number.isdigit() else 0

    def ensure(self, folder: str) -> None:
        """Make the folder where it is missing. Raises MailboxError(folder)."""
        try:
            if not self.folder.exists(folder):
                self.folder.create(folder)
        except ImapToolsError as problem:
            raise MailboxError("folder") from problem

    def present(self) -> list[int]:
        """The numbers of all mails in the folder, oldest first."""
        return sorted(int(uid) for uid in self.uids("UNDELETED") if uid.isdecimal())

    def sizes(self, uids: Collection[int]) -> dict[int, int]:
        """{number: bytes} of those that are still there."""
        if not uids:
            return {}
        wanted = ",".join(str(uid) for uid in uids)
        _status, told = self.client.uid("FETCH", wanted, "(UID RFC822.SIZE)")
        found = {}
        for each in told:
            line = each[0] if isinstance(each, tuple) else each
            uid = re.search(rb"UID (\d+)", line or b"")
            size = re.search(rb"RFC822\.SIZE (\d+)", line or b"")
            if uid and size:
                found[int(uid[1])] = int(size[1])
        return found

    def raw(self, uid: int, most_bytes: int) -> bytes | None:
        """The mail, unread as it was; no more than `most_bytes` of it. None where it has gone."""
        _status, told = self.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{most_bytes}>)")
        parts = [each[1] for each in told if isinstance(each, tuple)]
        return parts[0] if parts else None


@contextmanager
def opened_box(
    settings: SourceSettings,
    password: str,
    private_targets: Collection[Target],
    *,
    seconds: float,
) -> Iterator[Box]:
    """The mailbox of a source, logged in, its folder selected, for `seconds` at most.

    Raises MailboxError, also for what goes wrong inside.
    """
    host = settings.host
    client: imaplib.IMAP4 | None = None
    timer = Timer(seconds, lambda: _cut(client))
    timer.daemon = True
    timer.start()
    try:
        client = _client(settings, private_targets)
        box = Box(client)
        _log_in(box, settings.user, password)
        box.select(settings.folder)
        yield box
    except MailboxError as problem:
        raise MailboxError(problem.code, host) from problem
    except ssl.SSLCertVerificationError as problem:
        raise MailboxError("certificate", host) from problem
    except (ImapToolsError, imaplib.IMAP4.error, ssl.SSLError, ValueError) as problem:
        away = isinstance(problem, imaplib.IMAP4.abort)
        raise MailboxError("away" if away else "protocol", host) from problem
    except OSError as problem:
        raise MailboxError("away", host) from problem
    finally:
        timer.cancel()
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError, ValueError):
                client.logout()
            _hang_up(client)


def _client(settings: SourceSettings, private: Collection[Target]) -> imaplib.IMAP4:
    target = (settings.host, settings.port)
    if settings.tls == "tls":
        return _Tls(*target, private)
    client = _Plain(*target, private)
    try:
        if settings.tls == "starttls":
            client.starttls(ssl.create_default_context())
        elif client.is_public:
            # A password is never sent where others can read along.
            raise MailboxError("refused")
    except BaseException:
        _hang_up(client)
        raise
    return client


def _log_in(box: Box, user: str, password: str) -> None:
    log_in = box.login if (user + password).isascii() else box.login_utf8
    try:
        log_in(user, password, initial_folder=None)
    except (MailboxLoginError, imaplib.IMAP4.error) as problem:
        if isinstance(problem, imaplib.IMAP4.abort):
            raise
        raise MailboxError("login") from problem


def _reached(host: str, port: int, private: Collection[Target]) -> tuple[socket.socket, bool]:
    """(a connection, whether it left our own network): to the address that was looked at.

    Raises MailboxError(refused) where one of the host's addresses is private and nobody allowed it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise MailboxError("away") from problem
    addresses = list(dict.fromkeys(str(where[4][0]) for where in found))
    public = [is_public(ip_address(each.partition("%")[0])) for each in addresses]
    if (host.lower(), port) not in private and not all(public):
        raise MailboxError("refused")
    last = OSError("no address")
    for address, outside in zip(addresses, public, strict=True):
        try:
            reached = socket.create_connection((address, port), timeout=TIMEOUT_SECONDS)
        except OSError as failed:
            last = failed
        else:
            return reached, outside
    raise last


class _Plain(imaplib.IMAP4):
    is_public = True

    def __init__(self, host: str, port: int, private: Collection[Target]) -> None:
        self._private = private
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        reached, self.is_public = _reached(self.host, self.port, self._private)
        return reached


class _Tls(imaplib.IMAP4_SSL):
    def __init__(self, host: str, port: int, private: Collection[Target]) -> None:
        self._private = private
        context = ssl.create_default_context()
        super().__init__(host, port, ssl_context=context, timeout=TIMEOUT_SECONDS)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        reached, _public = _reached(self.host, self.port, self._private)
        try:
            wrapped: ssl.SSLSocket = self.ssl_context.wrap_socket(
                reached, server_hostname=self.host
            )
            return wrapped
        except BaseException:
            reached.close()
            raise


def _cut(client: imaplib.IMAP4 | None) -> None:
    """Whoever waits for the server now is told that it is away."""
    if client is not None:
        with suppress(OSError, AttributeError):
            client.sock.shutdown(socket.SHUT_RDWR)


def _hang_up(client: imaplib.IMAP4) -> None:
    with suppress(OSError, AttributeError):
        client.shutdown()
