"""Leads accepted per second over HTTP, beside a bare route that inserts one row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import httpx

from benchmarks.installation import installation, served

LEADS = 600
WARM = 160
CLIENTS = 8
FIRST = ("Anna", "Piotr", "Katarzyna", "Krzysztof", "Małgorzata", "Tomasz", "Barbara", "Paweł")
STEMS = ("Kowal", "Wiśniew", "Lewandow", "Szymań", "Dąbrow", "Kozłow", "Mazur", "Jankow", "Grabow")
ENDINGS = ("ski", "czyk", "owicz", "ak", "iec", "ewicz", "icki", "ot", "el", "yszyn", "un", "arz")
CITIES = ("Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk")


def run() -> Iterator[dict[str, Any]]:
    # Clients of their own processes, or one client's lock would be what is measured.
    with installation() as installed, ProcessPoolExecutor(CLIENTS, get_context("spawn")) as clients:
        source = next(s for s in installed.facts.sources if s.kind == "api" and s.market == "PL")
        with served(installed.settings, "benchmarks.bare:app") as address:
            bare = _per_second(clients, address, source.key, "bare")
        with served(installed.settings) as address:
            accepted = _per_second(clients, address, source.key, "lmt")
    yield {
        "name": "leads accepted over HTTP",
        "value": round(accepted, 1),
        "unit": "leads/s",
        "baseline": "bare Flask route that inserts one row",
        "baseline_value": round(bare, 1),
        "ratio": round(accepted / bare, 3),
    }


def _per_second(clients: ProcessPoolExecutor, address: str, key: str, mark: str) -> float:
    """Leads a second from several clients at once, each on its own connection."""
    _all(clients, address, key, f"{mark}-warm", WARM, LEADS)
    started = time.perf_counter()
    _all(clients, address, key, mark, LEADS, 0)
    return LEADS / (time.perf_counter() - started)


def _all(
    clients: ProcessPoolExecutor, address: str, key: str, mark: str, leads: int, start: int
) -> None:
    share = leads // CLIENTS
    sent = [
        clients.submit(_send, address, key, mark, range(first, first + share))
        for first in range(start, start + leads, share)
    ]
    for each in sent:
        each.result()


def _send(address: str, key: str, mark: str, numbers: range) -> None:
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        for number in numbers:
            answer = client.post(
                "/api/v1/leads",
                json=_lead(mark, number),
                headers={"Authorization": f"Bearer {key}"},
            )
            assert answer.status_code == 202, answer.text


def _lead(mark: str, number: int) -> dict[str, Any]:
    """A newcomer, as most are: nobody of that name in that city, nobody of that phone or mail."""
    rest, first = divmod(number, len(FIRST))
    rest, stem = divmod(rest, len(STEMS))
    return {
        "id": f"{mark}-{number}",
        "customer": {
            "full_name": f"{FIRST[first]} {STEMS[stem]}{ENDINGS[rest % len(ENDINGS)]}",
            "email": f"{mark}.{number}@example.com",
            "phone": f"+4851{number:07d}",
        },
        "address": {"city": CITIES[number % len(CITIES)], "country": "PL"},
        "request": {"type": "test_drive", "comments": "Proszę o kontakt"},
    }
