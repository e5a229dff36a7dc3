"""Sources and campaigns as settings: what each verb keeps, refuses, tells once and writes down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import campaigning, sources
from lmt.campaigning import BadCampaign, CampaignTerms
from lmt.ingest.defaults import with_defaults
from lmt.ingest.keys import source_of_key
from lmt.models import Campaign, SettingChange, Source, User
from lmt.scope import Actor, actor_of
from lmt.sealing import unseal
from lmt.sources import BadSource, NotNow
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MAPPING = {
    "preset": "",
    "lines": [
        {"target": "customer.full_name", "paths": ["who"]},
        {"target": "customer.phone", "paths": ["mobile", "home"]},
    ],
}


@pytest.fixture
def hana(cast: dict[str, User]) -> Actor:
    return actor_of(cast["hana"])


def terms(world: World, **others: Any) -> dict[str, Any]:
    return {"name": "Spring form", "market_id": world.markets["PL"], **others}


SERVER = {"host": "imap.brand.example", "user": "leads"}


def made(
    session: Session, world: World, actor: Actor, kind: str = "json", **others: Any
) -> tuple[Source, str | None]:
    given = {"code": "spring", "kind": kind, "at": NOW, "actor": actor, **terms(world, **others)}
    return sources.create_source(session, **given)


def opened(session: Session, key: str) -> str:
    """The code of the source that takes leads with this key."""
    found = source_of_key(session, f"Bearer {key}")
    return found.code if found is not None else ""


def history(session: Session, code: str = "spring") -> list[SettingChange]:
    rows = session.scalars(
        select(SettingChange).where(SettingChange.subject == code).order_by(SettingChange.id)
    )
    return list(rows)


def test_a_key_is_told_once_and_opens_its_source_alone(
    session: Session, world: World, hana: Actor
) -> None:
    source, key = made(session, world, hana)
    assert key is not None
    assert len(key) <= 50  # Google takes no longer one.
    assert opened(session, key) == source.code
    fresh = sources.new_key(session, source, NOW, hana)
    assert opened(session, key) == ""
    assert opened(session, fresh) == source.code
    written = "".join(str(row.before) + str(row.after) for row in history(session))
    assert key not in written
    assert fresh not in written
    assert source.version == 2


def test_kinds_whose_senders_show_a_key_get_one(
    session: Session, world: World, hana: Actor
) -> None:
    keyed = {
        kind
        for kind in sources.CREATABLE
        if made(
            session,
            world,
            hana,
            kind,
            code=kind.replace("_", "-"),
            settings=SERVER if kind == "mailbox" else {},
        )[1]
        is not None
    }
    assert set(sources.CREATABLE) - keyed == {"meta", "linkedin", "web_to_lead", "mailbox", "file"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"code": "Spring!"}, "code"),
    ({"code": "-spring"}, "code"),
    ({"code": "new"}, "code"),
    ({"code": "api-pl"}, "code"),
    ({"kind": "fax"}, "kind"),
    ({"country": "XX"}, "country"),
    ({"language": "klingonese"}, "language"),
    ({"brand_id": 99_999}, "brand_id"),
    ({"campaign_id": 99_999}, "campaign_id"),
    ({"market_id": 99_999}, "market_id"),
    ({"settings": {"redact": "no list"}}, "settings.redact"),
    ({"settings": {"signature": {"header": "no header!"}}}, "settings.signature.header"),
]


def test_what_cannot_be_kept_is_refused_at_its_field(
    session: Session, world: World, hana: Actor
) -> None:
    whole = {"code": "spring", "kind": "json", "at": NOW, "actor": hana, **terms(world)}
    for given, field in REFUSED:
        with pytest.raises(BadSource) as refused:
            sources.create_source(session, **{**whole, **given})
        session.rollback()
        assert list(refused.value.problems) == [field], given
        assert refused.value.problems[field], given
    assert session.scalars(select(Source).where(Source.code == "spring")).first() is None


def test_only_who_looks_after_the_whole_market_changes_its_sources(
    session: Session, world: World, cast: dict[str, User], hana: Actor
) -> None:
    with pytest.raises(BadSource) as refused:
        made(session, world, hana, market_id=world.markets["GULF"])
    assert list(refused.value.problems) == ["market_id"]
    session.rollback()
    source, _key = made(session, world, actor_of(cast["omar"]), market_id=world.markets["GULF"])
    for stranger in (hana, actor_of(cast["anna"]), actor_of(cast["cem"])):
        with pytest.raises(LookupError):
            sources.edited_source(session, source.code, stranger)
        with pytest.raises(LookupError):
            sources.pause(session, source, NOW, stranger)
        session.rollback()


def test_a_change_is_noted_with_its_author_and_only_what_differs(
    session: Session, world: World, hana: Actor
) -> None:
    source, _key = made(session, world, hana)
    changed = sources.change_source(
        session, source, {"country": "PL", "name": "Spring form"}, NOW, hana, seen=1
    )
    assert changed == ("country",)
    assert source.version == 2
    last = history(session)[-1]
    assert (last.user_id, last.at) == (hana.user_id, NOW)
    assert (last.before, last.after) == ({"country": ""}, {"country": "PL"})
    assert sources.change_source(session, source, {"country": "PL"}, NOW, hana) == ()
    assert source.version == 2
    with pytest.raises(NotNow):
        sources.change_source(session, source, {"country": "DE"}, NOW, hana, seen=1)


def test_a_mapping_is_kept_as_checked(session: Session, world: World, hana: Actor) -> None:
    source, _key = made(session, world, hana)
    assert sources.change_source(session, source, {"mapping": MAPPING}, NOW, hana) == ("mapping",)
    assert source.mapping == MAPPING


def test_pausing_going_on_and_ending(session: Session, world: World, hana: Actor) -> None:
    source, key = made(session, world, hana)
    with pytest.raises(NotNow):
        sources.resume(session, source, NOW, hana)
    session.rollback()
    sources.pause(session, source, NOW, hana)
    assert source.paused_at == NOW
    with pytest.raises(NotNow):
        sources.pause(session, source, NOW, hana)
    session.rollback()
    sources.resume(session, source, NOW, hana)
    assert source.paused_at is None
    sources.retire(session, source, NOW, hana)
    assert not source.active
    assert key is not None
    assert opened(session, key) == ""
    with pytest.raises(NotNow):
        sources.retire(session, source, NOW, hana)
    session.rollback()
    sources.resume(session, source, NOW, hana)
    assert source.active
    told = [row.after.get("state") for row in history(session)[1:]]
    assert told == ["paused", "runs", "retired", "runs"]


def test_a_secret_is_sealed_and_never_told(session: Session, world: World, hana: Actor) -> None:
    source, _key = made(session, world, hana, "meta")

    def keep(name: str, plain: str) -> None:
        sources.set_secret(session, source, name, plain, "installation's own", NOW, hana)

    keep("app_secret", "hush-hush")
    assert unseal("installation's own", source.secrets["app_secret"]) == "hush-hush"
    keep("app_secret", "other")
    keep("app_secret", "")
    assert source.secrets == {}
    told = [row.after.get("app_secret") for row in history(session)[1:]]
    assert told == ["set", "set_anew", "not_set"]
    assert "hush" not in str([(row.before, row.after) for row in history(session)])
    with pytest.raises(LookupError):
        keep("client_secret", "of another kind")
    session.rollback()
    with pytest.raises(BadSource):
        keep("app_secret", "two\nlines")


def test_a_token_is_forgotten_when_another_host_is_to_get_it(
    session: Session, world: World, hana: Actor
) -> None:
    source, _key = made(session, world, hana, "meta")
    for name in ("access_token", "app_secret"):
        sources.set_secret(session, source, name, "hush", "installation's own", NOW, hana)
    sources.change_source(session, source, {"name": "Meta, renamed"}, NOW, hana)
    assert set(source.secrets) == {"access_token", "app_secret"}
    elsewhere = {**source.settings, "graph_url": "https://graph.elsewhere.example"}
    sources.change_source(session, source, {"settings": elsewhere}, NOW, hana)
    assert set(source.secrets) == {"app_secret"}
    assert history(session)[-1].after["access_token"] == "not_set"


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        ({}, {"request": {"type": "quote"}}),
        ({"request": {"model": "Mira"}}, {"request": {"model": "Mira", "type": "quote"}}),
        ({"request": {"type": ""}}, {"request": {"type": "quote"}}),
        ({"request": {"type": "parts"}}, {"request": {"type": "parts"}}),
        ({"request": "odd"}, {"request": "odd"}),
    ],
)
def test_defaults_stand_only_where_nothing_is_given(
    lead: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = repr(lead)
    assert with_defaults(lead, {"request.type": "quote"}) == expected
    assert repr(lead) == before


def campaign(world: World, **others: Any) -> CampaignTerms:
    given: dict[str, Any] = {
        "code": "spring-drive",
        "name": "Spring drive",
        "market_id": world.markets["PL"],
        "brand_id": world.brand_id,
        "starts_on": date(2026, 3, 1),
        "ends_on": date(2026, 3, 31),
        "utm_source": "google",
        "utm_campaign": "spring*",
        "platform_ids": ("google:campaign:77", "meta:5501"),
        "cost": Decimal("12500.00"),
        "currency": "PLN",
    }
    return CampaignTerms(**{**given, **others})


def test_a_campaign_is_kept_and_changed_with_its_history(
    session: Session, world: World, hana: Actor
) -> None:
    row = campaigning.create_campaign(session, campaign(world), NOW, hana)
    assert row.platform_ids == ["google:campaign:77", "meta:5501"]
    dearer = campaign(world, cost=Decimal("13000.00"))
    assert campaigning.change_campaign(session, row, dearer, NOW, hana)
    assert not campaigning.change_campaign(session, row, dearer, NOW, hana)
    last = history(session, "spring-drive")[-1]
    assert (last.before, last.after) == ({"cost": "12500.00"}, {"cost": "13000.00"})


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"code": "Spring Drive"}, "code"),
    ({"ends_on": date(2026, 2, 1)}, "ends_on"),
    ({"platform_ids": ("991214827",)}, "platform_ids"),
    ({"platform_ids": ("google:campaign:ad:7",)}, "platform_ids"),
    ({"cost": Decimal(-1)}, "cost"),
    ({"currency": None}, "currency"),
    ({"brand_id": 99_999}, "brand_id"),
]


def test_a_campaign_that_contradicts_itself_is_refused_at_its_field(
    session: Session, world: World, hana: Actor
) -> None:
    for given, field in CONTRADICTIONS:
        with pytest.raises(BadCampaign) as refused:
            campaigning.create_campaign(session, campaign(world, **given), NOW, hana)
        session.rollback()
        assert list(refused.value.problems) == [field], given


RIVALS: list[tuple[dict[str, Any], str]] = [
    ({}, "platform_ids"),
    ({"platform_ids": ("google:77",), "utm_campaign": "other"}, "platform_ids"),
    ({"platform_ids": ("META:5501",), "utm_campaign": "other"}, "platform_ids"),
    ({"platform_ids": ("google:ad:77",), "utm_campaign": "other"}, ""),
    ({"platform_ids": (), "utm_campaign": "SPRING*"}, "utm_campaign"),
    ({"platform_ids": (), "utm_campaign": "spring"}, ""),
    ({"platform_ids": (), "utm_source": "", "utm_campaign": ""}, ""),
    ({"starts_on": date(2026, 3, 31), "ends_on": None}, "platform_ids"),
    ({"starts_on": date(2026, 4, 1), "ends_on": None}, ""),
    ({"starts_on": date(2026, 1, 1), "ends_on": date(2026, 2, 28)}, ""),
    ({"brand_id": None}, "platform_ids"),
]
"""Another campaign, and the field at which it is refused; "" where both may be."""


def test_two_campaigns_never_wait_for_the_same_lead(
    session: Session, world: World, hana: Actor
) -> None:
    campaigning.create_campaign(session, campaign(world), NOW, hana)
    for given, field in RIVALS:
        rival = campaign(world, **{"code": "rival", "name": "Rival", **given})
        if not field:
            row = campaigning.create_campaign(session, rival, NOW, hana)
            session.delete(row)
            session.commit()
            continue
        with pytest.raises(BadCampaign) as refused:
            campaigning.create_campaign(session, rival, NOW, hana)
        session.rollback()
        assert "Spring drive" in refused.value.problems[field], given
    assert session.scalars(select(Campaign).where(Campaign.code == "rival")).first() is None
