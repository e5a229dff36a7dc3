"""Headquarters' pages: its market and no other, figures that lead somewhere, bounded queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.desk.timeline import story
from lmt.eventwords import event_words
from lmt.hq.correspondence import message_of
from lmt.hq.deliveries import bytes_shown, hex_dump
from lmt.hq.explain import in_words
from lmt.hq.filters import LeadFilter, Position, pattern, position
from lmt.hq.queues import REMEDIES, remedy
from lmt.i18n import reading
from lmt.labels import LABELS
from lmt.models import Event, Lead, Message, User
from lmt.notify.mailbox import keep_mail, list_mails
from tests.two_markets import NOW, TwoMarkets, counted_selects, parsed

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


@pytest.fixture
def enter(app: Flask, login: Login, house: TwoMarkets) -> Callable[[str], FlaskClient]:
    """A browser in which this person of the house is logged in."""

    def browser(name: str) -> FlaskClient:
        return login(app.test_client(), house.people[name])

    return browser


Enter = Callable[[str], FlaskClient]
PAGES = (
    "/hq/",
    "/hq/leads",
    "/hq/map",
    "/hq/queues/unrouted",
    "/hq/queues/unlocated",
    "/hq/queues/incomplete",
    "/hq/dealers",
    "/hq/policies",
    "/hq/contests",
    "/hq/intake",
    "/hq/outbox",
    "/hq/mailbox",
    "/reports/",
    "/reports/show",
    "/reports/leads",
)


@pytest.mark.parametrize("address", PAGES)
def test_headquarters_opens_every_page_and_an_agent_none(enter: Enter, address: str) -> None:
    assert enter("hana").get(address).status_code == 200
    assert enter("carla").get(address).status_code == 403


@pytest.mark.parametrize("address", PAGES)
def test_nobody_comes_in_without_logging_in(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_a_dealers_manager_reads_reports_and_nothing_else(enter: Enter) -> None:
    browser = enter("bert")
    allowed = [page for page in PAGES if browser.get(page).status_code == 200]
    assert allowed == ["/reports/", "/reports/show", "/reports/leads"]


def test_a_market_never_sees_anothers_lead(enter: Enter, house: TwoMarkets) -> None:
    own, other = house.lead(house.riyadh), house.lead(house.lodz)
    hana, omar = enter("hana"), enter("omar")
    page = hana.get("/hq/leads").text
    assert own.full_name in page
    assert other.full_name not in page
    assert other.full_name in omar.get("/hq/leads").text
    assert hana.get(f"/hq/leads/{own.id}").status_code == 200
    for address in (f"/hq/leads/{other.id}", f"/hq/leads/{uuid.uuid4()}"):
        assert hana.get(address).status_code == 404
    given = {"dealer": "two-lodz", "reason": "Mine now"}
    assert hana.post(f"/hq/leads/{other.id}/assign", data=given).status_code == 404
    withdrawn = hana.post(f"/hq/leads/{other.id}/withdraw", data={"reason": "no_lead"})
    assert withdrawn.status_code == 404
    assert enter("carla").get(f"/hq/leads/{own.id}").status_code == 403


def test_a_market_never_sees_anothers_mail_delivery_or_dealer(
    enter: Enter, house: TwoMarkets
) -> None:
    house.message(house.lead(house.riyadh), recipient="own@two.example")
    foreign = house.message(house.lead(house.lodz), recipient="foreign@two.example")
    intake = house.quarantined(house.poland, b"secret")
    hana = enter("hana")
    outbox = hana.get("/hq/outbox").text
    assert "own@two.example" in outbox
    assert "foreign@two.example" not in outbox
    assert hana.post(f"/hq/outbox/{foreign.id}/resend").status_code == 404
    assert hana.get(f"/hq/intake/{intake.id}").status_code == 404
    assert str(intake.id) not in hana.get("/hq/intake").text
    dealers = hana.get("/hq/dealers").text
    assert "Aurelia Jeddah" in dealers
    assert "Łódź" not in dealers
    assert "two-lodz" not in hana.get("/hq/leads").text, "nor among the filters"


def test_each_number_of_the_overview_leads_to_as_many_rows(enter: Enter, house: TwoMarkets) -> None:
    for _each in range(2):
        late = house.lead(house.riyadh)
        house.offer(late, expires_at=NOW - timedelta(minutes=5))
    house.offer(house.lead(house.riyadh), expires_at=NOW + timedelta(hours=5))
    for status, cause, many in (
        ("unrouted", "all_capped", 3),
        ("unlocated", "unlocated", 1),
        ("incomplete", "no_contact", 2),
    ):
        for _each in range(many):
            house.lead(market=house.gulf, status=status, cause=cause)
    sold = house.lead(house.riyadh, status="won")
    house.message(sold, status="failed")
    house.message(sold, status="queued", attempts=2)
    house.message(sold, status="queued", attempts=0)
    house.quarantined(house.gulf, b"x")
    hana = enter("hana")
    tiles = parsed(hana.get("/hq/").text).xpath("//a[contains(@class,'tile')]")
    told = {tile.get("href"): int(tile.xpath("string(./strong)")) for tile in tiles}
    assert told == {
        "/hq/leads?status=open": 9,
        "/hq/leads?status=overdue": 2,
        "/hq/queues/unrouted": 3,
        "/hq/queues/unlocated": 1,
        "/hq/queues/incomplete": 2,
        "/hq/questions": 0,
        "/hq/contests": 0,
        "/hq/verdicts": 0,
        "/hq/outbox?status=failing": 2,
        "/hq/intake": 1,
        "/hq/sources?alert=silent": 0,
        "/hq/sources?alert=failing": 0,
    }
    for address, number in told.items():
        page = parsed(hana.get(address).text)
        assert len(page.xpath("//tbody/tr")) == number, address


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=nora+EXAMPLE+1", {"a"}),
        ("search=0500000001", {"a"}),
        ("search=%D9%A0%D9%A5%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A1", {"a"}),
        ("search=nora2%40mail", {"b"}),
        ("search=tw02", {"b"}),
        ("search=100%25", set()),
        ("search=%5C", set()),
        ("status=open", {"a", "b"}),
        ("status=won", {"c"}),
        ("band=hot", {"b"}),
        ("channel=form", {"c"}),
        ("dealer=two-jeddah", {"b"}),
        ("market=two-poland", set()),
        ("status=nonsense", {"a", "b", "c"}),
        ("after=nonsense", {"a", "b", "c"}),
    ],
)
def test_the_filters_of_the_list(
    enter: Enter, house: TwoMarkets, query: str, found: set[str]
) -> None:
    leads = {
        "a": house.lead(house.riyadh),
        "b": house.lead(house.jeddah, band="hot"),
        "c": house.lead(house.riyadh, status="won", source="form"),
    }
    page = enter("hana").get(f"/hq/leads?{query}").text
    assert {name for name, lead in leads.items() if str(lead.id) in page} == found


def test_paging_shows_every_lead_once(
    enter: Enter, house: TwoMarkets, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lmt.hq import leadlist

    monkeypatch.setattr(leadlist.leads, "__kwdefaults__", {"after": None, "rows": 2})
    same = NOW - timedelta(hours=3)
    leads = [house.lead(house.riyadh, created_at=same) for _each in range(5)]
    hana, address, seen = enter("hana"), "/hq/leads", []
    while address:
        page = parsed(hana.get(address).text)
        seen += [href.rsplit("/", 1)[1] for href in page.xpath("//tbody//strong/a/@href")]
        address = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert sorted(seen) == sorted(str(lead.id) for lead in leads)


@pytest.mark.parametrize("address", PAGES)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    enter: Enter, house: TwoMarkets, address: str
) -> None:
    def fill(many: int) -> None:
        for each in range(many):
            dealer = house.riyadh if each % 2 else house.jeddah
            lead = house.lead(dealer)
            house.offer(lead, expires_at=NOW)
            house.message(lead)
            house.quarantined(house.gulf, b"x")
            for status in ("unrouted", "unlocated", "incomplete"):
                house.lead(market=house.gulf, status=status)

    hana = enter("hana")
    fill(2)
    with counted_selects() as few:
        hana.get(address)
    fill(5)
    with counted_selects() as many:
        hana.get(address)
    assert len(many) == len(few) <= 24


def test_the_lead_page_names_rivals_and_gives_reasons_with_figures(
    enter: Enter, house: TwoMarkets
) -> None:
    lead = house.lead(house.riyadh)
    house.offer(lead, expires_at=NOW + timedelta(hours=2))
    with counted_selects() as selects:
        page = enter("hana").get(f"/hq/leads/{lead.id}").text
    for words in (
        "أوريليا الرياض",
        "Aurelia Jeddah",
        "The closest eligible dealer",
        "Farther away",
        "Daily cap reached",
        "5 of 5",
        "848 km",
        "7 more farther away were ruled out too.",
        "Ring twice",
    ):
        assert words in page
    assert len(selects) <= 30


def test_what_a_customer_wrote_is_shown_as_text(enter: Enter, house: TwoMarkets) -> None:
    nasty = "<script>alert(1)</script>"
    lead = house.lead(house.riyadh, comments=nasty, full_name=nasty, model=nasty, city=nasty)
    for address in ("/hq/leads", f"/hq/leads/{lead.id}"):
        assert nasty not in enter("hana").get(address).text


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"dealer": "", "reason": "Because"}, "f-dealer-error"),
        ({"dealer": "two-jeddah", "reason": " "}, "f-reason-error"),
        ({"dealer": "two-jeddah", "reason": "x" * 301}, "f-reason-error"),
        ({"dealer": "no-such-dealer", "reason": "Because"}, "f-dealer-error"),
        ({"dealer": "two-lodz", "reason": "Another market's"}, "f-dealer-error"),
    ],
)
def test_assigning_by_hand_asks_for_a_dealer_and_a_reason(
    enter: Enter, house: TwoMarkets, given: dict[str, str], wrong: str
) -> None:
    lead = house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    answer = enter("hana").post(f"/hq/leads/{lead.id}/assign", data=given)
    assert answer.status_code == 422
    assert f'id="{wrong}"' in answer.text


def test_a_queued_lead_is_given_to_a_dealer_by_hand(
    enter: Enter, house: TwoMarkets, session: Session
) -> None:
    lead = house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    hana = enter("hana")
    given = {"dealer": "two-jeddah", "reason": "They know the customer"}
    answer = hana.post(f"/hq/leads/{lead.id}/assign", data=given, follow_redirects=True)
    assert answer.status_code == 200
    assert "They know the customer" in answer.text
    assert "Assigned by hand" in answer.text
    session.expire_all()
    found = session.scalars(select(Lead).where(Lead.id == lead.id)).one()
    assert (found.status, found.dealer_id) == ("offered", house.jeddah.id)


def test_a_lead_is_withdrawn_once(enter: Enter, house: TwoMarkets, session: Session) -> None:
    lead = house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    hana = enter("hana")
    address = f"/hq/leads/{lead.id}/withdraw"
    assert hana.post(address, data={"reason": "boredom"}).status_code == 422
    assert hana.post(address, data={"reason": "no_lead"}).status_code == 302
    again = hana.post(address, data={"reason": "no_lead"}, follow_redirects=True)
    assert "has moved on in the meantime" in again.text
    events = session.scalars(select(Event).where(Event.lead_id == lead.id)).all()
    assert [event.kind for event in events].count("withdrawn") == 1


def test_a_queue_tells_cause_and_remedy(enter: Enter, house: TwoMarkets) -> None:
    house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    page = enter("hana").get("/hq/queues/unrouted").text
    assert "All dealers nearby have reached their cap" in page
    assert "Raise a cap" in page


@pytest.mark.parametrize(
    ("kind", "data", "headquarters", "dealer"),
    [
        ("planned", {"plan_kind": "visit"}, "Visit", "Visit"),
        ("plan_done", {"plan_kind": "call"}, "Call", "Call"),
        ("located", {"problem": "nothing_given"}, "No place was given", "No place was given"),
        ("located", {"problem": "unknown"}, "not known", "not known"),
        ("located", {"problem": "ambiguous"}, "Several places", "Several places"),
        ("located", {"problem": "conflict"}, "far apart", "far apart"),
        ("withdrawn", {"reason": "test"}, "A test", "A test"),
        ("withdrawn", {"reason": "customer"}, "The customer asked", "The customer asked"),
        ("offer_declined", {"reason": "no_capacity"}, "No capacity", "No capacity"),
        ("lost", {"reason": "price"}, "Price", "Price"),
        ("reassigned", {"reason": "Riyadh never answers"}, "Riyadh never answers", None),
        ("mail_failed", {"problem": "550 no such user"}, "550 no such user", None),
    ],
)
def test_what_happened_is_told_in_words(
    kind: str, data: dict[str, str], headquarters: str, dealer: str | None
) -> None:
    event = Event(kind=kind, data=data, at=NOW)
    with reading("en"):
        (told,) = event_words(event.kind, event.data)
        shown = story([event], [], [], "UTC")[0].details
    assert headquarters in told
    assert not shown if dealer is None else dealer in shown[0]


def test_that_a_lead_was_a_test_is_for_nobody_to_choose(enter: Enter, house: TwoMarkets) -> None:
    lead = house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    hana = enter("hana")
    options = parsed(hana.get(f"/hq/leads/{lead.id}").text).xpath(
        "//select[@id='f-withdraw']/option/@value"
    )
    assert options == ["", "customer", "no_lead", "duplicate"]
    refused = hana.post(f"/hq/leads/{lead.id}/withdraw", data={"reason": "test"})
    assert refused.status_code == 422


def test_ways_to_reach_a_customer_carry_nothing_else(enter: Enter, house: TwoMarkets) -> None:
    lead = house.lead(
        house.riyadh, email="a+b?bcc=evil@x.example", phone="+966 50 000;phone-context=evil?x"
    )
    page = parsed(enter("hana").get(f"/hq/leads/{lead.id}").text)
    ways = page.xpath("//a[starts-with(@href,'mailto:') or starts-with(@href,'tel:')]/@href")
    assert ways == [
        "tel:+96650000%3Bphone-context%3Devil%3Fx",
        "mailto:a%2Bb%3Fbcc%3Devil@x.example",
    ]


def test_more_dealers_than_a_list_can_hold_are_named_by_code(
    enter: Enter, house: TwoMarkets, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lmt.hq import queries

    lead = house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    hana = enter("hana")
    addresses = ("/hq/leads?dealer=two-jeddah", f"/hq/leads/{lead.id}")
    for most, shape in ((2, "select"), (1, "input")):
        monkeypatch.setattr(queries.dealer_options, "__kwdefaults__", {"market": "", "most": most})
        for address in addresses:
            page = parsed(hana.get(address).text)
            (named,) = page.xpath("//form//*[@name='dealer'][not(@type='hidden')]")
            assert named.tag == shape, (address, most)
            if shape == "select":
                listed = set(named.xpath(".//option/@value"))
                assert listed == {"", "two-riyadh", "two-jeddah"}
    assert parsed(hana.get(addresses[0]).text).xpath(
        "//input[@name='dealer'][not(@type='hidden')]/@value"
    ) == ["two-jeddah"]
    given = {"dealer": "two-jeddah", "reason": "They know the customer"}
    assert hana.post(f"/hq/leads/{lead.id}/assign", data=given).status_code == 302


def test_every_cause_has_a_remedy() -> None:
    assert set(REMEDIES) == set(LABELS["cause"])
    assert remedy("brand new cause") == "Assign a dealer by hand."


def test_quarantined_bytes_are_shown_and_never_run(enter: Enter, house: TwoMarkets) -> None:
    body = b"<script>alert('x')</script>" + b"\x00\xff" * 3_000
    intake = house.quarantined(house.gulf, body)
    answer = enter("hana").get(f"/hq/intake/{intake.id}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "3c 73 63 72 69 70 74" in answer.text
    assert "6,027" in answer.text
    assert "4,096" in answer.text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"plain", "plain"),
        ("الرياض".encode(), "الرياض"),
        ("الرياض".encode()[:-1], "الريا"),
        (b"a\r\nb\tc", "a\nb\tc"),
        ("a\u202eb\x07".encode(), "a\ufffdb\ufffd"),
        (b"\xff\xfe<\x00", None),
        (b"", ""),
    ],
)
def test_bytes_as_text_where_they_are_text(body: bytes, text: str | None) -> None:
    assert bytes_shown(body, len(body)).text == text


def test_a_hex_dump_reads_like_a_hex_dump() -> None:
    assert hex_dump(b"<adf>\n\xd8") == f"0000  {'3c 61 64 66 3e 0a d8':<47}  <adf>.."
    assert len(hex_dump(bytes(40)).splitlines()) == 3


def _letter(message_id: str, subject: str = "New lead") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "leads@lmt.example", "desk@two.example"
    mail["Subject"], mail["Message-ID"] = subject, message_id
    mail.set_content("In plain text")
    mail.add_alternative("<h1>Hi</h1><script>alert(1)</script>", subtype="html")
    return mail


def test_the_mailbox_shows_the_mail_of_ones_own_market(
    app: Flask, enter: Enter, house: TwoMarkets
) -> None:
    settings = app.extensions["lmt"].settings
    for dealer, subject in ((house.riyadh, "For Riyadh"), (house.lodz, "For Lodz")):
        message = house.message(house.lead(dealer), status="sent")
        keep_mail(settings, _letter(f"<{message.id}@lmt.example>", subject))
    keep_mail(settings, _letter("<reset-1@lmt.example>", "Reset your password"))
    keep_mail(settings, _letter(f"<{uuid.uuid4()}@lmt.example>", "Of nobody"))
    ids = {mail.subject: mail.id for mail in list_mails(settings)}
    hana = enter("hana")
    page = hana.get("/hq/mailbox").text
    shown = [subject for subject in ids if subject in page]
    assert shown == ["For Riyadh"]
    for subject, id in ids.items():
        expected = 200 if subject == "For Riyadh" else 404
        assert hana.get(f"/hq/mailbox/{id}").status_code == expected, subject
        assert hana.get(f"/hq/mailbox/{id}/html").status_code == expected, subject
    assert hana.get("/hq/mailbox/..%2F..%2Fsecret_key").status_code == 404


def test_a_mails_html_is_served_in_a_sandbox(app: Flask, enter: Enter, house: TwoMarkets) -> None:
    settings = app.extensions["lmt"].settings
    message = house.message(house.lead(house.riyadh), status="sent")
    keep_mail(settings, _letter(f"<{message.id}@lmt.example>"))
    (mail,) = [m for m in list_mails(settings) if str(message.id) in m.message_id]
    hana = enter("hana")
    page = hana.get(f"/hq/mailbox/{mail.id}").text
    assert "In plain text" in page
    assert 'sandbox=""' in page
    assert "alert(1)" not in page
    policy = hana.get(f"/hq/mailbox/{mail.id}/html").headers["Content-Security-Policy"]
    parts = [part.strip() for part in policy.split(";")]
    assert "sandbox" in parts
    assert "default-src 'none'" in parts
    assert not any(part.startswith("script-src") for part in parts)


def test_a_message_is_sent_again(enter: Enter, house: TwoMarkets, session: Session) -> None:
    message = house.message(house.lead(house.riyadh), status="failed", attempts=9, problem="421")
    assert enter("hana").post(f"/hq/outbox/{message.id}/resend").status_code == 302
    session.expire_all()
    found = session.scalars(select(Message).where(Message.id == message.id)).one()
    assert (found.status, found.attempts) == ("queued", 0)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("<018f2b1c-aaaa-7bbb-8ccc-0123456789ab@lmt.example>", True),
        (" <018f2b1c-aaaa-7bbb-8ccc-0123456789ab@lmt.example> ", True),
        ("018f2b1c-aaaa-7bbb-8ccc-0123456789ab@lmt.example", False),
        ("<reset-1@lmt.example>", False),
        ("", False),
    ],
)
def test_which_row_a_mail_belongs_to(text: str, known: bool) -> None:
    assert (message_of(text) is not None) == known


def test_a_position_survives_the_address() -> None:
    place = Position(datetime(2026, 3, 6, 9, 0, 0, 123_457, tzinfo=UTC), uuid.uuid4())
    assert position(str(place)) == place


@pytest.mark.parametrize("text", ["", "1", "1.2", "-5." + "a" * 32, "9" * 18 + "." + "a" * 32])
def test_a_position_that_is_none(text: str) -> None:
    assert position(text) is None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"status": "won"}, LeadFilter(status="won")),
        ({"status": "overdue", "band": "hot"}, LeadFilter(status="overdue", band="hot")),
        ({"status": "'; drop", "band": "x"}, LeadFilter()),
        ({"search": "  a   b  "}, LeadFilter(search="a b")),
        ({"search": "x" * 200}, LeadFilter(search="x" * 100)),
    ],
)
def test_filters_are_read_from_the_address(given: dict[str, str], read: LeadFilter) -> None:
    assert LeadFilter.of(given) == read


def test_signs_that_mean_something_to_the_database_are_taken_literally() -> None:
    assert pattern("50%_!") == "%50!%!_!!%"


@pytest.mark.parametrize(
    ("reason", "figures", "words"),
    [
        ("day_cap", {"used": 5, "cap": 5}, "5 of 5"),
        ("no_competence", {"brand": "aurelia", "service": "parts"}, "aurelia · Parts"),
        ("on_closure", {"last_day": "2026-03-09"}, "until Mar 9, 2026"),
        ("no_opening", {"opens_at": None, "max_wait_hours": 48}, "does not open at all"),
        ("country", {"customer": "DE", "dealer": "PL"}, "Poland"),
        ("language", {"language": "ar"}, "Arabic"),
        ("out_of_range", {"distance_km": 312.0, "widest_km": 150}, "reach: 150 km"),
        ("territory_of_other", {"owner": "pl-001"}, "pl-001"),
        ("paused", {}, ""),
        ("a_new_reason", {"x": 1}, ""),
    ],
)
def test_figures_of_a_refusal_in_words(reason: str, figures: dict[str, object], words: str) -> None:
    refused = [{"code": "x", "id": None, "reason": reason, "figures": figures}]
    with reading("en"):
        (row,) = in_words({"refused": refused}, {}).refused
    assert row.figures == words


def test_an_old_or_empty_decision_still_reads() -> None:
    words = in_words({}, {}, cause="all_capped")
    assert words.cause == "All dealers nearby have reached their cap"
    assert not words.ranked
