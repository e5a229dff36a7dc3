"""Headquarters' rules: ordered, tried on leads, published whole, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.config import LOCALES
from lmt.i18n import reading
from lmt.labels import LABELS, label
from lmt.models import Lead, Rule, User
from lmt.qualify.defaults import DEFAULT_RULES
from lmt.qualify.service import qualify_lead
from lmt.ruleedit import RuleTerms, rule_problems
from tests.world import World, somebody

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]
MIRA = {
    "name": "Mira wishes", "field.0": "model", "operator.0": "is", "values.0": "Mira",
    "points": "30", "tags": "mira", "service": "fleet", "active": "yes",
}  # fmt: skip


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def seen(client: FlaskClient, address: str = "/hq/rules/PL/new") -> str:
    found = re.search(r'name="seen" value="([^"]+)"', client.get(address).text)
    assert found is not None
    return found[1]


def names(session: Session, market_id: int | None) -> list[str]:
    rows = select(Rule.name).where(Rule.market_id == market_id).order_by(Rule.position)
    if market_id is None:
        rows = select(Rule.name).where(Rule.market_id.is_(None)).order_by(Rule.position)
    return list(session.scalars(rows))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (RuleTerms("", (), {"points": 1}), "name"),
        (RuleTerms("x", ({"field": "shoe size", "is": "44"},), {"points": 1}), "when.0"),
        (RuleTerms("x", ({"field": "model", "in": []},), {"points": 1}), "when.0"),
        (RuleTerms("x", ({"field": "model"},), {"points": 1}), "when.0"),
        (RuleTerms("x", (), {}), "then"),
        (RuleTerms("x", (), {"points": 10_000}), "then.points"),
        (RuleTerms("x", (), {"request_type": "No Slug"}), "then.request_type"),
    ],
    ids=["no-name", "no-such-field", "no-values", "no-operator", "no-effect", "points", "type"],
)
def test_a_bad_rule_is_told_at_its_field(rule: RuleTerms, field: str) -> None:
    assert field in rule_problems(rule)


def test_a_rule_is_tried_before_it_is_published(
    enter: Enter, session: Session, world: World, sent_lead: Callable[..., Lead]
) -> None:
    lead, other = sent_lead(), sent_lead(**somebody())
    for each in (lead, other):
        qualify_lead(session, each)
    other.model = "Lyra"
    session.commit()
    client = enter("hana")
    mark = seen(client)
    tried = client.post("/hq/rules/PL/new", data={**MIRA, "seen": mark, "do": "try"}).text
    assert "The rule holds for 1 of 2 leads." in tried
    assert "1 lead would change." in tried
    assert lead.reference in tried
    assert other.reference not in tried
    assert "Fleet" in tried
    one = client.post(
        "/hq/rules/PL/new",
        data={**MIRA, "seen": mark, "do": "try", "reference": other.reference.lower()},
    ).text
    assert "The rule holds for 0 of 1 leads." in one
    assert names(session, world.markets["PL"]) == []


def test_a_market_gets_its_own_set_by_its_first_change(
    enter: Enter, session: Session, world: World, sent_lead: Callable[..., Lead]
) -> None:
    client = enter("hana")
    own, default = world.markets["PL"], [name for name, _when, _then in DEFAULT_RULES]
    assert "goes by the default set" in client.get("/hq/rules?market=PL").text
    published = client.post(
        "/hq/rules/PL/new", data={**MIRA, "seen": seen(client)}, follow_redirects=True
    )
    assert names(session, own) == [*default, "Mira wishes"]
    assert names(session, None) == default
    lead = sent_lead()
    qualify_lead(session, lead)
    assert lead.service == "fleet"
    assert "mira" in lead.tags
    session.rollback()
    # Taken back: the market has none of its own again.
    found = re.search(r'action="(/hq/history/\d+/undo)"', published.text)
    assert found is not None
    client.post(found[1])
    assert names(session, own) == []


def test_shipped_rules_are_named_in_the_readers_language(
    enter: Enter, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for locale in LOCALES:
        with reading(locale, "UTC"):
            shown = {name: label("rule", name) for name, _when, _then in DEFAULT_RULES}
        assert set(shown) == set(LABELS["rule"])
        assert len(set(shown.values())) == len(shown), locale
    monkeypatch.setitem(LABELS["rule"], "soon", "bald")
    client, place = enter("omar"), list(LABELS["rule"]).index("soon")
    assert "bald" in client.get("/hq/rules?market=*").text
    assert 'value="bald"' in client.get(f"/hq/rules/*/{place}").text
    given = {"name": "bald", "field.0": "timeframe", "operator.0": "contains", "values.0": "now"}
    mark = seen(client, f"/hq/rules/*/{place}")
    client.post(
        f"/hq/rules/*/{place}", data={**given, "points": "9", "active": "yes", "seen": mark}
    )
    rule = session.scalars(select(Rule).where(Rule.position == place)).one()
    assert (rule.name, rule.then) == ("soon", {"points": 9})
    # It is told by that name in the history, too.
    assert "bald: timeframe" in unescape(client.get("/hq/history?kind=rules").text)


def test_rules_are_moved_switched_off_and_given_up(
    enter: Enter, session: Session, world: World
) -> None:
    client, own = enter("hana"), world.markets["PL"]

    def press(what: str) -> None:
        data = {"do": what, "seen": seen(client, "/hq/rules?market=PL")}
        assert client.post("/hq/rules/PL", data=data).status_code == 302
        session.expire_all()

    press("own")
    first, second, *_rest = names(session, own)
    press("down:0")
    assert names(session, own)[:2] == [second, first]
    press("off:0")
    assert (
        not session.scalars(select(Rule).where(Rule.name == second, Rule.market_id == own))
        .one()
        .active
    )
    press("delete:1")
    assert first not in names(session, own)
    stale = client.post("/hq/rules/PL", data={"do": "up:1", "seen": "old"}, follow_redirects=True)
    assert "meanwhile" in stale.text
    press("default")
    assert names(session, own) == []


def test_what_is_wrong_is_told_beside_it_and_nothing_is_lost(enter: Enter) -> None:
    client = enter("hana")
    given = {**MIRA, "name": "", "points": "many", "values.0": "", "operator.0": "in"}
    refused = client.post("/hq/rules/PL/new", data={**given, "seen": seen(client)})
    assert refused.status_code == 422
    for field in ("f-name", "f-points", "f-field-0"):
        assert f'id="{field}-error"' in refused.text
    more = client.post("/hq/rules/PL/new", data={**MIRA, "do": "more", "seen": seen(client)})
    assert more.status_code == 200
    assert 'value="Mira wishes"' in unescape(more.text)
    assert 'id="f-field-2"' in more.text


def test_rules_of_others_are_nobodys_business(enter: Enter) -> None:
    hana = enter("hana")
    for code in ("GULF", "*"):
        assert hana.get(f"/hq/rules?market={code}").status_code == 404
        assert hana.get(f"/hq/rules/{code}/0").status_code == 404
        assert hana.post(f"/hq/rules/{code}", data={"do": "delete:0"}).status_code == 404
        assert hana.post(f"/hq/rules/{code}/0", data=MIRA).status_code == 404
    assert enter("omar").get("/hq/rules/*/0").status_code == 200
    assert hana.get("/hq/rules/PL/9999").status_code == 404
    for name in ("anna", "cem"):
        assert enter(name).get("/hq/rules").status_code == 403
