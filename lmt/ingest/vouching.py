"""Whether anybody vouches for a delivery: its source, and the key or signature that it shows.

What nobody vouches for is refused by name and counted, and not kept.
"""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import clock, i18n, web
from lmt.i18n import gettext as _
from lmt.ingest import signatures
from lmt.ingest.keys import key_hash
from lmt.ingest.machines import Problem
from lmt.ingest.refusals import note_refusal
from lmt.ingest.sourcesecrets import NoSecret, opened
from lmt.ingest.sourcesettings import source_settings
from lmt.models import Source


def called_source(session: Session, kind: str, code: str) -> Source:
    """The active source of the address; its language is the answer's, unless the caller asks.

    Raises Problem (404); that a retired source is still sent to is counted.
    """
    return active(session.scalars(by_code(kind, code)).first())


def by_code(kind: str, code: str) -> Any:
    return select(Source).where(Source.code == code, Source.kind == kind)


def active(source: Source | None) -> Source:
    """As `called_source`, for one that was looked up otherwise."""
    if source is None:
        raise Problem(404, "no_source", _("No source of this kind has this address."))
    if not source.active:
        raise refused(source, 404, "retired", _("This source no longer takes leads."))
    if not request.accept_languages and source.language:
        i18n.set_reader(source.language, "UTC")
    return source


def refused(source: Source, status: int, code: str, detail: str) -> Problem:
    """The problem to raise, counted."""
    note_refusal(web.installation().sessions, source.id, code, clock.now())
    return Problem(status, code, detail)


def opened_secret(source: Source, name: str) -> str:
    """A secret of the source. Raises Problem (503), so that a sender tries again once it is set."""
    try:
        return opened(source.secrets, name, web.settings().secret_key)
    except NoSecret as problem:
        detail = _("This source is not set up yet: a secret is missing.")
        raise refused(source, 503, problem.code, detail) from problem


def require_key(source: Source, key: str, *, status: int = 401) -> None:
    """`key` is the source's; takes the same time for any guess. Raises Problem."""
    if not key:
        raise refused(source, status, "key_missing", _("Send the key of this source."))
    # The hash of nothing else is compared, so a source without a key lets nobody in.
    if not signatures.same(key_hash(key), source.key_hash or "-"):
        raise refused(source, status, "key_wrong", _("This is not the key of this source."))


def require_good(source: Source, problem: str) -> None:
    """Nothing is wrong with the signature. Raises Problem (401)."""
    if not problem:
        return
    words = {
        signatures.MISSING: _("The delivery is not signed."),
        signatures.WRONG: _("The signature does not fit the delivery."),
        signatures.OLD: _("The delivery was signed too long ago, or by a clock that is wrong."),
    }
    raise refused(source, 401, problem, words[problem])


def require_key_or_signature(source: Source, body: bytes) -> None:
    """The signature, where the source's settings name one; else the key, as a bearer token or as
    `?key=`. Raises Problem."""
    scheme = source_settings(source.settings).signature
    if scheme is not None:
        secret = opened_secret(source, "signing_secret")
        headers = request.headers
        named = {name: headers.get(name, "") for name in (scheme.header, scheme.timestamp_header)}
        require_good(source, signatures.signature_problem(scheme, secret, named, body, clock.now()))
        return
    kind, _blank, token = request.headers.get("Authorization", "").partition(" ")
    key = token.strip() if kind.lower() == "bearer" else request.args.get("key", "")
    require_key(source, key)
