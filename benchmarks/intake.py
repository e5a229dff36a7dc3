"""Leads accepted per second over HTTP, beside a bare route that inserts one row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.installation import installation, served

LEADS = 600
CLIENTS = 8
CITIES = ("Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk")


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed:
        source = next(s for s in installed.facts.sources if s.kind == "api" and s.market == "PL")
        with served(installed.settings, "benchmarks.bare:app") as address:
            bare = _per_second(address, source.key, "bare")
        with served(installed.settings) as address:
            accepted = _per_second(address, source.key, "lmt")
    yield {
        "name": "leads accepted over HTTP",
        "value": round(accepted, 1),
        "unit": "leads/s",
        "baseline": "bare Flask route that inserts one row",
        "baseline_value": round(bare, 1),
        "ratio": round(accepted / bare, 3),
    }


def _per_second(address: str, key: str, mark: str) -> float:
    """Leads a second from several clients at once, each on its own connection."""
    _send(address, key, f"{mark}-warm", range(20))
    share = LEADS // CLIENTS
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(
            pool.map(
                lambda client: _send(
                    address, key, mark, range(client * share, (client + 1) * share)
                ),
                range(CLIENTS),
            )
        )
    return LEADS / (time.perf_counter() - started)


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
    return {
        "id": f"{mark}-{number}",
        "customer": {
            "full_name": f"Jan Kowal {number}",
            "email": f"jan.{mark}.{number}@example.com",
            "phone": f"+4851{number:07d}",
        },
        "address": {"city": CITIES[number % len(CITIES)], "country": "PL"},
        "request": {"type": "test_drive", "comments": "Proszę o kontakt"},
    }
