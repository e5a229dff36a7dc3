"""The REST API for partner systems, described by OpenAPI at /api/v1/openapi.json."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from lmt import __version__
from lmt.api import forms, reports, status, verdicts
from lmt.api.leads import blueprint
from lmt.api.openapi import describe_intake

__all__ = ["forms", "register", "reports", "status", "verdicts"]


def register(app: Flask) -> None:
    """Hang the API into `app`; its errors are problem+json, never smorest's own shape."""
    app.config.update(
        API_TITLE="LMT",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api(app)
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    api.register_blueprint(blueprint)
    describe_intake(app, api.spec)
