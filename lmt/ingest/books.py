"""The books in which a delivery is looked up: sources, markets with their own
fields, vehicles, campaigns, consent texts.

A process reads them once and remembers them for each database. The database numbers every change
of these tables (`ReferenceVersion`), so a statement that any delivery needs tells whether what is
remembered still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.orm import Session, joinedload, object_session

from lmt.forms.fields import BadForm, FieldDefinition, field_from
from lmt.ingest.campaigns import CampaignRule, Campaigns
from lmt.ingest.catalogue import BrandRow, Catalogue, ModelRow
from lmt.ingest.statements import Stamp, connection_of, stamp_of
from lmt.models import (
    Brand,
    Campaign,
    ConsentText,
    CustomField,
    Market,
    MarketCountry,
    Source,
    VehicleModel,
)
from lmt.scope import SYSTEM, act_as, as_system


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What a delivery must know of a market; `country` is its only one, "" in a cluster."""

    id: int
    code: str
    timezone: str
    country: str
    languages: tuple[str, ...]
    same_need_days: int
    confirmed_purposes: tuple[str, ...] = ()
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)
    """Its own and the general ones that are asked, by key."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def day(self, at: datetime) -> date:
        """The date of an instant in the market."""
        return at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Books:
    """All of them at one moment. Sources are rows without a session: to be read, not changed."""

    stamp: Stamp
    sources: Mapping[int, Source]
    sources_by_key: Mapping[str, Source]
    markets: Mapping[int, MarketFacts]
    market_of_country: Mapping[str, int]
    catalogue: Catalogue
    campaigns: Campaigns
    consent_texts: Mapping[tuple[int | None, str, str, str], str]

    def holds(self, source: Source) -> bool:
        """Whether a source that was remembered is still the one that the books tell of."""
        if object_session(source) is not None:
            # Read in this transaction, by whoever brings it.
            return True
        now = self.sources.get(source.id)
        return now is source or (
            now is not None
            and all(getattr(now, name) == getattr(source, name) for name in _SOURCE_COLUMNS)
        )

    def market(self, country: str, otherwise: int) -> MarketFacts:
        """The market of a country; the one named `otherwise` where no market has that country."""
        return self.markets[self.market_of_country.get(country, otherwise)]

    def consent_hash(self, market_id: int, purpose: str, version: str, language: str) -> str:
        """The hash of the text that was shown, the market's own before the general one; or ""."""
        if not version:
            return ""
        languages = dict.fromkeys((language, language.split("-")[0]))
        for market in (market_id, None):
            for spoken in languages:
                if found := self.consent_texts.get((market, purpose, version, spoken)):
                    return found
        return ""


_SOURCE_COLUMNS = tuple(column.key for column in inspect(Source).column_attrs)
_remembered: WeakKeyDictionary[Engine, Books] = WeakKeyDictionary()


def books(session: Session, stamp: Stamp | None = None) -> Books:
    """The books as they are now; `stamp` where the caller has just asked the database for it.

    The session acts for the installation.
    """
    connection = connection_of(session)
    stamp = stamp or stamp_of(connection)
    known = _remembered.get(connection.engine)
    if known is None or known.stamp != stamp:
        known = _remembered[connection.engine] = _read(connection, stamp)
    return known


def remembered_books(session: Session) -> Books:
    """The books as this process last saw them, without asking whether they changed.

    For whoever claims a delivery next: the claim tells it, and `Books.holds` whether it matters.
    """
    return _remembered.get(session.get_bind().engine) or books(session)


def home_of(session: Session, source: Source) -> MarketFacts:
    """The market of a source, as this process last saw it; read anew where it never did."""
    known = remembered_books(session).markets.get(source.market_id)
    return known or books(session).markets[source.market_id]


def books_as_system(session: Session) -> Books:
    """The books for somebody at the console, whose session sees only a part of the world."""
    with as_system(session):
        return books(session)


def _read(connection: Connection, stamp: Stamp) -> Books:
    """Rows may be newer than the stamp, never older: the next delivery then reads them again."""
    with act_as(Session(connection, autoflush=False), SYSTEM) as own:
        sources = own.scalars(
            select(Source).options(
                joinedload(Source.market).selectinload(Market.countries),
                joinedload(Source.campaign),
            )
        ).all()
        countries = [
            (row.country, row.market_id)
            for row in own.execute(select(MarketCountry.country, MarketCountry.market_id))
        ]
        fields = [
            (row.market_id, row.key, row.definition)
            for row in own.execute(
                select(CustomField.market_id, CustomField.key, CustomField.definition)
                .where(CustomField.active)
                .order_by(CustomField.market_id.asc().nulls_first())
            )
        ]
        found = Books(
            stamp=stamp,
            sources={source.id: source for source in sources},
            sources_by_key={source.key_hash: source for source in sources if source.key_hash},
            markets={
                row.id: MarketFacts(
                    row.id,
                    row.code,
                    row.timezone,
                    _only([country for country, market in countries if market == row.id]),
                    tuple(row.languages),
                    row.same_need_days,
                    tuple(row.confirmed_purposes),
                    _fields_of(fields, row.id),
                )
                for row in own.execute(
                    select(
                        Market.id,
                        Market.code,
                        Market.timezone,
                        Market.languages,
                        Market.same_need_days,
                        Market.confirmed_purposes,
                    )
                )
            },
            market_of_country=dict(countries),
            catalogue=_catalogue(own),
            campaigns=_campaigns(own),
            consent_texts={
                (row.market_id, row.purpose, row.version, row.language): row.hash
                for row in own.execute(
                    select(
                        ConsentText.market_id,
                        ConsentText.purpose,
                        ConsentText.version,
                        ConsentText.language,
                        ConsentText.hash,
                    )
                )
            },
        )
        own.expunge_all()
    return found


def _fields_of(
    rows: Iterable[tuple[int | None, str, dict[str, Any]]], market_id: int
) -> dict[str, FieldDefinition]:
    """By key; the market's own takes the place of the general one."""
    found = {}
    for home, key, definition in rows:
        if home in {None, market_id}:
            try:
                found[key] = field_from(definition)
            except (BadForm, KeyError, TypeError):
                continue
    return found


def _only(countries: list[str]) -> str:
    """A market of one country names it; in a cluster the place will tell."""
    return countries[0] if len(countries) == 1 else ""


def _catalogue(session: Session) -> Catalogue:
    brands = session.execute(select(Brand.id, Brand.code, Brand.name, Brand.aliases).order_by("id"))
    models = session.execute(
        select(
            VehicleModel.id,
            VehicleModel.brand_id,
            VehicleModel.code,
            VehicleModel.name,
            VehicleModel.aliases,
            VehicleModel.market_aliases,
            VehicleModel.markets,
        ).order_by("id")
    )
    return Catalogue(
        [BrandRow(row.id, row.code, row.name, tuple(row.aliases)) for row in brands],
        [
            ModelRow(
                row.id,
                row.brand_id,
                row.code,
                row.name,
                tuple(row.aliases),
                row.market_aliases,
                tuple(row.markets),
            )
            for row in models
        ],
    )


def _campaigns(session: Session) -> Campaigns:
    return Campaigns(
        CampaignRule(
            row.id,
            row.code,
            row.market_id,
            row.brand_id,
            row.utm_source,
            row.utm_medium,
            row.utm_campaign,
            tuple(row.platform_ids),
            row.starts_on,
            row.ends_on,
        )
        for row in session.scalars(select(Campaign))
    )
