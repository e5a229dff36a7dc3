"""The brand's site of the demo: another origin, the strictest policy, nothing without the demo."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.demosite.origin import site_origin
from lmt.models import Form, User

SITE = "http://127.0.0.1"
"""The other name of http://localhost, where the application of these tests stands."""


@pytest.fixture
def demo(session: Session, cast: dict[str, User]) -> Form:
    cast["hana"].demo = True
    form = session.scalars(select(Form).where(Form.code == "contact-pl")).one()
    form.origins = [SITE]
    session.commit()
    return form


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://localhost:8000"),
        ("http://localhost", "http://127.0.0.1"),
        ("http://[::1]:8000", "http://localhost:8000"),
        ("https://leads.example", ""),
    ],
)
def test_the_site_is_this_machine_by_another_name(base_url: str, origin: str) -> None:
    assert site_origin(base_url) == origin


def test_without_the_demo_there_is_no_site(client: FlaskClient) -> None:
    assert client.get("/demo/site", base_url=SITE).status_code == 404


def test_a_site_whose_form_may_not_stand_there_is_none(
    client: FlaskClient, session: Session, demo: Form
) -> None:
    demo.origins = []
    session.commit()
    assert client.get("/demo/site", base_url=SITE).status_code == 404


def test_embeds_are_shown_at_work_on_another_origin(client: FlaskClient, demo: Form) -> None:
    answer = client.get("/demo/site?lang=en")
    assert (answer.status_code, answer.location) == (302, f"{SITE}/demo/site?lang=en")


@pytest.mark.parametrize("language", ["pl", "en"])
def test_every_page_embeds_the_form_under_the_strictest_policy(
    client: FlaskClient, demo: Form, language: str
) -> None:
    ways = {
        "": f"//script[@src='http://localhost/embed/contact-pl.js?lang={language}']",
        "/frame": f"//iframe[@src='http://localhost/embed/contact-pl?lang={language}']",
        "/link": f"//a[starts-with(@href, 'http://localhost/forms/contact-pl?lang={language}')]",
        "/offer": "//script[@src='http://localhost/embed/visit.js']",
    }
    for address, embed in ways.items():
        answer = client.get(f"/demo/site{address}?lang={language}", base_url=SITE)
        page = html.fromstring(answer.text)
        assert (answer.status_code, page.get("lang")) == (200, language), address
        assert page.xpath(embed), address
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not page.xpath("//script[not(@src)]"), "the policy lets none run"
        assert not page.xpath("//*[@style]")
