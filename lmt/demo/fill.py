"""Fills an empty installation with the demo network and three months of its leads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.accounts.service import hashed
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.demo.accounts import form_facts, hire, new_password, open_sources
from lmt.demo.appointments import keep_appointments
from lmt.demo.countries import COUNTRIES
from lmt.demo.dealers import demo_dealers
from lmt.demo.deliveries import delivered
from lmt.demo.facts import DemoAccount, DemoFacts, keep_facts, kept_facts
from lmt.demo.history import lived
from lmt.demo.leads import LEADS, demo_arrivals
from lmt.demo.loads import Loads
from lmt.demo.markets import MARKET_OF, MARKETS
from lmt.demo.network import candidates, found_markets, hosts, keep_days, open_dealers, seeded
from lmt.demo.plans import plan_months
from lmt.demo.quarantine import quarantine_some
from lmt.demo.rows import Ids, Rows, demo_rows
from lmt.demo.sales import sell
from lmt.demo.senders import open_senders, renewed
from lmt.demo.store import copy_rows, inserted_ids
from lmt.demo.texts import write_texts
from lmt.models import (
    Consent,
    Customer,
    CustomerKey,
    Dealer,
    DealerLoad,
    Event,
    Form,
    Intake,
    Lead,
    Market,
    Offer,
    Outcome,
    Place,
    PlannedAction,
    RoutingDecision,
    Source,
    User,
)
from lmt.models.partitions import ensure_partitions
from lmt.qualify.classify import RuleSpec
from lmt.qualify.defaults import DEFAULT_RULES, ensure_default_rules
from lmt.reports.refresh import refresh_all
from lmt.reports.rollups import roll
from lmt.routing.directory import dealers_changed
from lmt.routing.gazetteer import PlaceRow
from lmt.routing.gazetteer_load import load_places, loaded_countries
from lmt.routing.network import Network
from lmt.scope import SYSTEM, act_as

CITIES_PER_COUNTRY = 500
MONTHS_BACK = 4

log = structlog.get_logger(__name__)


class DemoRefused(RuntimeError):
    """The demo can't be put here; the message says why."""


