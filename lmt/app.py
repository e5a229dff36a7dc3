"""The web application: every door and every room of the house that a lead passes through."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from lmt import accounts, api, assets, errors, health, logs, templating, web
from lmt.config import BadSetting, Settings, from_environment
from lmt.db import engine_for, sessions_for
from lmt.ingest import machines

ROOMS = (
    "lmt.accounts.routes",
    "lmt.desk.routes",
    "lmt.hq.routes",
    "lmt.reportpages.routes",
    "lmt.portal.routes",
    "lmt.taps.routes",
    "lmt.ingest.routes",
    "lmt.embed.routes",
    "lmt.demosite.routes",
)
"""Packages whose `blueprint` is hung in."""

MOST_ROW_NUMBER = 2**31 - 1
WITHOUT_COOKIES = ("api", "demosite", "embed", "ingest", "portal", "taps")


class RowNumber(IntegerConverter):
    """A number in an address: one that no row can have leads nowhere, before the database is asked
    for it."""

    def __init__(self, map: Map, *args: Any, **limits: Any) -> None:
        super().__init__(map, *args, **({"max": MOST_ROW_NUMBER} | limits))


@lru_cache(maxsize=4)
def content_security_policy(tiles_url: str = "") -> str:
    """What a page may load: our own, and map tiles from their server where one is set."""
    tiles = f" {urlsplit(tiles_url).scheme}://{urlsplit(tiles_url).netloc}" if tiles_url else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' data:{tiles}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def create_app(settings: Settings | None = None, *, engine: Engine | None = None) -> Flask:
    """The application for `settings` (default: the environment's) on `engine` (default: theirs).

    Raises BadSetting without a database: `lmt run` starts the embedded one and names it.
    """
    settings = settings or from_environment()
    logs.configure_once(settings.log_level)
    if engine is None:
        if settings.embedded:
            raise BadSetting("DATABASE_URL is missing; `lmt run` brings its own database")
        engine = engine_for(settings.database_url, pool_size=settings.web_threads)
    app = Flask("lmt", static_folder=None)
    app.url_map.converters["int"] = RowNumber
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        SESSION_COOKIE_NAME="lmt",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=settings.ratelimit_storage_uri,
    )
    # Errors are told in the order of their form.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    replica = settings.reports_database_url
    app.extensions["lmt"] = web.Installation(
        settings,
        engine,
        sessions_for(engine),
        engine_for(replica, pool_size=settings.web_threads) if replica else None,
    )
    if settings.trusted_proxies:
        # The address alone: links are built from LMT_BASE_URL, never from what a request says.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0
        )
    web.register(app)
    accounts.register(app)
    assets.register(app)
    templating.register(app)
    health.register(app)
    for name in ROOMS:
        app.register_blueprint(import_module(name).blueprint)
    api.register(app)
    for name in WITHOUT_COOKIES:
        web.without_csrf(app.blueprints[name])
    web.public(app.blueprints["api-docs"])
    errors.register(app, machines.answer_http_error)
    app.add_url_rule("/", "home", home)
    app.after_request(harden)
    return app


def home() -> ResponseReturnValue:
    """Everybody lands where their work is."""
    rooms = (
        ("lead.assign", "hq.overview"),
        ("lead.work", "desk.inbox"),
        ("help.answer", "hq.questions"),
    )
    for permission, endpoint in rooms:
        if web.may(permission):
            return redirect(url_for(endpoint))
    return redirect(url_for("accounts.preferences"))


def harden(response: Response) -> Response:
    """What a browser must not do with our pages; a view's own header stands."""
    for name, value in (
        ("Content-Security-Policy", content_security_policy(web.settings().tiles_url)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ):
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
