"""Headquarters' page of calendars: what was found, which days are ahead, and setting them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.hq.calendars import AHEAD as SHOWN_AHEAD
from lmt.models import DealerTerms, SpecialHours, User
from lmt.models.validity import since
from tests.world import PASSWORD, World

Enter = Callable[[str], FlaskClient]
NOW = datetime.now(UTC)
AHEAD = NOW.date() + SHOWN_AHEAD / 2


@pytest.fixture
def enter(
    app: Flask,
    session: Session,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> Enter:
    """A browser in which a person is logged in; `ada` is the administrator."""
    ada = create_user(
        session, "ada@lmt.example", "Ada", PASSWORD,
        roles=["administrator"], scopes=[Scope()], language="en", timezone="UTC",
    )  # fmt: skip
    session.commit()
    return lambda name: login(app.test_client(), {**cast, "ada": ada}[name])


def _entered(session: Session) -> list[SpecialHours]:
    session.expire_all()
    rows = select(SpecialHours).where(SpecialHours.holds_at(datetime.now(UTC)))
    return list(session.scalars(rows.order_by(SpecialHours.starts_on)))


def test_headquarters_sees_its_market_and_what_is_wrong(
    enter: Enter, session: Session, world: World
) -> None:
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers["PL-WAW-2"])
    ).one()
    terms.hours = "Mo-Fr 9.00-17.00"
    session.commit()
    hana = enter("hana")
    page = hana.get("/hq/calendars").text
    assert "Aurel Wola" in page
    assert "Do you mean “Mo-Fr 09:00-17:00”?" in page
    assert "Mo-Fr 09:00-18:00; PH off" in page  # a Polish desk's hours
    assert "Saudi Arabia" not in page
    assert hana.get("/hq/calendars?market=GULF").status_code == 404
    assert "Enter special days" in page
    # The call centre sees the days, headquarters changes them.
    cem = enter("cem")
    assert "Enter special days" not in cem.get("/hq/calendars").text
    for address in ("/hq/calendars/PL/days", "/hq/calendars/PL/pack"):
        assert cem.post(address, data={}).status_code == 403


def test_agents_and_strangers_stay_outside(enter: Enter, client: FlaskClient) -> None:
    assert enter("anna").get("/hq/calendars").status_code == 403
    assert client.get("/hq/calendars").status_code == 302


def test_an_administrator_enters_ramadan_and_adjusts_it(
    enter: Enter, session: Session, world: World
) -> None:
    ada = enter("ada")
    page = ada.get("/hq/calendars?market=GULF").text
    assert "Ramadan has no hours of its own in Saudi Arabia" in page
    answer = ada.post("/hq/calendars/GULF/pack", data={"country": "SA"}, follow_redirects=True)
    assert "Ramadan has no hours of its own in Saudi Arabia" not in answer.text
    first = _entered(session)[0]
    form = ada.get(f"/hq/calendars/GULF/days?row={first.id}").text
    assert first.starts_on.isoformat() in form
    values = {
        "row": first.id,
        "country": first.country,
        "first": (first.starts_on + timedelta(days=1)).isoformat(),
        "last": first.ends_on.isoformat(),
        "hours": "Su-Th 11.00-15.00",
        "name": "ramadan",
    }
    # Sloppy hours are offered in corrected form and saved only when that is chosen.
    refused = ada.post("/hq/calendars/GULF/days", data=values)
    assert refused.status_code == 422
    assert "Su-Th 11:00-15:00" in refused.text
    assert _entered(session)[0].hours != "Su-Th 11:00-15:00"
    saved = ada.post("/hq/calendars/GULF/days", data={**values, "suggested": "Su-Th 11:00-15:00"})
    assert saved.status_code == 302
    changed = _entered(session)[0]
    assert (changed.hours, changed.starts_on) == (
        "Su-Th 11:00-15:00",
        first.starts_on + timedelta(days=1),
    )
    again = ada.post("/hq/calendars/GULF/pack", data={"country": "SA"}, follow_redirects=True)
    assert "nothing was changed" in again.text
    ada.post(f"/hq/calendars/GULF/days/{changed.id}/end")
    assert changed.id not in {row.id for row in _entered(session)}


def test_days_ahead_show_holidays_and_special_days(
    enter: Enter, session: Session, world: World
) -> None:
    session.add(
        SpecialHours(
            market_id=world.markets["PL"], country="PL", starts_on=AHEAD, ends_on=AHEAD,
            hours="10:00-12:00", name="Inventory <day>", valid=since(NOW - timedelta(days=1)),
        )
    )  # fmt: skip
    session.commit()
    page = enter("hana").get("/hq/calendars").text
    assert "Inventory &lt;day&gt;" in page
    assert "10:00-12:00" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": "yesterday"}, "Enter a date."),
        ({"last": ""}, "Enter a date."),
        ({"last": "2020-01-01"}, "before the first"),
        ({"hours": ""}, "missing"),
        ({"hours": "when we like"}, "cannot be read"),
        ({"name": "x" * 101}, "too long"),
    ],
)
def test_a_form_that_cant_be_kept_says_why(
    enter: Enter, session: Session, change: dict[str, str], words: str
) -> None:
    values = {
        "country": "PL",
        "first": AHEAD.isoformat(),
        "last": AHEAD.isoformat(),
        "hours": "10:00-12:00",
        "name": "Inventory",
    }
    ada = enter("ada")
    answer = ada.post("/hq/calendars/PL/days", data={**values, **change})
    assert answer.status_code == 422
    assert words in answer.text
    assert _entered(session) == []
    assert ada.post("/hq/calendars/PL/days", data=values).status_code == 302
    assert [row.starts_on for row in _entered(session)] == [AHEAD]


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("/hq/calendars/XX/pack", {"country": "PL"}),
        ("/hq/calendars/PL/pack", {"country": "SA"}),
        ("/hq/calendars/PL/days/1/end", {}),
        ("/hq/calendars/PL/days", {"row": "1"}),
        (
            "/hq/calendars/PL/days",
            {"country": "SA", "first": "2027-01-01", "last": "2027-01-01", "hours": "off"},
        ),
    ],
)
def test_what_isnt_there_is_not_found(enter: Enter, address: str, data: dict[str, str]) -> None:
    assert enter("ada").post(address, data=data).status_code == 404
