"""What every page that shows or moves a lead shares: who asks, their session, their language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from threading import Semaphore
from typing import IO, Any, ParamSpec, TypeVar, cast

from flask import (
    Flask,
    Request,
    Response,
    abort,
    current_app,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

from lmt import clock, i18n
from lmt.config import LOCALES, Settings
from lmt.db import SessionFactory, reading_sessions_for
from lmt.forms.page import IDEMPOTENCY_FIELD
from lmt.models import User
from lmt.patience import in_time
from lmt.scope import NOBODY, Actor, act_as, actor_of

P = ParamSpec("P")
R = TypeVar("R")
Marked = TypeVar("Marked")

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, strategy="moving-window")

_PUBLIC = "lmt_is_public"
_NO_COOKIES = frozenset(
    {"portal", "taps", "ingest", "embed", "demosite", "api", "health", "static"}
)


@dataclass(slots=True)
class Installation:
    """What `create_app` was given; kept at `app.extensions["lmt"]`."""

    settings: Settings
    engine: Engine
    sessions: SessionFactory
    reports_engine: Engine | None = None
    """Of the replica that reports are asked of; None: of the database itself."""
    reading_sessions: SessionFactory = field(init=False)
    waiting: Semaphore = field(init=False)
    """At most half of the threads wait for a lead to be routed; the rest goes on answering."""

    def __post_init__(self) -> None:
        self.reading_sessions = reading_sessions_for(self.reports_engine or self.engine)
        self.waiting = Semaphore(max(1, self.settings.web_threads // 2))


class WholeStream(LimitedStream):
    """A body is read whole or not at all: what was cut off may look like a lead.

    A server that ends the stream itself tells neither that a body without a length went on beyond
    the limit, nor that its sender was gone before the end.
    """

    def __init__(self, stream: IO[bytes], limit: int, announced: int | None):
        super().__init__(stream, limit, is_max=True)
        self.announced = announced

    def readall(self) -> bytes:
        body = super().readall()
        if self.is_exhausted and self._stream.read(1):
            raise RequestEntityTooLarge
        if self.announced is not None and len(body) < self.announced:
            raise ClientDisconnected
        return body


class WholeRequest(Request):
    """A request whose body is a `WholeStream`."""

    @cached_property
    def stream(self) -> IO[bytes]:
        limit = self.max_content_length
        stream = super().stream
        if limit is None or "wsgi.input_terminated" not in self.environ:
            return stream
        whole = WholeStream(self.environ["wsgi.input"], limit, self.content_length)
        return cast(IO[bytes], whole)


class NoCookiesForVisitors(SecureCookieSessionInterface):
    """Pages and doors that use no session save none, so caches needn't tell their visitors apart:
    that somebody asked whether one is logged in would else make them `Vary: Cookie`."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not is_for_visitors():
            super().save_session(app, session, response)


def installation() -> Installation:
    return cast(Installation, current_app.extensions["lmt"])


def settings() -> Settings:
    return installation().settings


def at() -> datetime:
    """The instant of this request: everything on one page is told the same time."""
    if "at" not in g:
        g.at = clock.now()
    return cast(datetime, g.at)


def open_session() -> Session:
    """The request's session before anybody acts in it: it reads accounts, nothing of a lead."""
    if "db" not in g:
        g.db = act_as(installation().sessions(), NOBODY)
    return cast(Session, g.db)


def db() -> Session:
    """The request's session, acting as the person who is logged in. 401 when nobody is."""
    current = open_session()
    if "actor" not in g:
        person = user()
        g.actor = actor_of(person)
        act_as(current, g.actor)
        current.add(person)  # a change of actor lets go of every row, this one is still needed
    return current


def reports_db() -> Session:
    """The request's session for figures, acting as the person who is logged in: it reads alone,
    all from one state of the database or of its replica. 401 when nobody is logged in."""
    db()
    if "reports_db" not in g:
        g.reports_db = in_time(act_as(installation().reading_sessions(), g.actor))
    return cast(Session, g.reports_db)


def actor() -> Actor:
    """As whom the request acts."""
    db()
    return cast(Actor, g.actor)


