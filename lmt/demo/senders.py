"""Platforms and forms of the demo that post to us: a source of each kind in its main markets."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from lmt.demo.accounts import NEEDS_NOTHING
from lmt.demo.facts import DemoSource
from lmt.demo.markets import MARKETS, DemoMarket
from lmt.demo.network import Founded
from lmt.ingest.keys import key_hash, new_key
from lmt.ingest.sourcesecrets import opened
from lmt.ingest.sourcesettings import SECRETS
from lmt.mapping.presets import PRESETS
from lmt.models import Source
from lmt.sealing import seal

NAMES = {
    "google": "Google Ads lead forms",
    "meta": "Facebook and Instagram",
    "tiktok": "TikTok",
    "linkedin": "LinkedIn for fleets",
    "web_to_lead": "Former website's forms",
    "json": "Website of the brand",
}
SENDERS: Mapping[str, Mapping[str, str]] = {
    "PL": {"google": "google", "meta": "meta", "json": "contact_form_7"},
    "FR": {"google": "google", "web_to_lead": "web_to_lead", "json": "webflow"},
    "DE": {"google": "google", "linkedin": "linkedin", "json": "hubspot"},
    "NL": {"linkedin": "linkedin", "web_to_lead": "web_to_lead", "json": "gravity"},
    "TR": {"meta": "meta", "tiktok": "tiktok", "json": "typeform"},
    "GULF": {"google": "google", "meta": "meta", "tiktok": "tiktok", "json": "hubspot"},
}
"""Market → kind → the ready-made mapping that its source goes by."""
KEYED = frozenset({"google", "tiktok", "json"})


def open_senders(
    session: Session, founded: Founded, secret_key: str
) -> tuple[list[DemoSource], dict[str, list[int]]]:
    """The sources, with what their senders need; and by market the ids of those that bring what
    campaign pages brought before."""
    stored = [
        _source(session, market, number, kind, preset, founded, secret_key)
        for number, market in enumerate(MARKETS)
        for kind, preset in SENDERS[market.code].items()
    ]
    session.flush()
    ids: dict[str, list[int]] = {market.code: [] for market in MARKETS}
    for source, told in stored:
        ids[told.market].append(source.id)
    return [told for _source, told in stored], ids


def renewed(source: Source, secret_key: str) -> DemoSource | None:
    """The source with a new key, where it has one; None for a kind that needs nothing.

    Secrets are read back: they are sealed, not hashed.
    """
    key = new_key() if source.key_hash is not None else ""
    source.key_hash = key_hash(key) if key else None
    needs = {name: opened(source.secrets, name, secret_key) for name in source.secrets}
    if oid := source.settings.get("oid"):
        needs["oid"] = oid
    if not key and not needs and source.kind not in NEEDS_NOTHING:
        return None
    return DemoSource(source.code, source.kind, key, source.market.code, needs)


def _source(
    session: Session,
    market: DemoMarket,
    number: int,
    kind: str,
    preset: str,
    founded: Founded,
    secret_key: str,
) -> tuple[Source, DemoSource]:
    key = new_key() if kind in KEYED else ""
    needs = {name: secrets.token_urlsafe(24) for name in _secrets_of(kind)}
    sealed = {name: seal(secret_key, plain) for name, plain in needs.items()}
    settings = _settings(kind, number)
    source = Source(
        code=f"{market.code.lower()}-{kind.replace('_', '-')}",
        kind=kind,
        name=f"{NAMES[kind]}, {market.name}",
        market_id=founded.markets[market.code],
        campaign_id=founded.campaigns[market.code][0] if kind == "tiktok" else None,
        key_hash=key_hash(key) if key else None,
        country=market.countries[0] if len(market.countries) == 1 else "",
        language=market.default_language,
        mapping=PRESETS[preset].mapping.to_json(),
        settings=settings,
        secrets=sealed,
    )
    session.add(source)
    if "oid" in settings:
        needs["oid"] = str(settings["oid"])
    return source, DemoSource(source.code, kind, key, market.code, needs)


def _secrets_of(kind: str) -> Sequence[str]:
    """All that its platform would know; a form's deliveries are vouched for by its key."""
    return () if kind == "json" else SECRETS.get(kind, ())


def _settings(kind: str, number: int) -> dict[str, object]:
    if kind != "web_to_lead":
        return {}
    return {
        "oid": f"00D0Y00000{number:05d}",
        "redirect_hosts": ["www.aurel.example", "localhost"],
        "return_url": "https://www.aurel.example/thanks",
    }
