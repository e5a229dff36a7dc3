"""Every mail in every language, as its reader gets it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from lxml import html as lxml_html
from syrupy.assertion import SnapshotAssertion

from lmt.config import LOCALES
from lmt.notify.bidi import isolated, one_line
from lmt.notify.envelope import BadAddress, File, envelope
from lmt.notify.facts import (
    DealerCard,
    Digest,
    DigestLead,
    DigestPart,
    MailFacts,
    ReportTold,
    SourceTrouble,
    WaitingLead,
    WeekFigures,
)
from lmt.notify.letter import Rendered
from lmt.notify.mails import KINDS, render

FRIDAY = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
SUNDAY = FRIDAY + timedelta(days=2, minutes=20)
RIYADH = "Asia/Riyadh"
DEALER = DealerCard(
    name="Harbour Motors",
    phone="+966 11 234 5678",
    street="King Fahd Road 1200",
    postcode="12271",
    city="الرياض",
    timezone=RIYADH,
)
FACTS = MailFacts(
    written_at=FRIDAY,
    lead_id="01957f2e-0000-7000-8000-000000000001",
    reference="K7QF-2M9D",
    full_name="Layla Haddad",
    company="Haddad & Sons",
    phone="+966501234567",
    phone_shown="+966 50 123 4567",
    email="layla.haddad@mail.example",
    language="ar",
    postcode="12271",
    city="الرياض",
    country="SA",
    brand="Vantor",
    model="Aria X1",
    request_type="test_drive",
    timeframe="this month",
    contact_time="after 17:00",
    comments="مرحبا، أريد تجربة السيارة.\nIs it < 5 m long?",
    distance_km=7.43,
    received_at=FRIDAY,
    take_by_at=SUNDAY,
    dealer=DEALER,
    promise_at=SUNDAY + timedelta(hours=1),
    opens_at=SUNDAY - timedelta(hours=1, minutes=20),
    status_url="https://leads.example/r/abc.def",
    confirm_url="https://leads.example/r/confirm/abc.def",
    ended="expired",
    cause="out_of_range",
    waiting=3,
    listed=(
        WaitingLead(
            lead_id="01957f2e-0000-7000-8000-000000000001",
            reference="K7QF-2M9D",
            dealer="الرياض للسيارات",
            state="accepted",
            minutes=480,
            cause="unlocated",
            received_at=FRIDAY,
        ),
        WaitingLead(
            lead_id="01957f2e-0000-7000-8000-000000000003",
            reference="B3XA-77PL",
            dealer="Harbour Motors",
            state="offered",
            minutes=45,
            cause="all_capped",
            received_at=FRIDAY,
        ),
    ),
    state="offered",
    minutes=45,
    colleague="Bert",
    stands_in_for="Anna",
    from_dealer="أوريليا",
    sources=(
        SourceTrouble(
            code="landing-gulf",
            name="صفحة الحملة",
            kind="silent",
            since=FRIDAY - timedelta(hours=9),
            ended_at=FRIDAY,
            per_day=34.2,
        ),
        SourceTrouble(
            code="crm-gulf",
            name="Harbour <CRM>",
            kind="failing",
            since=FRIDAY - timedelta(hours=3),
            ended_at=FRIDAY,
            per_day=0.4,
            failures=(("mapping", 12), ("wrong_key", 1)),
        ),
    ),
)
NEW = DigestLead(
    lead_id="01957f2e-0000-7000-8000-000000000004",
    reference="K7QF-2M9D",
    at=SUNDAY,
    who="Layla Haddad",
    phone="+966501234567",
    phone_shown="+966 50 123 4567",
    request_type="test_drive",
    car="Vantor Aria X1",
    offer_id="01957f2e-0000-7000-8000-000000000005",
    accept_url="https://leads.example/t/abc-_1",
)
CALL = replace(NEW, offer_id="", accept_url="", who="نورة", plan="call", note="Ask for < 5 m.")
DAY: dict[str, Any] = {
    "colleague": "الرياض للسيارات",
    "digest": Digest(
        new=DigestPart((NEW,), 21),
        overdue=DigestPart((replace(CALL, at=FRIDAY - timedelta(days=1)),), 1),
        today=DigestPart((replace(CALL, plan="test_drive"),), 1),
        back=DigestPart((replace(NEW, offer_id="", accept_url=""),), 1),
    ),
}
WEEK: dict[str, Any] = {
    "colleague": "الرياض للسيارات",
    "week": WeekFigures(
        first=FRIDAY.date() - timedelta(days=6),
        offered=1200,
        taken=900,
        declined=100,
        expired=50,
        sold=7,
        open=31,
        minutes=17.4,
        market_taken=0.611,
        market_declined=0.12,
        market_expired=0.2,
        market_minutes=128.0,
    ),
}
ANSWERS = {"accept": "https://leads.example/t/acc-_1", "decline": "https://leads.example/t/dec-_1"}
APPOINTMENT: dict[str, Any] = {"planned": "test_drive", "planned_at": SUNDAY}
SAID: dict[str, Any] = {"by": "بدر", "said": "مرحبا\nIs it < 5 m long?"}
REPORT = ReportTold(
    name="Dealers <weekly> 100 %",
    question="Leads and 90 % more by dealer, 2 to 8 March 2026.",
    days="2 to 8 March 2026",
    address="https://leads.example/reports/show?rows=dealer",
    leave_address="https://leads.example/reports/schedules",
    head=("Dealer", "Leads", "Conversion"),
    rows=(("الرياض للسيارات", "1,200", "12.5%"), ("Harbour <Motors>", "7", "–")),
    total=("All", "1,207", "12.4%"),
    more=3,
    picture="chart.1@lmt",
    by="بدر",
    notes=("A market has no rate.",),
)
MORE: dict[str, dict[str, Any]] = {
    "plan_reminder": {
        "planned": "call",
        "planned_at": SUNDAY,
        "plan_note": "Ask for the trade-in. تذكير",
    },
    "dealer_customer_message": SAID,
    "dealer_appointment": APPOINTMENT | {"what": "moved"},
    "dealer_tapped": {"what": "accept", "by": "d@dealer.example", "what_at": SUNDAY},
    "dealer_digest": DAY,
    "manager_weekly": WEEK,
    "colleague_handed": SAID,
    "colleague_mentioned": SAID,
    "help_asked": SAID | {"thread_url": "https://leads.example/hq/questions/7"},
    "help_answered": SAID | {"thread_url": "https://leads.example/desk/leads/7"},
    "customer_reply": {"title": "Your test drive", "by": "Badr", "said": "Dear Sir,\n\nwelcome."},
    "customer_appointment": APPOINTMENT,
    "customer_appointment_cancelled": APPOINTMENT,
    "customer_closed": {"closed_as": "won"},
    "scheduled_report": {"report": REPORT},
}
"""What a kind of mail tells beside the lead."""


def mail(kind: str, facts: MailFacts = FACTS, language: str = "en", zone: str = RIYADH) -> Rendered:
    facts = replace(facts, **MORE.get(kind, {}))
    return render(kind, facts, language=language, timezone=zone, base_url="https://leads.example")


def shown(page: str) -> str:
    """What a reader sees of the HTML, on one line."""
    return " ".join(" ".join(found(page, "//body//text()")).split())


def found(page: str, path: str) -> list[str]:
    """The attributes or texts that an XPath names."""
    nodes = lxml_html.document_fromstring(page).xpath(path)
    assert isinstance(nodes, list)
    return [str(node) for node in nodes]


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_mail_in_words(kind: str, language: str, snapshot: SnapshotAssertion) -> None:
    written = mail(kind, language=language)
    assert f"{written.subject}\n\n{written.text}" == snapshot


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", KINDS)
def test_mail_in_html(kind: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert mail(kind, language=language).html == snapshot


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_html_names_its_language_and_direction_and_fetches_nothing(
    kind: str, language: str
) -> None:
    page = mail(kind, language=language).html
    direction = "rtl" if language == "ar" else "ltr"
    assert found(page, "/html/@lang") == [language]
    assert found(page, "/html/@dir | /html/body/@dir") == [direction, direction]
    assert found(page, "//link | //script | //iframe | //object | //@background") == []
    # A picture comes with the mail, and is told in words.
    assert all(source.startswith("cid:") for source in found(page, "//img/@src"))
    assert len(found(page, "//img/@alt[. != '']")) == len(found(page, "//img/@src"))
    assert "url(" not in page
    for address in found(page, "//@href"):
        assert address.startswith(("https://leads.example/", "tel:+966", "mailto:layla"))


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_say_the_same(kind: str, language: str) -> None:
    written = mail(kind, language=language)
    html_words = set(re.findall(r"\w+", shown(written.html)))
    text_without_address = re.sub(r"https://\S+", "", written.text)
    assert set(re.findall(r"\w+", text_without_address)) <= html_words


def test_dealer_reads_the_hour_in_their_own_zone() -> None:
    assert "10:20" in mail("dealer_new_lead", zone=RIYADH).text
    assert "11:20" in mail("dealer_new_lead", zone="Asia/Dubai").text


def test_dealer_finds_the_lead_and_can_call_with_one_tap() -> None:
    addresses = found(mail("dealer_new_lead").html, "//@href")
    assert f"https://leads.example/desk/leads/{FACTS.lead_id}" in addresses
    assert "tel:+966501234567" in addresses
    assert f"https://leads.example/desk/leads/{FACTS.lead_id}\n" in mail("dealer_new_lead").text


def test_lead_taken_away_tells_nothing_of_the_customer() -> None:
    written = mail("dealer_lead_taken_away")
    for secret in ("Layla", "Haddad", "4567", "layla", FACTS.lead_id, "الرياض"):
        assert secret not in written.text + written.html + written.subject


@pytest.mark.parametrize("kind", KINDS)
def test_subject_tells_nobody_who_the_customer_is(kind: str) -> None:
    assert not re.search("Layla|Haddad|4567|layla", mail(kind).subject)


@pytest.mark.parametrize(
    ("changes", "expected", "absent"),
    [
        ({}, "The showroom is closed now. It opens on Sun", "local time"),
        ({"opens_at": None}, "You will hear from them by Sun", "closed now"),
        ({"opens_at": FRIDAY}, "You will hear from them by Sun", "closed now"),
        ({"promise_at": FRIDAY}, "The showroom is closed now", "You will hear"),
        ({"dealer": None, "opens_at": None}, "finding the right dealer", "closed now"),
        ({"dealer": None}, "You will hear from us by Sun", "Address"),
        ({"dealer": replace(DEALER, kind="team")}, "It is back on Sun", "showroom"),
        ({"dealer": replace(DEALER, timezone="Asia/Dubai")}, "the dealer's local time", "next one"),
        ({"choice_refused": True}, "so we asked the next one", "finding"),
        ({"full_name": ""}, "Thank you", "Hello"),
    ],
)
def test_what_the_customer_is_told(changes: dict[str, object], expected: str, absent: str) -> None:
    text = mail("customer_received", replace(FACTS, **changes)).text  # type: ignore[arg-type]
    assert expected in text
    assert absent not in text


@pytest.mark.parametrize(
    ("state", "changes", "expected", "absent"),
    [
        ("offered", {}, "else it goes to another dealer", "promised"),
        ("offered", {"take_by_at": FRIDAY}, "Nobody has taken it yet", "another dealer"),
        ("accepted", {}, "The customer was promised an answer by Sun", "another dealer"),
        ("accepted", {"promise_at": FRIDAY}, "has not been contacted yet", "promised"),
        ("contacted", {}, "Nothing has been done with it for some time", "another dealer"),
        ("plan_overdue", {}, "A planned step was not done in time", "another dealer"),
        ("offered", {"stands_in_for": ""}, "waiting", "in place of"),
        ("offered", {}, "in place of Anna, who is away", "promised"),
    ],
)
@pytest.mark.parametrize("kind", ["dealer_reminder", "manager_escalation"])
def test_what_waits_is_said(
    kind: str, state: str, changes: dict[str, object], expected: str, absent: str
) -> None:
    text = mail(kind, replace(FACTS, state=state, **changes)).text  # type: ignore[arg-type]
    assert expected in text
    assert absent not in text


@pytest.mark.parametrize(
    ("changes", "expected", "absent"),
    [
        ({"model_not_sold": True}, "is not sold in your country", "so we asked"),
        ({"dealer": None, "cause": "all_capped"}, "longer than usual", "closed now"),
        ({"dealer": None, "cause": "no_opening"}, "One opens on Sun", "longer than usual"),
        ({"dealer": None, "opens_at": None}, "finding the right dealer", "opens on"),
    ],
)
def test_customers_are_told_no_more_than_is_known(
    changes: dict[str, object], expected: str, absent: str
) -> None:
    text = mail("customer_received", replace(FACTS, **changes)).text  # type: ignore[arg-type]
    assert expected in text
    assert absent not in text


def test_headquarters_reads_how_many_more_there_are() -> None:
    for kind in ("headquarters_escalation", "headquarters_queue"):
        assert "And 1 more." in mail(kind).text
        assert "more." not in mail(kind, replace(FACTS, waiting=2)).text


def test_opening_hour_is_the_one_on_the_showrooms_wall() -> None:
    written = mail("customer_received", zone="Europe/Warsaw").text
    assert "9:00" in written.split("opens on")[1]


@pytest.mark.parametrize(
    ("request_type", "phone", "expected"),
    [
        ("test_drive", "+48601234567", "Call the customer and agree a time for the test drive."),
        ("test_drive", "", "Write to the customer and offer times for the test drive."),
        ("complaint", "+48601234567", "Call the customer, listen"),
        ("never heard of", "+48601234567", "Call the customer and ask how you can help."),
        ("", "", "Write to the customer and ask how you can help."),
    ],
)
def test_dealer_is_told_what_to_do_next(request_type: str, phone: str, expected: str) -> None:
    facts = replace(FACTS, request_type=request_type, phone=phone, phone_shown=phone)
    assert expected in mail("dealer_new_lead", facts).text


def test_dealer_is_reminded_of_the_step_already_planned() -> None:
    facts = replace(FACTS, planned="call", planned_at=SUNDAY)
    assert re.search(r"Next step: Call: Sun.*10:20", mail("dealer_new_lead", facts).text)


def test_test_lead_says_that_it_is_one() -> None:
    written = mail("dealer_new_lead", replace(FACTS, test=True))
    assert written.subject.startswith("Test:")
    assert "no customer is waiting" in written.text


def test_what_customers_write_stays_words() -> None:
    facts = replace(
        FACTS,
        full_name="<script>alert(1)</script>",
        comments="<img src=x onerror=alert(1)>\n{{ 7*7 }} %(name)s %",
        email='"><b>@x.example',
        phone="+1;drop",
        phone_shown='"><i>',
    )
    written = mail("dealer_new_lead", facts)
    assert found(written.html, "//script | //img | //b | //i") == []
    assert "{{ 7*7 }} %(name)s %" in written.text
    assert "{{ 7*7 }} %(name)s %" in shown(written.html)


def test_phones_and_addresses_never_turn_around_in_arabic() -> None:
    written = mail("dealer_new_lead", language="ar")
    isolates = set(found(written.html, "//bdi[@dir='ltr']/text()"))
    assert {"+966 50 123 4567", "layla.haddad@mail.example", "K7QF-2M9D"} <= isolates
    assert "\u2066+966 50 123 4567\u2069" in written.text
    assert "\u2066layla.haddad@mail.example\u2069" in written.text
    assert "\nhttps://leads.example/desk/leads/" in written.text


@pytest.mark.parametrize(
    ("value", "in_rtl", "expected"),
    [
        ("Anna", False, "Anna"),
        ("Anna", True, "\u2068Anna\u2069"),
        ("ليلى", False, "\u2068ليلى\u2069"),
        ("", True, ""),
    ],
)
def test_isolation_of_names(value: str, in_rtl: bool, expected: str) -> None:
    assert isolated(value, ltr=False, in_rtl=in_rtl) == expected


def test_overrides_and_line_breaks_in_a_name_are_dropped() -> None:
    assert one_line("Anna\u202e\r\nBcc: x\x00\u2069") == "Anna Bcc: x"


def wrapped(
    recipient: str = "d@dealer.example", files: Sequence[File] = (), **changes: str
) -> bytes:
    written = replace(mail("dealer_new_lead", language="ar"), **changes)
    return envelope(
        written,
        message_id=UUID("01957f2e-0000-7000-8000-000000000002"),
        sender="Léads <leads@lmt.example>",
        recipient=recipient,
        language="ar",
        at=FRIDAY,
        files=files,
    ).as_bytes()


def test_envelope_is_seven_bit_and_marked_automatic() -> None:
    wire = wrapped()
    assert wire.isascii()
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in wire
    assert b"\r\nMessage-ID: <01957f2e-0000-7000-8000-000000000002@lmt.example>\r\n" in wire
    assert b"Content-Transfer-Encoding: quoted-printable" in wire


def test_a_file_goes_with_text_and_html() -> None:
    wire = wrapped(files=[File("K7QF.ics", "text/calendar", "SUMMARY:Layla ليلى".encode())])
    sent = message_from_bytes(wire, policy=policy.default)
    assert isinstance(sent, EmailMessage)
    (file,) = sent.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("text/calendar", "K7QF.ics")
    assert "ليلى" in str(file.get_content())
    assert sent.get_body(("plain",)) is not None
    assert sent.get_body(("html",)) is not None


def test_mail_without_html_is_text_alone() -> None:
    assert b"Content-Type: text/plain" in wrapped(html="")
    assert b"multipart" not in wrapped(html="")


def test_subject_from_hostile_names_adds_no_header() -> None:
    hostile = replace(FACTS, model="X1\r\nBcc: thief@mail.example\r\n\r\nbody")
    wire = wrapped(subject=mail("dealer_new_lead", hostile).subject)
    assert not re.search(rb"^Bcc:", wire, re.M)


@pytest.mark.parametrize(
    "recipient",
    ["", "nobody", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a b@c.example"],
)
def test_recipient_is_one_address(recipient: str) -> None:
    with pytest.raises(BadAddress):
        wrapped(recipient)


def test_domain_in_any_script_is_addressed() -> None:
    assert b"To: anna@xn--mnchen-3ya.example" in wrapped("anna@münchen.example")