def user() -> User:
    """The person who is logged in. 401 when nobody is."""
    if not current_user.is_authenticated:
        abort(401)
    return cast(User, current_user._get_current_object())


def may(permission: str) -> bool:
    """May the visitor? Nobody may, who isn't logged in."""
    return bool(current_user.is_authenticated and current_user.may(permission))


def require(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for people who hold `permission`; others are told so (403)."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            user()
            if not may(permission):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


def public(marked: Marked) -> Marked:
    """Mark a view function, a MethodView or a whole blueprint as open to anybody."""
    setattr(marked, _PUBLIC, True)
    return marked


def is_public(app: Flask, endpoint: str, blueprints: list[str]) -> bool:
    """May `endpoint` answer somebody who isn't logged in?"""
    view: Any = app.view_functions[endpoint]
    marked = [view, getattr(view, "view_class", None), *(app.blueprints[n] for n in blueprints)]
    return any(getattr(item, _PUBLIC, False) for item in marked)


def forget_visitor() -> None:
    """Show the rest of this request to nobody: the database may be what just failed."""
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]


def register(app: Flask) -> None:
    """Hang the shared parts into the life of a request."""
    app.request_class = WholeRequest
    app.session_interface = NoCookiesForVisitors()
    app.before_request(_read_language)
    app.before_request(_refuse_nul)
    app.before_request(_refuse_strangers)
    app.teardown_request(_close_session)
    app.teardown_request(_forget_reader)
    csrf.init_app(app)
    limiter.init_app(app)


def without_csrf(blueprint: Any) -> None:
    """For blueprints that use no cookies, where a forged request has nothing to ride on."""
    csrf.exempt(blueprint)


def login_address() -> str:
    """Where to log in, coming back to this page when it can be asked for again."""
    came_from = request.full_path.rstrip("?") if request.method == "GET" else None
    return url_for("security.login", next=came_from)


def is_for_visitors() -> bool:
    """Is this a page or a door for people and programs that never log in?"""
    return request.blueprint in _NO_COOKIES or request.endpoint == "static"


def _read_language() -> None:
    g.reader_before = i18n.reader()
    wanted = request.args.get("lang", "")
    chosen = wanted if wanted in LOCALES else ""
    if is_for_visitors():
        # They have no account, so none is looked for.
        forget_visitor()
        i18n.set_reader(chosen or _accepted(), "UTC")
        return
    if chosen:
        session["lang"] = chosen
    known = current_user if current_user.is_authenticated else None
    own = known.language if known else ""
    i18n.set_reader(
        chosen or session.get("lang") or own or _accepted(),
        known.timezone if known else "UTC",
        known.number_style if known else "",
    )


def _accepted() -> str:
    return i18n.best_locale([tag for tag, _quality in request.accept_languages])


def _forget_reader(_problem: BaseException | None) -> None:
    """A thread lives on after its request, and speaks as before."""
    before = g.pop("reader_before", None)
    if before is not None:
        i18n.set_reader(before.locale, before.timezone, before.numbers)


def _refuse_nul() -> None:
    """No browser sends NUL, and PostgreSQL keeps none: 400, before it is an error of ours."""
    given = [request.path]
    if request.blueprint in {"ingest", "embed"}:
        # What customers wrote is cleaned and kept; our own page wrote the key.
        if request.endpoint == "embed.submit":
            given.append(request.form.get(IDEMPOTENCY_FIELD, ""))
    else:
        given += _texts(request.args)
        if request.blueprint != "api":
            given += _texts(request.form)
    if any("\0" in text for text in given):
        abort(400)


def _texts(values: MultiDict[str, str]) -> Iterator[str]:
    for name, value in values.items(multi=True):
        yield name
        yield value


def _refuse_strangers() -> ResponseReturnValue | None:
    """Deny by default: a view nobody marked as public is for people who are logged in."""
    endpoint = request.endpoint
    if endpoint is None or is_public(current_app, endpoint, request.blueprints):
        return None
    if current_user.is_authenticated:
        return None
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": url_for("security.login")}
    return redirect(login_address())


def _close_session(_problem: BaseException | None) -> None:
    for name in ("db", "reports_db"):
        current = g.pop(name, None)
        if current is not None:
            current.close()