@dataclass(slots=True)
class Timings:
    """Seconds that each part of filling took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[part] = round(time.perf_counter() - began, 2)


def fill(
    sessions: SessionFactory,
    settings: Settings,
    *,
    at: datetime,
    seed: int = 7,
    leads: int = LEADS,
) -> DemoFacts:
    """Make the demo and say what a script needs of it; where it is already, only say so.

    All of it commits at once, or nothing does. The same `seed` and `at` give the same dealers and
    leads; passwords and keys are new each time and kept in `settings.demo_file` alone. Where that
    file is lost, they are renewed. Raises DemoRefused where other data is stored.
    """
    with sessions() as session:
        act_as(session, SYSTEM)
        if session.scalar(select(User.id).where(User.demo).limit(1)) is not None:
            facts = kept_facts(settings.demo_file) or _renewed(session, settings)
        elif session.scalar(select(Market.id).limit(1)) is not None:
            raise DemoRefused("markets are stored here already: the demo needs an empty database")
        else:
            facts = _filled(session, settings, at, seed, leads)
        session.commit()
    roll(sessions, at, resting=timedelta(0))
    facts = replace(facts, base_url=settings.base_url)
    facts = replace(facts, forms=form_facts(settings.base_url, [form.code for form in facts.forms]))
    keep_facts(facts, settings.demo_file)
    return facts


def describe(settings: Settings) -> DemoFacts | None:
    """What `fill` made in this instance; None where there is no demo."""
    return kept_facts(settings.demo_file)


def _filled(session: Session, settings: Settings, at: datetime, seed: int, leads: int) -> DemoFacts:
    timings = Timings()
    with timings.of("gazetteer"):
        missing = set(MARKET_OF) - loaded_countries(session)
        if missing:
            load_places(session, missing)
    with timings.of("network"):
        ensure_partitions(session.connection(), at, MONTHS_BACK)
        ensure_default_rules(session)
        founded = found_markets(session, at)
        keep_days(session, founded, at)
        cities = {country.code: cities_of(session, country.code) for country in COUNTRIES}
        dealers = demo_dealers(seeded(seed, "dealers"), COUNTRIES, cities, at.date())
        dealer_ids = open_dealers(session, dealers, founded)
        dealers_changed(session, at)
        with_people = hosts(dealers)
    with timings.of("accounts"):
        accounts, staff = hire(session, seeded(seed, "people"), founded, with_people, dealer_ids)
        sources, source_ids, forms = open_sources(session, founded, settings.base_url, at)
        senders, sender_ids = open_senders(session, founded, settings.secret_key)
    with timings.of("history"):
        everyone = candidates(dealers, dealer_ids, at)
        loads = Loads(everyone)
        markets = {dealer.code: dealer.market for dealer in dealers}
        networks = {
            market.code: Network(
                each for each in everyone if markets[each.code] == market.code
            ).with_load(loads)
            for market in MARKETS
        }
        lives = lived(
            seeded(seed, "history"),
            demo_arrivals(seeded(seed, "leads"), cities, at, with_people, leads),
            networks,
            founded.policies,
            loads,
            [RuleSpec(name, tuple(when), then) for name, when, then in DEFAULT_RULES],
            at,
        )
        ids = Ids(
            founded.markets,
            founded.brands,
            source_ids,
            sender_ids,
            founded.campaigns,
            founded.policy_ids,
            staff,
        )
        rows = demo_rows(seeded(seed, "rows"), lives, ids, at)
    with timings.of("rows"):
        copy_rows(session, Intake, delivered(seeded(seed, "deliveries"), rows.leads, at))
        _store(session, rows)
        _store_loads(session, loads, at)
        quarantine_some(session, seeded(seed, "quarantine"), source_ids, at)
        keep_appointments(session, seeded(seed, "appointments"), at)
        write_texts(session, at)
    with timings.of("sales"):
        sell(session, seeded(seed, "sales"), at)
    with timings.of("facts"):
        session.flush()
        refresh_all(session, at)
        plan_months(session, settings.currency, at)
    log.info("demo_filled", dealers=len(dealers), leads=len(lives), seconds=timings.seconds)
    return DemoFacts(
        settings.base_url,
        accounts,
        [*sources, *senders],
        form_facts(settings.base_url, _codes(forms)),
    )


def cities_of(session: Session, country: str) -> list[PlaceRow]:
    rows = session.execute(
        select(
            Place.id,
            Place.name,
            Place.country,
            Place.admin1,
            Place.population,
            Place.lat,
            Place.lon,
            Place.timezone,
        )
        .where(Place.country == country, Place.population > 0)
        .order_by(Place.population.desc(), Place.id)
        .limit(CITIES_PER_COUNTRY)
    )
    return [PlaceRow(*row) for row in rows]


def _store(session: Session, rows: Rows) -> None:
    customer_ids = inserted_ids(session, Customer, rows.customers)
    copy_rows(
        session,
        CustomerKey,
        [
            {"kind": kind, "value": value, "customer_id": customer_ids[place]}
            for place, kind, value in sorted(rows.customer_keys, key=lambda key: key[1:])
        ],
    )
    copy_rows(
        session,
        Lead,
        [
            {**lead, "customer_id": customer_ids[place]}
            for lead, place in zip(rows.leads, rows.customer_of, strict=True)
        ],
    )
    copy_rows(session, Consent, rows.consents)
    copy_rows(session, RoutingDecision, rows.decisions)
    copy_rows(session, Offer, rows.offers)
    copy_rows(session, Event, rows.events)
    copy_rows(session, PlannedAction, rows.plans)
    copy_rows(session, Outcome, rows.outcomes)


def _store_loads(session: Session, loads: Loads, at: datetime) -> None:
    copy_rows(
        session,
        DealerLoad,
        [
            {
                "dealer_id": dealer,
                "day": loads.day(dealer, at),
                "day_used": load.day_used,
                "month_used": load.month_used,
                "open_used": load.open_used,
                "received": load.received,
            }
            for dealer, load in sorted(loads.items())
        ],
    )


def _renewed(session: Session, settings: Settings) -> DemoFacts:
    """New passwords and keys for what is there: the old ones can't be read back."""
    accounts = []
    password = new_password()
    password_hash = hashed(password)
    for user in session.scalars(select(User).where(User.demo).order_by(User.id)):
        user.password = password_hash
        accounts.append(_account_facts(session, user, password))
    sources = []
    for source in session.scalars(select(Source).order_by(Source.id)):
        told = renewed(source, settings.secret_key)
        if told is not None:
            sources.append(told)
    codes = _codes(session.scalars(select(Form).order_by(Form.id)).all())
    return DemoFacts(settings.base_url, accounts, sources, form_facts(settings.base_url, codes))


def _account_facts(session: Session, user: User, password: str) -> DemoAccount:
    from_scope = user.scopes[0] if user.scopes else None
    dealer = market = ""
    if from_scope is not None and from_scope.dealer_id is not None:
        found = session.get_one(Dealer, from_scope.dealer_id)
        dealer, market = found.code, found.market.code
    elif from_scope is not None and from_scope.market_id is not None:
        market = session.get_one(Market, from_scope.market_id).code
    return DemoAccount(user.email, password, user.roles[0].name, dealer, market)


def _codes(forms: Sequence[Form]) -> list[str]:
    return [form.code for form in forms]
