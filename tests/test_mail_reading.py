"""What is read out of a mail: labelled lines in any language, documents, quotes, machines."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest

from lmt.config import BadSetting, from_environment
from lmt.ingest.adf import NotAdf
from lmt.ingest.door import Unreadable
from lmt.ingest.kinds import reader_of
from lmt.ingest.mail import BadMail, Mail, mail_of
from lmt.ingest.mailleads import Senders, adf_leads, plain_lead, table_in
from lmt.ingest.mailmachines import (
    answers_by_itself,
    bounce_of,
    is_bounce,
    is_likely_automatic,
    is_nobody,
    is_own,
)
from lmt.ingest.mailtext import fresh_part, is_forwarded, parted, text_of_page
from lmt.ingest.sourcesettings import settings_problems, source_settings
from lmt.links import message_of_reply, reply_address
from lmt.mapping.model import Line, Mapping
from lmt.models import Source

PORTALS = Senders(("portal.example",))
BOX = {"host": "imap.brand.example", "user": "leads@brand.example"}


def raw(text: str = "", page: str = "", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"] = headers.pop("sender", "Portal <leads@portal.example>")
    made["To"] = "leads@brand.example"
    made["Subject"] = headers.pop("subject", "New request")
    made["Message-ID"] = "<one@portal.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    if text or not page:
        made.set_content(text)
    if page and text:
        made.add_alternative(page, subtype="html")
    elif page:
        made.set_content(page, subtype="html")
    return bytes(made)


def lead(text: str = "", page: str = "", **headers: str) -> dict[str, Any]:
    return plain_lead(mail_of(raw(text, page, **headers)), None, PORTALS)


@pytest.mark.parametrize(
    "text",
    [
        "Name: Ada Nowak\nPhone: +48 512 345 678\nEmail: ada@mail.example\nMessage: Hello there",
        "Nom complet : Ada Nowak\nTél. : +48 512 345 678\nCourriel : ada@mail.example\nHello there",
        "Name: Ada Nowak\nTelefon : +48 512 345 678\nE-Mail: ada@mail.example\nNachricht:\n"
        "Hello there",
        "Nombre completo: Ada Nowak\nTeléfono: +48 512 345 678\nCorreo: ada@mail.example\n"
        "Comentarios: Hello there",
        "Imię i nazwisko: Ada Nowak\nNumer telefonu: +48 512 345 678\nE-mail: ada@mail.example\n"
        "Wiadomość: Hello there",
        "Naam: Ada Nowak\nTelefoonnummer: +48 512 345 678\nE-mailadres: ada@mail.example\n"
        "Hello there",
        "Ad Soyad: Ada Nowak\nCep Telefonu: +48 512 345 678\nE-posta adresi: ada@mail.example\n"
        "Mesaj: Hello there",
        "الاسم: Ada Nowak\nرقم الهاتف: +48 512 345 678\nالبريد الإلكتروني: ada@mail.example\n"
        "Hello there",
        "* *Name:* Ada Nowak\n- Phone = +48 512 345 678\n• E-Mail\tada@mail.example\n\nHello there",
    ],
    ids=["en", "fr", "de", "es", "pl", "nl", "tr", "ar", "marks"],
)
def test_labelled_lines_are_read_in_every_language(text: str) -> None:
    found = lead(text)
    assert found["customer"] == {
        "full_name": "Ada Nowak",
        "phone": "+48 512 345 678",
        "email": "ada@mail.example",
    }
    assert found["request"]["comments"] == "New request\n\nHello there"


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><td>Name</td><td>Ada Nowak</td></tr><tr><th>Phone:</th><td>+48 512 345 678</td>"
        "</tr><tr><td><b>E-Mail</b></td><td><a href='mailto:a@b.example'>ada@mail.example</a></td>"
        "</tr></table>",
        "<p><strong>Name:</strong> Ada Nowak<br><strong>Phone:</strong> +48 512 345 678<br/>"
        "<strong>E-Mail:</strong> ada@mail.example</p><style>p {color: red}</style>",
        "<table><tr><td><table><tr><td>Name:</td><td>Ada Nowak</td></tr><tr><td>Phone</td><td>"
        "+48 512 345 678</td></tr><tr><td>Email</td><td>ada@mail.example</td></tr></table></td>"
        "</tr></table>",
        "<dl><dt>Name</dt><dd>Ada Nowak</dd><dt>Phone</dt><dd>+48 512 345 678</dd><dt>Email</dt>"
        "<dd>ada@mail.example</dd></dl>",
        "<div>Name: Ada Nowak</div><div>Phone: +48 512 345 678</div><div>Email: ada@mail.example",
    ],
    ids=["table", "bold", "nested", "list", "broken"],
)
def test_pages_are_read_like_lines(page: str) -> None:
    found = lead(page=page)
    assert found["customer"] == {
        "full_name": "Ada Nowak",
        "phone": "+48 512 345 678",
        "email": "ada@mail.example",
    }
    assert found["request"]["comments"] == "New request"


def test_a_text_without_its_table_does_not_hide_the_page() -> None:
    rows = "<tr><td>Name</td><td>Ada Nowak</td></tr><tr><td>Phone</td><td>512 345 678</td></tr>"
    page = f"<table>{rows}</table>"
    found = lead("Your mail program can't show this mail.", page)
    assert found["customer"]["full_name"] == "Ada Nowak"


@pytest.mark.parametrize(
    ("headers", "email", "name"),
    [
        ({"sender": "Zoe Q <zoe@mail.example>"}, "zoe@mail.example", "Zoe Q"),
        ({"Reply_To": "Zoe Q <zoe@mail.example>"}, "zoe@mail.example", None),
        ({}, None, None),
        ({"sender": "no-reply@shop.example"}, None, None),
        ({"sender": "x@mail.portal.example", "Reply_To": "y@portal.example"}, None, None),
        ({"sender": "x@notportal.example"}, "x@notportal.example", None),
    ],
)
def test_who_wrote_is_the_customer_unless_a_portal_or_nobody(
    headers: dict[str, str], email: str | None, name: str | None
) -> None:
    customer = lead("I want a Mira.", **headers)["customer"]
    assert customer.get("email") == email
    if name is not None:
        assert customer["full_name"] == name


def test_a_labelled_address_stands_before_the_sender_s() -> None:
    found = lead("E-Mail: ada@mail.example", sender="Dealer <d@dealer.example>")
    assert found["customer"] == {"email": "ada@mail.example"}


def test_prose_with_colons_stays_prose() -> None:
    text = "Please note: I am away.\nMy offer: 20000.\nhttps://brand.example/mira\nSee you: soon"
    found = lead(text, sender="zoe@mail.example")
    assert found["request"]["comments"].endswith(text)
    assert set(found["customer"]) == {"email"}


def test_the_source_s_own_mapping_names_labels_nobody_knows() -> None:
    own = Mapping((Line("customer.full_name", ("Kundin",)), Line("request.model", ("Wunschauto",))))
    mail = mail_of(raw("Kundin: Ada Nowak\nWunschauto: Mira\nTelefon: 512 345 678\nFarbe: rot"))
    found = plain_lead(mail, own, PORTALS)
    assert found["customer"] == {"full_name": "Ada Nowak", "phone": "512 345 678"}
    assert found["request"]["model"] == "Mira"
    assert "Farbe: rot" in found["request"]["comments"]


@pytest.mark.parametrize(
    "history",
    [
        "On Mon, 3 Mar 2026 at 10:00 LMT <leads@lmt.example> wrote:\n> E-Mail: old@mail.example",
        "Am Mo., 3. März 2026 um 10:00 Uhr schrieb LMT <leads@lmt.example>:\n> E-Mail: x@y.example",
        "Le lun. 3 mars 2026 à 10:00, LMT <leads@lmt.example> a écrit :\n> Nom : X",
        "El lun, 3 mar 2026 a las 10:00, LMT (<leads@lmt.example>) escribió:\n> Nombre: X",
        "W dniu 3.03.2026 o 10:00, LMT pisze lub napisał(a):\n> Telefon: 1",
        "Op ma 3 mrt 2026 om 10:00 schreef LMT <leads@lmt.example>:\n> Naam: X",
        "LMT <leads@lmt.example>, 3 Mar 2026 Pzt, 10:00 tarihinde şunu yazdı:\n> Ad: X",
        "في الاثنين، 3 مارس 2026 10:00 كتب LMT <leads@lmt.example>:\n> الاسم: X",
        "-----Original Message-----\nE-Mail: old@mail.example",
        "Von: LMT\nGesendet: Montag\nAn: Ada\nBetreff: Ihre Anfrage\n\nE-Mail: old@mail.example",
        "________________________________\nFrom: LMT\nSent: Monday\nTo: Ada\n\nE-Mail: x@y.example",
        "> E-Mail: old@mail.example\n> Telefon: 1",
        "On Mon, 3 Mar 2026 at 10:00 Long Name Of Somebody\n<leads@lmt.example> wrote:\n> Name: X",
    ],
)
def test_what_is_quoted_is_told_from_what_is_new(history: str) -> None:
    text = f"Please call me.\n\nAda\n\n{history}"
    assert fresh_part(text) == "Please call me.\n\nAda"
    assert parted(text)[1]
    found = lead(text, sender="ada@mail.example")
    assert found["customer"]["email"] == "ada@mail.example"
    assert "phone" not in found["customer"]
    # Kept all the same.
    assert history.splitlines()[-1] in found["request"]["comments"]


def test_an_answer_that_is_a_page_is_cut_where_its_program_quotes() -> None:
    page = (
        "<div>Please call me.</div><div class='gmail_quote'><div>On Mon someone wrote:</div>"
        "<blockquote>Old text</blockquote></div>"
    )
    assert fresh_part(text_of_page(page)) == "Please call me."


def test_a_mail_that_was_passed_on_is_read_whole() -> None:
    text = (
        "FYI\n\n---------- Forwarded message ---------\nFrom: Portal <p@portal.example>\n"
        "Date: Mon, 3 Mar 2026\nSubject: Lead\nTo: dealer@dealer.example\n\n"
        "Name: Ada Nowak\nPhone: 512 345 678"
    )
    assert is_forwarded("", text)
    assert is_forwarded("WG: Anfrage", "")
    assert not is_forwarded("Treffen", "nothing")
    found = lead(text, sender="dealer@portal.example")
    assert found["customer"] == {"full_name": "Ada Nowak", "phone": "512 345 678"}
    assert "From: Portal" in found["request"]["comments"]


def test_comments_are_bounded() -> None:
    found = lead("word " * 50_000, sender="ada@mail.example")
    assert len(found["request"]["comments"]) == 10_000


def test_a_document_is_found_before_the_lines_and_its_harm_is_refused() -> None:
    document = (
        "<adf><prospect><customer><contact><name>Ada</name></contact></customer></prospect></adf>"
    )
    found = adf_leads(mail_of(raw(f"Name: Other\n{document}")))
    assert found is not None
    assert len(found) == 1
    assert adf_leads(mail_of(raw("I drive an adf car"))) is None
    with pytest.raises(NotAdf):
        adf_leads(mail_of(raw(f'<!DOCTYPE adf [<!ENTITY a "b">]>{document}')))


@pytest.mark.parametrize(
    ("kind", "name", "is_table"),
    [
        ("text/csv", "", True),
        ("application/octet-stream", "Leads.XLSX", True),
        ("application/vnd.ms-excel", "x", True),
        ("application/pdf", "offer.pdf", False),
        ("image/png", "logo.png", False),
    ],
)
def test_files_of_rows_are_known_by_type_or_name(kind: str, name: str, is_table: bool) -> None:
    made = EmailMessage()
    made["From"] = "a@portal.example"
    made.set_content("See file")
    major, _slash, minor = kind.partition("/")
    made.add_attachment(b"a;b\n1;2\n", maintype=major, subtype=minor, filename=name)
    assert (table_in(mail_of(bytes(made))) is not None) is is_table


def machine(**headers: str) -> Mail:
    return mail_of(raw("Hello", **headers))


@pytest.mark.parametrize(
    ("mail", "sure", "likely"),
    [
        (machine(), False, False),
        (machine(Auto_Submitted="no"), False, False),
        (machine(Auto_Submitted="auto-replied; owner-email=a@b.example"), True, True),
        (machine(Auto_Submitted="auto-generated"), False, True),
        (machine(X_Autoreply="yes"), True, False),
        (machine(X_Autorespond="x"), True, False),
        (machine(Precedence="auto_reply"), True, False),
        (machine(Precedence="bulk"), False, True),
        (machine(List_Unsubscribe="<mailto:x@y.example>"), False, True),
        (machine(Return_Path="<>"), False, True),
        (machine(subject="Out of office: back on Monday"), False, True),
        (machine(subject="AW: Abwesenheitsnotiz"), False, True),
        (machine(subject="Réponse automatique : devis"), False, True),
        (machine(subject="Odpowiedź automatyczna: oferta"), False, True),
        (machine(subject="رد تلقائي: عرض"), False, True),
        (machine(subject="Chairs for our out of office meeting"), False, False),
    ],
)
def test_automatic_answers_are_told_from_people(mail: Mail, sure: bool, likely: bool) -> None:
    assert answers_by_itself(mail) is sure
    assert is_likely_automatic(mail) is likely


def test_nobody_is_no_customer_and_our_own_mails_are_loops() -> None:
    assert is_nobody("noreply@shop.example")
    assert is_nobody("no-reply.x@shop.example")
    assert not is_nobody("norma@shop.example")
    own = {"leads@brand.example"}
    assert is_own(machine(sender="LMT <leads@brand.example>"), own, "brand.example")
    assert is_own(machine(X_Loop="leads@brand.example"), own, "brand.example")
    assert not is_own(machine(), own, "brand.example")


def test_a_bounce_without_a_report_is_known_by_its_sender() -> None:
    mail = mail_of(
        raw(
            "Your mail <0195a1b2-0000-7000-8000-000000000001@brand.example> came back",
            sender="Mail Delivery <MAILER-DAEMON@mx.example>",
        )
    )
    assert is_bounce(mail)
    bounce = bounce_of(mail, "Brand.example")
    assert [str(each) for each in bounce.message_ids] == ["0195a1b2-0000-7000-8000-000000000001"]
    assert bounce.final
    assert bounce_of(mail, "other.example").message_ids == ()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"Content-Type: multipart/mixed; boundary=a\n\n" * 100, "too_deep"),
        (b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 300, "too_many_parts"),
    ],
)
def test_mails_nested_to_harm_are_named(body: bytes, code: str) -> None:
    with pytest.raises(BadMail) as caught:
        mail_of(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        b"\x00\xff\xfe\x80",
        b"From: =?x-none?q?=FF?= <a@b.example>\nSubject: =?utf-8?b?!!!?=\n\nhello",
        b'From: <<<>>>,,,@@@;;;\nReply-To: a@b.example\x00, "\n\nhello',
        b'Content-Type: text/plain; charset="no\\"such"\nContent-Transfer-Encoding: base64\n\n%%%',
        b"Content-Type: text/plain; charset*0=u; charset*1=\n\nhi",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: x\n\ny",
        b"Date: Mon, 99 Xyz 99999 99:99:99 +9999\n\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n\nx",
        b"To: " + b"a@b.example, " * 20_000 + b"\n\nx",
        b"\n\n" + b"Name: " * 50_000,
        b"\n\n" + (b"a" * 59 + b":" + b"b" * 2_000 + b"\n") * 500,
        b"Content-Type: text/html\n\n" + b"<div>" * 50_000,
        b"Content-Type: text/html\n\n" + b"<table><tr><td>" * 5_000,
        b"\n\n" + b"On " + b"1 wrote " * 50_000,
        b"\n\n" + b"> " * 100_000,
    ],
    ids=range(16),
)
def test_damaged_and_hostile_mails_are_read_in_no_time(body: bytes) -> None:
    began = time.process_time()
    mail = mail_of(body)
    found = plain_lead(mail)
    assert isinstance(found["request"]["comments"], str)
    assert "\n" not in mail.subject
    assert time.process_time() - began < 2


def test_headers_can_t_smuggle_lines_and_charsets_are_understood() -> None:
    mail = mail_of(
        b"From: =?iso-8859-2?q?J=F3zef_=AFak?= <J@Mail.Example>\n"
        b"Subject: =?utf-8?q?a=0D=0ABcc=3A_x?=\n"
        b"Content-Type: text/plain; charset=windows-1250\n\nZ\xb3oty \x9cwit\n"
    )
    assert (mail.sender, mail.sender_name) == ("j@mail.example", "Józef Żak")
    assert mail.subject == "a Bcc: x"
    assert mail.texts == ("Złoty świt\n",)


def source(**settings: Any) -> Source:
    return Source(code="m", kind="mailbox", mapping={}, secrets={}, settings={**BOX, **settings})


def test_the_kind_reads_previews_and_replays_alike() -> None:
    read = reader_of(source(portal_senders=["portal.example"]), "message/rfc822")
    assert read(raw("Phone: +48 512 345 678"))[0]["customer"]["phone"] == "+48 512 345 678"
    for body, code in (
        (raw("Call somebody"), "no_contact"),
        (raw('<!DOCTYPE a [<!ENTITY a "b">]><adf/>'), "doctype_refused"),
        (b"", "empty"),
    ):
        with pytest.raises(Unreadable) as caught:
            read(body)
        assert caught.value.code == code
        assert caught.value.errors[0]["message"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, None),
        ({"host": ""}, ("host", "missing")),
        ({"user": None}, ("user", "missing")),
        ({"host": "imap brand"}, ("host", "no_server")),
        ({"host": "a\r\nb"}, ("host", "no_server")),
        ({"port": "0"}, ("port", "no_port")),
        ({"port": "x"}, ("port", "no_port")),
        ({"tls": "ssl"}, ("tls", "no_scheme")),
        ({"user": "a\nb"}, ("user", "no_text")),
        ({"every_minutes": "2000"}, ("every_minutes", "no_minutes")),
        ({"folder": "A*"}, ("folder", "no_folder")),
        ({"done_folder": "inbox"}, ("done_folder", "same_folder")),
        ({"portal_senders": ["portal.example", "a@portal.example"]}, None),
        ({"portal_senders": ["no domain"]}, ("portal_senders.0", "no_sender")),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], problem: tuple[str, str] | None) -> None:
    assert settings_problems("mailbox", {**BOX, **settings}) == (
        [] if problem is None else [problem]
    )


def test_each_mail_of_ours_has_an_address_for_answers_that_nobody_can_guess() -> None:
    ours = from_environment(
        {"LMT_SECRET_KEY": "k" * 40, "LMT_REPLY_ADDRESS": "Answers@Brand.example"}
    )
    message_id = uuid.uuid4()
    address = reply_address(ours, message_id)
    local = address.partition("@")[0]
    assert len(local) <= 64
    assert address == address.lower()
    assert message_of_reply(ours, address.upper()) == message_id
    for wrong in (
        address.replace("+r", "+rr"),
        address.replace("+r", "+rb"),
        address.replace("brand", "other"),
        address.replace("+r" + local[9], "+r" + ("a" if local[9] != "a" else "b")),
        "answers@brand.example",
        "answers+r@brand.example",
        "answers+r!!!@brand.example",
    ):
        assert message_of_reply(ours, wrong) is None
    assert message_of_reply(replace(ours, secret_key="other" * 9), address) is None
    nobody = from_environment({"LMT_SECRET_KEY": "k" * 40})
    assert reply_address(nobody, message_id) == ""
    assert message_of_reply(nobody, address) is None


@pytest.mark.parametrize("address", ["leads", "a+b@brand.example", "x" * 21 + "@brand.example"])
def test_an_address_without_room_for_answers_is_refused(address: str) -> None:
    with pytest.raises(BadSetting, match="LMT_REPLY_ADDRESS"):
        from_environment({"LMT_SECRET_KEY": "k" * 40, "LMT_REPLY_ADDRESS": address})


def test_a_port_follows_from_the_encryption() -> None:
    assert source_settings(BOX).port == 993
    assert source_settings({**BOX, "tls": "starttls"}).port == 143
    assert source_settings({**BOX, "port": "1993"}).port == 1993
