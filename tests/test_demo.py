"""The demo network: believable, the same for the same seed, and consistent in every figure."""

from __future__ import annotations

import json
import stat
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt import embedded, pipeline
from lmt.accounts.roles import ROLES
from lmt.config import Settings, from_environment
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.demo import DemoFacts, DemoRefused, describe, fill
from lmt.demo.markets import MARKET_OF, MARKETS
from lmt.ingest.keys import source_of_key
from lmt.ingest.kinds import reader_of
from lmt.ingest.sourcehealth import health_of
from lmt.lifecycle import CLOSED, QUEUES, WITH_DEALER, Status
from lmt.mapping.presets import PRESETS
from lmt.models import (
    Closure,
    Customer,
    Dealer,
    DealerLoad,
    DealerTerms,
    Intake,
    Lead,
    Market,
    Message,
    Offer,
    PlannedAction,
    RoutingDecision,
    Source,
    User,
)
from lmt.routing.decision import Decision
from lmt.routing.gazetteer_load import load_places
from lmt.schema import upgrade
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.sealing import unseal
from lmt.workhours import Calendar, hours_problem, next_opening, working_minutes_between
from tests.offers import let_pass

# A Wednesday morning, when showrooms in every market are open.
WEDNESDAY = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
LEADS = 1_200
MONTH = timedelta(days=28)


@dataclass(frozen=True)
class Demo:
    sessions: SessionFactory
    settings: Settings
    facts: DemoFacts


@pytest.fixture(scope="module")
def with_places(server: embedded.EmbeddedServer) -> Iterator[str]:
    """A migrated database with the gazetteer of all markets, to be copied."""
    name = f"places_{uuid.uuid4().hex}"
    engine = engine_for(embedded.create_database(server, name))
    upgrade(engine)
    with sessions_for(engine)() as session:
        load_places(act_as(session, SYSTEM), MARKET_OF.keys())
        session.commit()
    engine.dispose()
    yield name
    embedded.drop_database(server, name)


@contextmanager
def _filled(
    server: embedded.EmbeddedServer, template: str, instance: Path, seed: int
) -> Iterator[Demo]:
    name = f"demo_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name, template=template)
    engine = engine_for(url)
    sessions = sessions_for(engine)
    settings = from_environment(
        {
            "LMT_INSTANCE": str(instance),
            "DATABASE_URL": url,
            "LMT_BASE_URL": "https://leads.example",
        }
    )
    facts = fill(sessions, settings, at=WEDNESDAY, seed=seed, leads=LEADS)
    yield Demo(sessions, settings, facts)
    engine.dispose()
    embedded.drop_database(server, name)


