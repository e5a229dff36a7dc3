"""Fifty clients at once, every third delivery repeated, the web process killed midway."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.models import Customer, DeliveryKey, Event, Inquiry, Intake, Lead
from lmt.run import web_command, web_environment
from tests.services import free_port
from tests.world import API_KEY, World, warsaw_lead

DELIVERIES = int(os.environ.get("LMT_INTAKE_DELIVERIES", "600"))
CLIENTS = 50
PATIENCE_SECONDS = 120

FIRST = ("Anna", "Piotr", "Ewa", "Jan", "Adam", "Zofia", "Tomasz", "Barbara", "Jakub", "Maria")
LAST = ("Nowak", "Mazur", "Zając", "Wróbel", "Kaczmarek", "Grabowski", "Olszewska", "Adamczyk")


@dataclass(frozen=True)
class Sent:
    """A delivery as its sender repeats it: the same bytes, known by the same key."""

    body: bytes
    headers: dict[str, str]


def delivery(number: int) -> Sent:
    """The number's own: known by its sender's id, by an Idempotency-Key, or by its bytes alone."""
    data = warsaw_lead(
        full_name=f"{FIRST[number % 10]} {LAST[number // 10 % 8]}",
        phone=f"+48512{number:06d}",
        email=f"race.{number}@example.com",
    )
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    if number % 5 == 0:
        data["id"] = f"race-{number}"
    elif number % 5 < 3:
        headers["Idempotency-Key"] = f"race-{number}"
    return Sent(json.dumps(data).encode(), headers)


@dataclass
class Crowd:
    """Clients that send until everything is acknowledged; what is not, each sends again."""

    port: int
    waiting: deque[int]
    answers: list[tuple[int, str, bool]] = field(default_factory=list)
    """(number, id of the lead, repeated), in the order of the acknowledgements."""
    broken: list[int] = field(default_factory=list)
    odd: list[tuple[int, int, str]] = field(default_factory=list)
    serving: threading.Event = field(default_factory=threading.Event)
    end_service: Callable[[], None] = lambda: None
    """Called by the client of the middle answer, while all others are still sending."""
    ended: threading.Lock = field(default_factory=threading.Lock)
    missed: threading.Lock = field(default_factory=threading.Lock)
    resting: threading.Event = field(default_factory=threading.Event)
    """The first client that finds the service gone makes all wait for the next one."""

    def client(self) -> None:
        while True:
            try:
                number = self.waiting.popleft()
            except IndexError:
                return
            self.serving.wait(PATIENCE_SECONDS)
            half = self.send(number) and len(self.answers) >= DELIVERIES // 2
            if half and self.ended.acquire(blocking=False):
                self.end_service()

    def send(self, number: int) -> bool:
        """One call on a connection of its own; True when it was acknowledged."""
        sent = delivery(number)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/api/v1/leads", sent.body, sent.headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.broken.append(number)
            self.waiting.append(number)
            if self.ended.locked() and self.missed.acquire(blocking=False):
                self.serving.clear()
                self.resting.set()
            return False
        finally:
            connection.close()
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.waiting.append(number)
            return False
        if answer.status != HTTPStatus.ACCEPTED:
            self.odd.append((number, answer.status, text.decode()))
            return False
        told = json.loads(text)
        self.answers.append((number, told["id"], "repeated" in told))
        return True


@contextmanager
def web(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """The web process as production starts it, ready to answer; killed at the end."""
    process = subprocess.Popen(
        web_command(settings), env=dict(web_environment(settings)), start_new_session=True
    )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_ready(settings.port):
            assert time.monotonic() < until
            # A look now and then: it must not take the time that the service starts with.
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"ended with {process.wait(0.05)}")
        yield process
    finally:
        kill(process)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, for the server and what it forked."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def test_each_acknowledged_delivery_is_a_lead_exactly_once(
    settings: Settings, session: Session, world: World
) -> None:
    settings = replace(settings, port=free_port())
    # Every third is one of the two before it, again.
    numbers = [n - 1 - n % 2 if n % 3 == 2 else n for n in range(DELIVERIES)]
    crowd = Crowd(settings.port, deque(numbers))
    clients = [threading.Thread(target=crowd.client, daemon=True) for _ in range(CLIENTS)]
    with web(settings) as process:
        crowd.end_service = partial(kill, process)
        crowd.serving.set()
        for client in clients:
            client.start()
        assert crowd.resting.wait(PATIENCE_SECONDS)
    before = len(crowd.answers)
    with web(settings):
        crowd.serving.set()
        for client in clients:
            client.join(PATIENCE_SECONDS)
    assert not crowd.odd
    assert len(crowd.answers) == DELIVERIES
    # It was killed in the middle of its work.
    assert crowd.broken
    assert DELIVERIES // 2 <= before < DELIVERIES
    assert_exactly_once(session, crowd, set(numbers))


def assert_exactly_once(session: Session, crowd: Crowd, numbers: set[int]) -> None:
    told = {number: lead_id for number, lead_id, _repeated in crowd.answers}
    assert set(told) == numbers
    # However often a delivery was acknowledged, it was as the same lead.
    assert {(number, lead_id) for number, lead_id, _ in crowd.answers} == set(told.items())
    rows = session.execute(select(Lead.id, Lead.email)).all()
    assert {str(row.id): row.email for row in rows} == {
        lead_id: f"race.{number}@example.com" for number, lead_id in told.items()
    }
    for model in (Intake, DeliveryKey, Customer):
        assert rows_of(session, model) == len(numbers), model
    assert rows_of(session, Inquiry) == 0
    received = Counter(session.scalars(select(Event.lead_id).where(Event.kind == "received")))
    assert set(received.values()) == {1}
    assert len(received) == len(numbers)
    # Nobody was told twice that their delivery was the first.
    first = Counter(number for number, _lead, repeated in crowd.answers if not repeated)
    assert not first or max(first.values()) == 1


def rows_of(session: Session, model: Any) -> int:
    return session.scalars(select(func.count()).select_from(model)).one()
