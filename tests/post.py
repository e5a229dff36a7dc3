"""A real SMTP server for tests, which keeps what it is given and answers as it is told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as ParsedMail

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession


@dataclass
class Post:
    """`answers` says what a recipient's mailbox replies."""

    received: list[tuple[str, ParsedMail]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    on_mail: Callable[[], None] = lambda: None
    data_answer: str = "250 kept"
    url: str = ""

    async def handle_RCPT(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: object
    ) -> str:
        answer = self.answers.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        self.on_mail()
        if self.data_answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            self.received.append((envelope.rcpt_tos[0], mail))
        return self.data_answer

    def to(self, address: str) -> list[ParsedMail]:
        return [mail for recipient, mail in self.received if recipient == address]


@contextmanager
def post_office() -> Iterator[Post]:
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    post.url = f"smtp://127.0.0.1:{controller.port}"
    yield post
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def words(mail: ParsedMail) -> str:
    """The text of a mail."""
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