@pytest.fixture(scope="module")
def demo(
    server: embedded.EmbeddedServer, with_places: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    with _filled(server, with_places, tmp_path_factory.mktemp("demo"), seed=7) as demo:
        yield demo


@pytest.fixture
def stored(demo: Demo) -> Iterator[Session]:
    """What a test changes here is rolled back."""
    with act_as(demo.sessions(), SYSTEM) as session:
        yield session
        session.rollback()


def test_dealers_are_many_and_open_at_times(stored: Session) -> None:
    rows = stored.execute(
        select(Dealer.code, DealerTerms).join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
    ).all()
    assert len(rows) >= 400
    assert len({code for code, _ in rows}) == len(rows)
    assert {terms.country for _, terms in rows} == set(MARKET_OF)
    closures = stored.scalars(select(Closure)).all()
    for code, terms in rows:
        assert hours_problem(terms.hours) is None, code
        calendar = Calendar(
            terms.hours,
            terms.timezone,
            terms.country,
            tuple((c.starts_on, c.ends_on) for c in closures if c.dealer_id == terms.dealer_id),
        )
        opening = next_opening(calendar, WEDNESDAY)
        assert opening is not None, code
        assert opening < WEDNESDAY + timedelta(days=15), code
        assert terms.email.endswith("@dealers.example")


def test_a_weekend_is_the_dealer_s_own(stored: Session) -> None:
    friday, saturday, sunday = (datetime(2026, 3, day, tzinfo=UTC) for day in (13, 14, 15))

    def open_on(country: str, day: datetime) -> set[bool]:
        terms = stored.scalars(select(DealerTerms).where(DealerTerms.country == country))
        return {
            working_minutes_between(
                Calendar(each.hours, each.timezone, each.country), day, day + timedelta(days=1)
            )
            > 0
            for each in terms
        }

    assert open_on("SA", sunday) == {True}
    assert open_on("SA", saturday) == {True, False}
    assert open_on("AE", friday) == {True}
    assert open_on("AE", saturday) == {True, False}
    assert False in open_on("DE", sunday)


def test_every_market_has_people_of_every_role(demo: Demo) -> None:
    roles = {(account.market, account.role) for account in demo.facts.accounts}
    for market in MARKETS:
        for role in ("agent", "manager", "headquarters", "call_centre", "expert"):
            assert (market.code, role) in roles
    assert {("", "central"), ("", "administrator")} <= roles
    assert {role for _, role in roles} == set(ROLES)


def test_accounts_log_in_and_see_their_part(demo: Demo, stored: Session) -> None:
    codes = {row.id: row.code for row in stored.scalars(select(Dealer))}
    markets = {row.id: row.code for row in stored.scalars(select(Market))}
    hasher = PasswordHasher()
    verified = set()
    for account in demo.facts.accounts:
        user = stored.scalars(select(User).where(User.email == account.email)).one()
        assert user.demo
        assert user.password is not None
        if account.role not in verified:
            assert hasher.verify(user.password, account.password)
            verified.add(account.role)
        actor = actor_of(user)
        if account.dealer:
            assert {codes[id] for id in actor.dealers} == {account.dealer}
        elif account.market:
            assert {markets[id] for id in actor.markets} == {account.market}
        else:
            assert actor.everywhere


def test_keys_open_their_sources(demo: Demo, stored: Session) -> None:
    kinds = Counter(source.kind for source in demo.facts.sources)
    assert kinds == {
        **{"api": 6, "adf": 6, "form": 6, "file": 6, "json": 6, "google": 4},
        **{"meta": 3, "tiktok": 2, "linkedin": 2, "web_to_lead": 2},
    }
    for source in demo.facts.sources:
        row = stored.scalars(select(Source).where(Source.code == source.code)).one()
        for name, needed in source.needs.items():
            kept = row.settings.get(name) or unseal(demo.settings.secret_key, row.secrets[name])
            assert kept == needed
        if source.key:
            found = source_of_key(stored, f"Bearer {source.key}", source.kind)
            assert found is not None
            assert found.code == source.code


def test_what_the_senders_of_each_kind_post_is_read(demo: Demo, stored: Session) -> None:
    for row in stored.scalars(select(Source)):
        if row.kind == "file":
            continue
        preset = PRESETS.get(row.mapping.get("preset", ""))
        if preset is not None:
            (lead,) = reader_of(row, preset.sample_type, test=True)(preset.sample.encode())
            assert lead["customer"], row.code


def test_every_source_that_brings_leads_has_a_pace(stored: Session) -> None:
    sources = stored.scalars(select(Source)).all()
    health = health_of(stored, sources, WEDNESDAY)
    brought = set(stored.scalars(select(Lead.source_id).where(Lead.created_at > WEDNESDAY - MONTH)))
    assert {row.id for row in sources if health[row.id].last_at is not None} >= brought
    assert len(brought) > len(sources) // 2


def test_no_page_is_empty(stored: Session) -> None:
    counts = Counter(
        (market, status)
        for market, status in stored.execute(
            select(Market.code, Lead.status).join(Market, Market.id == Lead.market_id)
        )
    )
    for market in MARKETS:
        for status in Status:
            if status != Status.RECEIVED:
                assert counts[market.code, status] > 0, (market.code, status)
    assert counts.total() >= LEADS
    assert stored.scalar(select(func.count()).select_from(Intake)) >= 6  # type: ignore[operator]


def test_people_who_log_in_have_something_to_do(demo: Demo, stored: Session) -> None:
    for account in demo.facts.accounts:
        if account.role != "agent":
            continue
        offers = stored.scalars(
            select(Offer)
            .join(Dealer, Dealer.id == Offer.dealer_id)
            .where(Dealer.code == account.dealer, Offer.state == "open")
        ).all()
        assert len(offers) >= 3, account.dealer
    due = stored.scalars(select(PlannedAction.due_at).where(PlannedAction.done_at.is_(None)))
    days = Counter((each - WEDNESDAY.replace(hour=0, minute=0)).days for each in due)
    assert days[0] > 0
    assert days[1] > 0


def test_figures_agree_with_one_another(stored: Session) -> None:
    held = Counter(
        stored.scalars(
            select(Lead.dealer_id).where(Lead.status.in_(sorted(WITH_DEALER - {Status.RESTING})))
        )
    )
    received = Counter(stored.scalars(select(Offer.dealer_id)))
    for load in stored.scalars(select(DealerLoad)):
        assert load.open_used == held.pop(load.dealer_id, 0)
        assert load.received == received[load.dealer_id]
        assert load.day_used <= load.month_used <= load.received
    assert not held
    references = stored.scalars(select(Lead.reference)).all()
    assert len(set(references)) == len(references)


def test_histories_follow_the_road(stored: Session) -> None:
    for lead in stored.scalars(select(Lead)):
        steps = [
            lead.created_at,
            lead.offered_at if lead.accepted_at else None,
            lead.accepted_at,
            lead.contacted_at,
            lead.closed_at,
        ]
        told = [at for at in steps if at is not None]
        assert told == sorted(told), lead.reference
        assert told[-1] <= WEDNESDAY
    unordered = stored.scalar(
        text(
            "SELECT count(*) FROM (SELECT at, lag(at) OVER (PARTITION BY lead_id ORDER BY id)"
            " AS before FROM event) AS e WHERE at < before"
        )
    )
    assert unordered == 0


def test_the_past_wakes_nobody(stored: Session) -> None:
    assert stored.scalar(select(func.count()).select_from(Message)) == 0
    assert pipeline.due_leads(stored, WEDNESDAY) == []
    for lead in stored.scalars(select(Lead)):
        assert (lead.next_action_at is None) == (lead.status in CLOSED), lead.status
        if lead.status == Status.OFFERED:
            offer = stored.scalars(
                select(Offer).where(Offer.lead_id == lead.id, Offer.state == "open")
            ).one()
            assert lead.next_action_at is not None
            assert WEDNESDAY < lead.next_action_at <= offer.expires_at
    offered = stored.scalar(select(func.count(Lead.id)).where(Lead.status == Status.OFFERED))
    open_offers = stored.scalar(select(func.count(Offer.id)).where(Offer.state == "open"))
    assert offered == open_offers


def test_decisions_are_real_and_can_be_read_again(stored: Session) -> None:
    rows = stored.scalars(select(RoutingDecision).order_by(RoutingDecision.id.desc()).limit(200))
    hows: Counter[str | None] = Counter()
    for row in rows:
        decision = Decision.from_json({**row.result, "lead": row.inputs})
        assert decision.chosen_id == row.dealer_id
        assert decision.at == row.at
        hows[decision.how] += 1
    assert {"nearest", "preferred"} <= hows.keys()
    waiting = stored.scalars(
        select(Lead.id).where(Lead.status.in_(sorted(WITH_DEALER | QUEUES - {"incomplete"})))
    ).all()
    explained = set(stored.scalars(select(RoutingDecision.lead_id)))
    located = set(
        stored.scalars(select(Lead.id).where(Lead.location_method != "", Lead.email != ""))
    )
    assert set(waiting) & located <= explained


def test_the_demo_goes_on_from_here(demo: Demo, stored: Session) -> None:
    """A real worker takes over: an offer whose time runs out goes to the next dealer."""
    lead = stored.scalars(
        select(Lead)
        .where(Lead.status == Status.OFFERED, Lead.preferred_dealer != "")
        .order_by(Lead.next_action_at)
    ).first()
    assert lead is not None
    first = lead.dealer_id
    let_pass(demo.sessions, stored, lead)
    stored.expire_all()
    again = stored.get_one(Lead, lead.id)
    assert again.status == Status.OFFERED
    assert again.dealer_id != first


def test_what_it_made_is_kept_for_the_owner_alone(demo: Demo) -> None:
    path = demo.settings.demo_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    plain = json.loads(path.read_text())
    assert list(plain) == ["base_url", "accounts", "sources", "forms"]
    assert list(plain["accounts"][0]) == ["email", "password", "role", "dealer", "market"]
    assert list(plain["sources"][0]) == ["code", "kind", "key", "market", "needs"]
    assert plain["forms"][0] == {
        "code": "pl-contact",
        "url": "https://leads.example/forms/pl-contact",
    }
    assert describe(demo.settings) == demo.facts


def test_filling_twice_changes_nothing(demo: Demo, stored: Session) -> None:
    before = stored.scalar(select(func.count(Lead.id)))
    assert fill(demo.sessions, demo.settings, at=WEDNESDAY + timedelta(days=1)) == demo.facts
    assert stored.scalar(select(func.count(Lead.id))) == before


def test_a_seed_decides_all_but_the_secrets(
    demo: Demo, server: embedded.EmbeddedServer, with_places: str, tmp_path: Path
) -> None:
    with _filled(server, with_places, tmp_path, seed=7) as again:
        assert _told(again) == _told(demo)
        secrets = {account.password for account in demo.facts.accounts}
        assert secrets.isdisjoint(account.password for account in again.facts.accounts)
        keys = {source.key for source in demo.facts.sources if source.key}
        assert keys.isdisjoint(source.key for source in again.facts.sources)

        # Whoever loses the file gets new secrets for the same people and sources.
        again.settings.demo_file.unlink()
        renewed = fill(again.sessions, again.settings, at=WEDNESDAY)
        assert [(a.email, a.role, a.dealer, a.market) for a in renewed.accounts] == [
            (a.email, a.role, a.dealer, a.market) for a in again.facts.accounts
        ]
        account, source = renewed.accounts[0], renewed.sources[0]
        assert account.password not in secrets
        with again.sessions() as session:
            act_as(session, SYSTEM)
            user = session.scalars(select(User).where(User.email == account.email)).one()
            assert PasswordHasher().verify(user.password or "", account.password)
            assert source_of_key(session, f"Bearer {source.key}", source.kind) is not None


def _told(demo: Demo) -> list[object]:
    """The network and the leads as they arrived; what became of them goes on changing."""
    with demo.sessions() as session:
        act_as(session, SYSTEM)
        dealers = session.execute(
            select(Dealer.code, DealerTerms.name, DealerTerms.lat, DealerTerms.hours)
            .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
            .order_by(Dealer.code)
        ).all()
        leads = session.execute(
            select(Lead.id, Lead.reference, Lead.full_name, Lead.points, Lead.contacted_at)
            .join(Customer, Customer.id == Lead.customer_id)
            .order_by(Lead.id)
        ).all()
        return [dealers, leads]


def test_it_keeps_away_from_other_data(sessions: SessionFactory, settings: Settings) -> None:
    with pytest.raises(DemoRefused):
        fill(sessions, settings, at=WEDNESDAY)
    assert describe(settings) is None
