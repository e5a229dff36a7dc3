"""Whether the house that leads pass through stands: alive, ready, and in figures."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import lru_cache

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from lmt import schema
from lmt.models import Heartbeat
from lmt.reports.refresh import lag, put_aside
from lmt.web import at, installation, limiter, open_session, public

HEARTBEAT_SECONDS = 30

blueprint = public(Blueprint("health", __name__))
limiter.exempt(blueprint)

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "lmt_http_requests", "Requests answered", ["endpoint", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "lmt_http_request_seconds", "Time to an answer", ["endpoint"], registry=REGISTRY
)
LEADS = Gauge("lmt_leads_open", "Leads that are not closed", ["status"], registry=REGISTRY)
MESSAGES = Gauge("lmt_messages", "Outbox rows not sent", ["status"], registry=REGISTRY)
FACTS_LAG = Gauge(
    "lmt_facts_lag_seconds", "Age of the oldest change reports don't show", registry=REGISTRY
)
FACTS_PUT_ASIDE = Gauge("lmt_facts_put_aside", "Leads that reports can't count", registry=REGISTRY)

_OPEN = "SELECT status, count(*) FROM lead WHERE closed_at IS NULL GROUP BY status"
_UNSENT = (
    "SELECT status, count(*) FROM message WHERE status IN ('queued', 'failed') GROUP BY status"
)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.before_request(_start)
    app.after_request(_count)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Database reachable, schema current, a worker alive: 200, else 503 and what is missing."""
    checks = {"database": False, "migrations": False, "worker": False}
    try:
        open_session().execute(text("SELECT 1"))
        checks["database"] = True
        checks["migrations"] = schema.current(installation().engine) == _head()
        seen = open_session().scalar(
            select(func.max(Heartbeat.at)).where(Heartbeat.kind == "worker")
        )
        oldest = at() - timedelta(seconds=HEARTBEAT_SECONDS)
        checks["worker"] = seen is not None and seen > oldest
    except SQLAlchemyError:
        pass
    ready = all(checks.values())
    return {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts and times for Prometheus; figures only, nothing of a person."""
    for gauge, query in ((LEADS, _OPEN), (MESSAGES, _UNSENT)):
        gauge.clear()
        for status, count in open_session().execute(text(query)):
            gauge.labels(status).set(count)
    late = lag(open_session(), at())
    FACTS_LAG.set(0 if late is None else late.total_seconds())
    FACTS_PUT_ASIDE.set(put_aside(open_session()))
    return Response(generate_latest(REGISTRY), mimetype="text/plain; version=0.0.4")


@lru_cache(maxsize=1)
def _head() -> str:
    return schema.head()


def _start() -> None:
    g.started = time.perf_counter()


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    REQUESTS.labels(endpoint, request.method, response.status_code).inc()
    if "started" in g:
        SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
    return response
