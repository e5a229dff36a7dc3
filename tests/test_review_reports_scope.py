"""Reports tell nobody more than they may read: names, mails, files, charts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline, savedreports
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import (
    Campaign,
    Dealer,
    DealerGroup,
    DealerTerms,
    Lead,
    Message,
    ReportSchedule,
    User,
)
from lmt.notify import outbox
from lmt.reports import charts, drawing, export
from lmt.reports.mailing import mail_due
from lmt.reports.refresh import refresh
from lmt.reports.reportmail import makers
from lmt.scope import SYSTEM, act_as, actor_of
from tests import reportanswers
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

NINE = FRIDAY + timedelta(hours=1, minutes=5)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
As = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with time_machine.travel(NINE, tick=False):
        yield


@pytest.fixture
def as_(
    app: Any, cast: dict[str, User], login: Callable[..., FlaskClient]
) -> Callable[[str], FlaskClient]:
    return lambda name: login(app.test_client(), cast[name])


@pytest.mark.parametrize("who", ["bert", "hana"])
def test_an_address_names_nobody_out_of_sight(
    session: Session, world: World, as_: As, cast: dict[str, User], who: str
) -> None:
    """Filters and cells that name what belongs to others are told by their code alone."""
    gulf = world.markets["GULF"]
    group = DealerGroup(code="secret-group", name="Hidden Houses")
    session.add_all(
        [
            Campaign(
                code="secret", market_id=gulf, name="Hidden Ramadan", utm_campaign="s",
                starts_on=FRIDAY,
            ),
            group,
        ]
    )  # fmt: skip
    session.flush()
    session.get_one(Dealer, world.dealers["SA-RUH-1"]).group_id = group.id
    session.commit()
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers["SA-RUH-1"])
    ).first()
    assert terms is not None
    hidden = ["Hidden Ramadan", "Hidden Houses", terms.name, cast["omar"].name + "<"]
    client = as_(who)
    filters = {
        "campaign": "secret", "group": "secret-group", "dealer": "SA-RUH-1",
        "colleague": str(cast["omar"].id),
    }  # fmt: skip
    for code, key in filters.items():
        for address, asked in (
            ("show", {code: key}),
            ("leads", {"rows": code, "row": key, "figure": "leads"}),
            ("file.csv", {code: key}),
        ):
            page = client.get(f"/reports/{address}", query_string={**MARCH, **asked})
            assert page.status_code == 200, (address, asked)
            if address == "file.csv" or code != "colleague":
                assert not [name for name in hidden[:3] if name in page.text], (address, asked)
            else:
                # The reader's own name is not Omar's.
                assert cast["omar"].name not in page.text, (address, asked)
    seen = as_("omar").get("/reports/show", query_string={**MARCH, "campaign": "secret"})
    assert "Hidden Ramadan" in seen.text


ODD = (
    ("colleague", "x"), ("colleague", "\u0663"), ("hour", "x"),
    ("month", "2026-99"), ("week", "' OR 1=1 --"), ("group", "%00"),
)  # fmt: skip


def test_keys_that_are_none_are_told_as_they_are(world: World, as_: As) -> None:
    hana = as_("hana")
    for code, key in ODD:
        for address, asked in (("show", {code: key}), ("leads", {"rows": code, "row": key})):
            found = hana.get(f"/reports/{address}", query_string={**MARCH, **asked})
            assert found.status_code == 200, (address, asked)


def test_a_mailed_report_is_its_readers_and_the_centres(
    sessions: SessionFactory, session: Session, settings: Settings, world: World,
    cast: dict[str, User], as_: As,
) -> None:  # fmt: skip
    """What omar is mailed of all markets is not for hana, who reads the outbox of one."""
    act_as(session, SYSTEM)
    for name in ("omar", "hana"):
        actor = actor_of(cast[name])
        report = savedreports.keep(
            act_as(session, actor), f"Board of {name}", {"rows": "market"}, at=FRIDAY, actor=actor
        )
        session.add(
            ReportSchedule(
                report_id=report.id, user_id=cast[name].id, every="day", minute=480,
                timezone="UTC", recipients=[cast[name].id], next_at=FRIDAY, created_at=FRIDAY,
            )
        )  # fmt: skip
        session.commit()
    act_as(session, SYSTEM)
    assert mail_due(sessions, settings, NINE) == 2
    assert outbox.send_due(sessions, settings, NINE, makers(sessions)) == 2
    markets = set(session.scalars(select(Message.market_id)))
    assert markets == {min(world.markets.values())}
    addresses = cast["hana"].email, cast["omar"].email
    for path in ("/hq/mailbox", "/hq/outbox"):
        shown = {
            name: [each in as_(name).get(path).text for each in addresses]
            for name in ("hana", "omar")
        }
        assert shown == {"hana": [True, False], "omar": [True, True]}, path


def test_a_stub_behind_a_number_has_nothing_of_the_person(
    sessions: SessionFactory, session: Session, world: World, cast: dict[str, User], as_: As
) -> None:
    """On the page and in both files, for whoever was once offered the lead."""
    person = somebody()
    lead: Lead = send(session, "api-pl", warsaw_lead(**person, full_name="Zofia Hidden"), FRIDAY)
    pipeline.advance(sessions, lead.id, FRIDAY)
    session.expire_all()
    pipeline.decline(
        session, lead.id, reason="no_capacity", at=FRIDAY, actor=actor_of(cast["anna"])
    )
    act_as(session, SYSTEM)
    reference = session.get_one(Lead, lead.id).reference
    refresh(sessions, NINE)
    for address in ("leads", "leads.csv"):
        found = as_("bert").get(
            f"/reports/{address}", query_string={**MARCH, "rows": "dealer", "figure": "offers"}
        )
        assert reference in found.text, address
        for told in ("Zofia", person.get("email", "@"), person.get("phone", "+48"), "PL-WAW-2"):
            if told not in ("@",):
                assert told not in found.text, (address, told)


HOSTILE = (
    "<script>alert(1)</script>", "datum.x + 1", "signal('width')", "=HYPERLINK(\"http://x\")",
    "javascript:alert(1)", "a.b[0]", "</svg><image href='http://127.0.0.1:9/x'/>",
    "data:image/svg+xml,<svg/>", "{{7*7}}", "'; DROP TABLE lead; --", "@SUM(1)", "a\\.b",
)  # fmt: skip


def test_names_are_names_in_every_drawing_and_file() -> None:
    answer = reportanswers.answer(HOSTILE[:8], HOSTILE[8:])

    def names(code: str, key: str) -> str:
        return key

    for kind in ("", "bar", "line", "heat"):
        try:
            spec = charts.chart_of(answer, theme="light", kind=kind, names=names)
        except (KeyError, ValueError):
            continue
        told = json.dumps(spec)
        # No name is ever an expression, an address to load from or to go to.
        for mark in ('"signal"', '"href"', '"url"'):
            assert mark not in told, (kind, mark)
        # Expressions are ours, of widths alone.
        ours = r"width|(max|min)\(width( \* 3)? / 4, (width - )?\d+\)"
        for expression in re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', told):
            assert re.fullmatch(ours, expression), (kind, expression)
        drawn = drawing.svg(spec, charts.number_format())
        assert "<script" not in drawn
        assert "<image" not in drawn
    lines = list(export.csv_lines(answer))
    for line in lines[1:]:
        for cell in line.rstrip("\r\n").split(","):
            assert not cell.strip('"').startswith(("=", "@", "+")), line
