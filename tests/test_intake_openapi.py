"""The doors of the intake answer as their OpenAPI document says, whatever they are sent."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_wsgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from lmt import web
from lmt.config import Settings
from tests.hostile import DOORS, Door, add_sources, key_of
from tests.world import World

CASES = int(os.environ.get("LMT_FUZZ_CASES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BY_PATH: dict[str, Door] = {
    urlsplit(door.path).path: door for door in DOORS.values() if door.name != "query"
}


class Vouching:
    """The application as a sender with the right keys meets it: what it sends is signed."""

    def __init__(self, app: Flask):
        self.app = app

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        door = BY_PATH.get(environ["PATH_INFO"])
        if door is not None and environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read()
            environ["wsgi.input"] = BytesIO(body)
            for name, value in door.vouch(body).items():
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
            query = urlsplit(door.path).query
            if query:
                environ["QUERY_STRING"] = f"{query}&{environ['QUERY_STRING']}"
        return self.app(environ, start)


CODES = {
    "/ingest/adf/{code}": "adf-pl",
    "/ingest/web-to-lead/{code}": "h-form",
    **{f"/ingest/{kind}/{{code}}": f"h-{kind}" for kind in ("google", "meta", "linkedin")},
    **{f"/ingest/{kind}/{{code}}": f"h-{kind}" for kind in ("tiktok", "json")},
}
PATHS = ("/api/v1/leads", "/servlet/servlet.WebToLead", *CODES)


@pytest.mark.parametrize("vouched", [True, False], ids=["vouched", "not vouched"])
def test_every_door_answers_as_its_description_says(
    app: Flask, session: Session, world: World, settings: Settings, vouched: bool
) -> None:
    add_sources(session, world, settings.secret_key)
    schema = from_wsgi("/api/v1/openapi.json", Vouching(app) if vouched else app)
    seen = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path not in PATHS:
            continue
        seen.add(operation.path)
        known = {"code": CODES[operation.path]} if vouched and operation.path in CODES else None
        # Whom nobody vouches for is refused whatever is sent: the odd half will do.
        for mode in GenerationMode if vouched else (GenerationMode.NEGATIVE,):
            cases = operation.as_strategy(mode, path_parameters=known)
            answers_as_described(cases, vouched=vouched)
    assert seen == set(PATHS)
    web.limiter.reset()


def answers_as_described(cases: Any, *, vouched: bool) -> None:
    @bounded
    @given(case=cases)
    def answers(case: Case) -> None:
        if vouched and isinstance(case.body, dict) and "google_key" in case.body:
            case.body["google_key"] = key_of("h-google")
        web.limiter.reset()
        case.call_and_validate(checks=CHECKS)

    answers()


bounded = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)
