"""How headquarters sets up a dealer's own system: where its leads go, and the key it answers with.

Each verb notes who changed what, and commits; secrets are named in the history, never told.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

import httpx
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.i18n import gettext as _
from lmt.models import Dealer, DealerSystem, Message, note_change
from lmt.notify.messages import BELLS
from lmt.notify.systems import SYSTEM_KIND
from lmt.outside import Target
from lmt.scope import Actor
from lmt.sealing import seal

TRANSPORTS = ("mail", "post")
LONGEST_ADDRESS = 500
LONGEST_AUTHORIZATION = 2_000


def system_problems(
    transport: str,
    address: str,
    authorization: str = "",
    *,
    private_targets: Collection[Target] = (),
) -> dict[str, str]:
    """What can't be kept, by field, in the reader's words.

    `private_targets` are the (host, port) pairs that may be asked without TLS.
    """
    problems: dict[str, str] = {}
    if transport not in TRANSPORTS:
        problems["transport"] = _("Choose how the leads are sent.")
    elif len(address) > LONGEST_ADDRESS:
        problems["address"] = _("This is too long.")
    elif transport == "mail":
        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError:
            problems["address"] = _("Give a mail address, such as name@example.com.")
    elif not _is_web_address(address, private_targets):
        problems["address"] = _("Give an address that begins with https://.")
    if len(authorization) > LONGEST_AUTHORIZATION:
        problems["authorization"] = _("This is too long.")
    elif any(not 32 <= ord(sign) < 127 for sign in authorization):
        problems["authorization"] = _("Use Latin letters, digits and signs only.")
    return problems


def set_up(
    session: Session,
    dealer: Dealer,
    *,
    transport: str,
    address: str,
    authorization: str | None,
    secret_key: str,
    at: datetime,
    actor: Actor,
) -> DealerSystem:
    """Begin, or change; what still waits goes by the new settings.

    `authorization`: the header's value; None leaves it for the same server, "" forgets it. Values
    as `system_problems` found them good.
    """
    system = _locked(session, dealer)
    before = told_of(system)
    had = system is not None and bool(system.secrets.get("authorization"))
    if authorization is None and system is not None and _server(system.address) != _server(address):
        # Who may change the address must not have another's secret sent to themselves.
        authorization = ""
    if system is None:
        system = DealerSystem(dealer_id=dealer.id, secrets={}, created_at=at)
        session.add(system)
    system.transport, system.address, system.active = transport, address, True
    if authorization is not None:
        sealed = {"authorization": seal(secret_key, authorization)} if authorization else {}
        system.secrets = sealed
    after = told_of(system)
    if authorization and had:
        after["authorization"] = "set_anew"
    _note(session, dealer, before, after, at, actor)
    session.execute(
        update(Message)
        .where(
            Message.kind == SYSTEM_KIND,
            Message.dealer_id == dealer.id,
            Message.status == "queued",
        )
        .values(channel=transport, recipient=address)
        .execution_options(synchronize_session=False)
    )
    wake(session, BELLS[transport])
    session.commit()
    return system


def stop(session: Session, dealer: Dealer, *, at: datetime, actor: Actor) -> None:
    """It takes no more leads, and its key opens nothing. What waits is dropped at its turn.

    Raises LookupError where the dealer has none.
    """
    system = _locked(session, dealer)
    if system is None:
        raise LookupError(f"no system of {dealer.code}")
    before = told_of(system)
    system.active = False
    _note(session, dealer, before, told_of(system), at, actor)
    session.commit()


def set_key(
    session: Session, dealer: Dealer, key_hash: str | None, *, at: datetime, actor: Actor
) -> None:
    """The old key dies at once; None for no key. Raises LookupError where the dealer has none."""
    system = _locked(session, dealer)
    if system is None:
        raise LookupError(f"no system of {dealer.code}")
    before = told_of(system)
    had, system.key_hash = system.key_hash is not None, key_hash
    after = told_of(system)
    if had and key_hash is not None:
        after["key"] = "set_anew"
    _note(session, dealer, before, after, at, actor)
    session.commit()


def told_of(system: DealerSystem | None) -> dict[str, object]:
    """What the history tells of it."""
    if system is None:
        return {}
    return {
        "transport": system.transport,
        "address": system.address,
        "authorization": "set" if system.secrets.get("authorization") else "not_set",
        "key": "set" if system.key_hash else "not_set",
        "active": system.active,
    }


def _locked(session: Session, dealer: Dealer) -> DealerSystem | None:
    return session.scalars(
        select(DealerSystem)
        .where(DealerSystem.dealer_id == dealer.id)
        .with_for_update(of=DealerSystem)
        .execution_options(populate_existing=True)
    ).first()


def _note(
    session: Session,
    dealer: Dealer,
    before: dict[str, object],
    after: dict[str, object],
    at: datetime,
    actor: Actor,
) -> None:
    note_change(
        session,
        "dealer_system",
        dealer.code,
        at=at,
        user_id=actor.user_id,
        before=before,
        after=after,
    )


def _server(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def _is_web_address(address: str, private_targets: Collection[Target]) -> bool:
    try:
        parts, url = urlsplit(address), httpx.URL(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except (ValueError, httpx.InvalidURL):
        return False
    if not parts.hostname or parts.username or parts.password or parts.fragment or url.userinfo:
        return False
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and (parts.hostname, port) in private_targets
    )
