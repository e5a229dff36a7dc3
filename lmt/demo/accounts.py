"""People who log in to the demo, and the keys its senders hold: new secrets in each instance."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random

from sqlalchemy.orm import Session

from lmt.accounts.service import EVERYWHERE, Scope, create_user, hashed
from lmt.demo.countries import BY_CODE
from lmt.demo.dealers import DemoDealer
from lmt.demo.facts import DemoAccount, DemoForm, DemoSource
from lmt.demo.forms import open_forms
from lmt.demo.markets import MARKETS
from lmt.demo.network import Founded
from lmt.demo.people import person
from lmt.ingest.keys import key_hash, new_key
from lmt.models import Form, Source
from lmt.sources import BY_KIND

CHANNELS = {
    "api": "Partner portal",
    "adf": "Vehicle marketplace",
    "form": "Website",
    "campaign": "Campaign pages",
    "call_centre": "Call centre",
    "file": "Fair and event lists",
}
WITH_KEY = ("api", "adf")
NEEDS_NOTHING = ("form", "file")
"""Ways in that people use, with no secret of a machine."""
MAIL_DOMAIN = "lmt.example"


def new_password() -> str:
    """Eighty random bits in groups a person can type."""
    signs = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(4)) for _ in range(4))


def hire(
    session: Session,
    rng: Random,
    founded: Founded,
    hosts: Sequence[DemoDealer],
    dealer_ids: Mapping[str, int],
) -> tuple[list[DemoAccount], dict[int, list[int]]]:
    """Users for every role; and for each dealer with people, their ids (the agent first)."""
    accounts: list[DemoAccount] = []
    # One password for all: a person plays every role here, and argon2 takes its time for each.
    password = new_password()
    password_hash = hashed(password)
    staff: dict[int, list[int]] = {}

    def account(
        role: str, place: str, scope: Scope, language: str, timezone: str, country: str
    ) -> int:
        who = person(rng, country, "en" if language == "ar" else language, 0)
        address = f"{role.replace('_', '.')}{'.' if place else ''}{place.lower()}@{MAIL_DOMAIN}"
        user = create_user(
            session, address, who.latin, None, [role], [scope], language, timezone, demo=True
        )
        user.password = password_hash
        dealer = place if role in {"agent", "manager"} else ""
        market = next((m.code for m in MARKETS if founded.markets[m.code] == scope.market_id), "")
        if dealer:
            market = next(host.market for host in hosts if host.code == dealer)
        accounts.append(DemoAccount(user.email, password, role, dealer, market))
        return user.id

    for host in hosts:
        id = dealer_ids[host.code]
        language = "en" if host.country == "AE" else host.language
        staff[id] = [
            account(role, host.code, Scope(dealer_id=id), language, host.timezone, host.country)
            for role in ("agent", "manager")
        ]
    for market in MARKETS:
        scope = Scope(market_id=founded.markets[market.code])
        for role in ("headquarters", "call_centre", "expert"):
            account(
                role,
                market.code,
                scope,
                market.default_language,
                market.timezone,
                market.countries[0],
            )
    for role in ("central", "administrator"):
        account(role, "", EVERYWHERE, "en", "UTC", next(iter(BY_CODE)))
    return accounts, staff


def open_sources(
    session: Session, founded: Founded, base_url: str, at: datetime
) -> tuple[list[DemoSource], dict[tuple[str, str], int], list[Form]]:
    """Each market's ways in, with keys where machines use them, and its forms."""
    told: list[DemoSource] = []
    stored: dict[tuple[str, str], Source] = {}
    for market in MARKETS:
        for kind, name in CHANNELS.items():
            key = new_key() if kind in WITH_KEY else ""
            code = f"{market.code.lower()}-{kind.replace('_', '-')}"
            stored[market.code, kind] = Source(
                code=code,
                kind=kind,
                name=f"{name}, {market.name}",
                market_id=founded.markets[market.code],
                key_hash=key_hash(key) if key else None,
                country=market.countries[0] if len(market.countries) == 1 else "",
                language=market.default_language,
                **BY_KIND.get(kind, {}),
            )
            if key or kind in NEEDS_NOTHING:
                told.append(DemoSource(code, kind, key, market.code))
    session.add_all(stored.values())
    session.flush()
    of_forms = {market.code: stored[market.code, "form"] for market in MARKETS}
    forms = open_forms(session, of_forms, base_url, at)
    return told, {place: source.id for place, source in stored.items()}, forms


def form_facts(base_url: str, codes: Sequence[str]) -> list[DemoForm]:
    return [DemoForm(code, f"{base_url}/forms/{code}") for code in codes]
