"""Pages of desk and console over a million leads, one request after another through the
application in this process, beside a bare page of the same size: no server, no network in either.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks.installation import Installation, installation
from benchmarks.millions import LEADS, grow
from lmt import clock
from lmt.app import create_app
from lmt.collector import starting

REQUESTS = 500
WARM = 20


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed:
        engine = installed.sessions.kw["bind"]
        started = time.perf_counter()
        grow(engine, clock.now())
        yield {
            "name": f"{LEADS} leads made",
            "value": round(time.perf_counter() - started, 1),
            "unit": "s",
        }
        # As the web process starts: what it makes then is never searched for garbage again.
        with starting():
            app = create_app(installed.settings)
        app.config["WTF_CSRF_ENABLED"] = False
        bare = _bare()
        for name, client, addresses in _pages(app, installed):
            times, size = _measured(client, addresses)
            page = f"/{size}"
            plain, _size = _measured(bare.test_client(), [page])
            for at, of in (("median", 0.5), ("99th percentile", 0.99)):
                value, base = _quantile(times, of), _quantile(plain, of)
                yield {
                    "name": f"{name}, {at}",
                    "value": round(value * 1000, 1),
                    "unit": "ms",
                    "baseline": f"bare page of {size} bytes, {at}",
                    "baseline_value": round(base * 1000, 3),
                    "ratio": round(value / base, 1),
                }


def _pages(app: Flask, installed: Installation) -> Iterator[tuple[str, FlaskClient, list[str]]]:
    """What somebody looks at, with words and ids of leads that are there."""
    facts = installed.facts
    agent = next(each for each in facts.accounts if each.role == "agent")
    market = next(each for each in facts.accounts if each.role == "headquarters")
    central = next(each for each in facts.accounts if each.role == "central")
    with installed.sessions.kw["bind"].connect() as connection:
        rows = connection.execute(
            text(
                "SELECT l.id, l.full_name, right(l.phone, 6), l.email,"
                " l.given #>> '{vehicle,plate}', l.reference FROM lead AS l"
                " JOIN dealer AS d ON d.id = l.dealer_id WHERE d.code = :code"
                " ORDER BY md5(l.id::text) LIMIT 100"
            ),
            {"code": agent.dealer},
        ).all()
    ids = [str(row[0]) for row in rows]
    words = [str(row[1 + place % 5]) for place, row in enumerate(rows) if row[1 + place % 5]]
    words += ["anna", "vela", "example", "nobody of this name"]
    filters = [
        "status=open", "status=overdue", "status=won&band=hot", "type=service&band=cold",
        "channel=api", "from=2025-12-01&to=2026-02-28", "status=unrouted", "sort=oldest",
        "model=nova", "who=anna", f"dealer={agent.dealer}", "status=resting&type=quote",
    ]  # fmt: skip
    tabs = ["new", "due", "overdue", "mine", "all", "closed"]
    at_desk, there, everywhere = (_entered(app, each) for each in (agent, market, central))
    yield "desk inbox", at_desk, [f"/desk/?tab={tab}" for tab in tabs]
    yield "desk search", at_desk, [_address("/desk/", q=word) for word in words]
    yield "desk lead page", at_desk, [f"/desk/leads/{id}" for id in ids]
    for whose, browser in (("a market's", there), ("central", everywhere)):
        yield f"{whose} overview", browser, ["/hq/"]
        yield f"{whose} list", browser, ["/hq/leads"]
        yield f"{whose} search", browser, [_address("/hq/leads", search=word) for word in words]
        yield f"{whose} filtered list", browser, [f"/hq/leads?{each}" for each in filters]
        yield f"{whose} map", browser, ["/hq/map", *(f"/hq/map?{each}" for each in filters)]


def _address(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def _entered(app: Flask, account: Any) -> FlaskClient:
    client = app.test_client()
    given = {"email": account.email, "password": account.password}
    answer = client.post("/login", data=given)
    assert answer.status_code == 302, answer.text
    return client


def _bare() -> Flask:
    app = Flask("bare")

    @app.get("/<int:size>")
    def page(size: int) -> str:
        return "x" * size

    return app


def _measured(client: FlaskClient, addresses: Sequence[str]) -> tuple[list[float], int]:
    """Seconds of REQUESTS requests in sequence, and the median size of an answer in bytes."""
    for address in islice(cycle(addresses), WARM):
        client.get(address)
    gc.collect()
    times, sizes = [], []
    for address in islice(cycle(addresses), REQUESTS):
        started = time.perf_counter()
        answer = client.get(address)
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, (address, answer.status_code)
        sizes.append(len(answer.data))
    return times, int(statistics.median(sizes))


def _quantile(times: Sequence[float], of: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * of))]
