"""ADF/XML as real senders write it: every quirk still tells who wants what, and how to answer."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest import adf
from lmt.ingest.normalise import understand
from lmt.ingest.schemas import LeadSchema

INNER = """
<prospect status="new">
 <id sequence="1" source="Portal One">A-77</id>
 <requestdate>2026-03-06T09:12:00+03:00</requestdate>
 <vehicle interest="buy" status="new">
  <year>2026</year><make>Astra Nova</make><model>Lumo</model><trim>GT</trim>
 </vehicle>
 <customer>
  <contact>
   <name part="first">Zofia</name><name part="last">Łęcka</name>
   <email>zofia@example.com</email><phone type="voice" time="evening">+48 22 555 01 00</phone>
  </contact>
  <comments>Is the red one in stock?</comments>
 </customer>
 <vendor><vendorname>Lumo Łódź</vendorname></vendor>
 <provider><name part="full">Portal One</name><service>Finder</service></provider>
</prospect>"""
PLAIN = f'<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>\n<adf>{INNER}\n</adf>'
ESCAPED = PLAIN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
AS_MAIL_HTML = "<html><body>" + "".join(f"<div>{line}</div>" for line in ESCAPED.split("\n"))


def prospect(inner: str) -> bytes:
    return f"<adf><prospect>{inner}</prospect></adf>".encode()


def customer(inner: str) -> dict[str, Any]:
    contact = f"<customer><contact>{inner}</contact></customer>"
    (lead,) = adf.read(prospect(contact))
    return lead


WHOLE = {
    "plain": PLAIN,
    "no prolog": f"<adf>{INNER}</adf>",
    "white space before": "\n\n  \t" + PLAIN,
    "prolog without =": f'<?ADF VERSION "1.0"?>\n<?XML VERSION "1.0"?>\n<adf>{INNER}</adf>',
    "curly quotes": f"<?ADF VERSION “1.0”?><?XML VERSION “1.0”?><adf>{INNER}</adf>",
    "curly attributes": PLAIN.replace('part="first"', "part=“first”").replace(
        'part="last"', "part=‘last’"
    ),
    "instruction before declaration": '<?adf version="1.0"?>' + PLAIN,
    "unterminated declaration": f'<?xml version="1.0"\n<?adf version="1.0"\n<adf>{INNER}</adf>',
    "<adf version>": f"<adf version>{INNER}</adf>",
    "inside an HTML comment": f"<html><body>Lead<!-- {PLAIN} --></body></html>",
    "escaped": ESCAPED,
    "escaped in HTML mail": AS_MAIL_HTML,
    "raw in an HTML page": f"<!DOCTYPE html><html><body><pre>{PLAIN}</pre></body></html>",
    "unquoted attributes": PLAIN.replace('part="first"', "part=first").replace(
        'part="last"', "part=last"
    ),
    "upper case": PLAIN.replace("<prospect", "<PROSPECT")
    .replace("</prospect", "</Prospect")
    .replace("contact>", "Contact>")
    .replace("<adf>", "<ADF>"),
    "mixed case of one pair": PLAIN.replace("<make>", "<Make>").replace("</year>", "</YEAR>"),
    "default namespace": PLAIN.replace("<adf>", '<adf xmlns="urn:example:adf">'),
    "undeclared prefix": PLAIN.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?"),
    "bare DOCTYPE": PLAIN.replace("<adf>", "<!DOCTYPE adf>\n<adf>"),
    "DOCTYPE naming a DTD": PLAIN.replace("<adf>", '<!DOCTYPE adf SYSTEM "adf_1_0.dtd">\n<adf>'),
    "no closing adf": f"<adf>{INNER}",
    "no adf at all around": INNER,
    "tag never closed": PLAIN.replace("</trim>", ""),
    "leaves never closed": PLAIN.replace("</make>", "").replace("</year>", ""),
    "tag closed twice": PLAIN.replace("</contact>", "</contact></contact>"),
    "tags crossed": PLAIN.replace("</email><phone", "<phone").replace(
        "</phone>", "</phone></email>"
    ),
    "unknown entity": PLAIN.replace("<trim>", "<trim>&unheard; "),
    "control characters": PLAIN.replace("GT", "G\x00\x0bT"),
    "comments between": PLAIN.replace("<customer>", "<!-- <adf> --><customer>"),
    "text after": PLAIN + "\n-- \nSent by Portal One",
    "windows line ends": PLAIN.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_a_damaged_document_is_read_whole(text: str) -> None:
    (lead,) = adf.read(text.encode())
    assert lead["id"] == "Portal One:A-77"
    assert lead["sent_at"] == "2026-03-06T09:12:00+03:00"
    assert (lead["customer"]["first_name"], lead["customer"]["last_name"]) == ("Zofia", "Łęcka")
    assert lead["customer"]["email"] == "zofia@example.com"
    assert lead["customer"]["phone"] == "+48 22 555 01 00"
    assert (lead["request"]["brand"], lead["request"]["model"]) == ("Astra Nova", "Lumo")
    assert (lead["vehicle"]["condition"], lead["vehicle"]["year"]) == ("new", 2026)
    assert lead["request"]["comments"] == "Is the red one in stock?"
    assert lead["request"]["preferred_dealer"] == lead["attributes"]["vendor"] == "Lumo Łódź"
    assert lead["request"]["contact_time"] == "evening"
    assert lead["attributes"]["provider"] == {"name": "Portal One", "service": "Finder"}
    assert lead["campaign"]["utm_source"] == ""


LATIN = PLAIN.replace("Łęcka", "Müller").replace("Łódź", "Köln")


@pytest.mark.parametrize(
    ("body", "last_name"),
    [
        (PLAIN.encode("utf-8-sig"), "Łęcka"),
        (PLAIN.encode("utf-16"), "Łęcka"),
        (PLAIN.encode("utf-16-le"), "Łęcka"),
        (PLAIN.encode("utf-16-be"), "Łęcka"),
        (PLAIN.encode("utf-32"), "Łęcka"),
        (LATIN.encode("cp1252"), "Müller"),
        (PLAIN.replace("UTF-8", "windows-1250").encode("cp1250"), "Łęcka"),
        (PLAIN.replace("UTF-8", "ISO-8859-1").encode("utf-8"), "Łęcka"),
        (PLAIN.replace("UTF-8", "UTF-16").encode("utf-8"), "Łęcka"),
        (LATIN.replace("UTF-8", "ISO-8859-1").encode("cp1252"), "Müller"),
        (PLAIN.replace("UTF-8", "no-such-set").encode("utf-8"), "Łęcka"),
        (PLAIN.replace("UTF-8", "rot13").encode("utf-8"), "Łęcka"),
    ],
)
def test_any_usual_encoding_is_read(body: bytes, last_name: str) -> None:
    assert adf.read(body)[0]["customer"]["last_name"] == last_name


def test_a_form_encoded_body_is_read() -> None:
    body = b"adf=%3Cadf%3E%3Cprospect%3E%3Cid%3E7%3C%2Fid%3E%3C%2Fprospect%3E%3C%2Fadf%3E"
    assert adf.read(body)[0]["id"] == "7"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Tom & Jerry", "Tom & Jerry"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("under&nbsp;20&nbsp;000&euro;", "under 20 000€"),
        ("price < 20000 and > 10000", "price < 20000 and > 10000"),
        ("see http://example.com/?a=1&copy=2", "see http://example.com/?a=1&copy=2"),
        ("<![CDATA[one<br />two<BR>three]]>", "one\ntwo\nthree"),
        ("<![CDATA[a < b & c]]>", "a < b & c"),
        ("<![CDATA[<!DOCTYPE html><p>Hello</p><p><b>you</b></p>]]>", "<!DOCTYPE html>Hello\nyou"),
        ("one<br>two", "one\ntwo"),
        ("one&lt;br/&gt;two", "one\ntwo"),
        ("<p>one</p><p>two &amp;amp; three</p>", "one\ntwo & three"),
        ("<![CDATA[never closed", "never closed"),
        ("أريد تجربة قيادة", "أريد تجربة قيادة"),
        ("a\n\n\n\n   b   c", "a\n\nb c"),
        ("&#0;&#x1F600;&#65;", "😀A"),
    ],
)
def test_comments_become_plain_text(given: str, read: str) -> None:
    (lead,) = adf.read(prospect(f"<customer><comments>{given}</comments></customer>"))
    assert lead["request"]["comments"] == read


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ('<name part="full">Zofia Łęcka</name>', {"full_name": "Zofia Łęcka"}),
        ('<name type="full">Zofia Łęcka</name>', {"full_name": "Zofia Łęcka"}),
        ('<name type="first">Zofia</name>', {"first_name": "Zofia", "full_name": ""}),
        ("<name>Zofia Łęcka</name>", {"full_name": "Zofia Łęcka"}),
        ('<name part="surname">Łęcka</name>', {"last_name": "Łęcka"}),
        (
            '<name part="first">Zofia</name><name part="middle">Q.</name>'
            '<name part="last">Łęcka</name>',
            {"first_name": "Zofia", "last_name": "Łęcka", "full_name": "Zofia Q. Łęcka"},
        ),
        (
            '<name part="full" type="business">Lęk sp. z o.o.</name><name part="full">Jan</name>',
            {"company": "Lęk sp. z o.o.", "full_name": "Jan"},
        ),
        ('<name type="business">Lęk sp. z o.o.</name>', {"company": "Lęk sp. z o.o."}),
        ('<name part="first" type="business">Jan</name>', {"first_name": "Jan", "company": ""}),
        ('<name part="title">Dr</name>', {"title": "Dr"}),
        ('<name part="first"></name>', {"first_name": ""}),
    ],
)
def test_name_parts(names: str, expected: dict[str, str]) -> None:
    person = customer(names)["customer"]
    assert {key: person[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("phones", "chosen", "others"),
    [
        ("<phone>0221111111</phone>", "0221111111", []),
        (
            '<phone type="voice">0221111111</phone><phone type="cellphone">0222222222</phone>',
            "0222222222",
            ["0221111111"],
        ),
        (
            '<phone type="voice" preferredcontact="1">0221111111</phone>'
            '<phone type="mobile">0222222222</phone>',
            "0221111111",
            ["0222222222"],
        ),
        (
            '<phone type="fax" preferredcontact="1">0223333333</phone><phone>0221111111</phone>',
            "0221111111",
            ["0223333333"],
        ),
        ('<phone type="fax">0223333333</phone>', "", ["0223333333"]),
        (
            '<phone type="mobile">-</phone><phone type="home">0221111111</phone>',
            "0221111111",
            ["-"],
        ),
        ('<phone type="phone">0221</phone><phone type="mobile">0221</phone>', "0221", []),
    ],
)
def test_the_best_number_is_chosen_and_the_others_kept(
    phones: str, chosen: str, others: list[str]
) -> None:
    lead = customer(phones)
    assert lead["customer"]["phone"] == chosen
    assert [other["phone"] for other in lead["attributes"].get("other_phones", [])] == others


def test_the_preferred_email_is_chosen_and_the_other_kept() -> None:
    lead = customer('<email>a@example.com</email><email preferredcontact="1">b@example.com</email>')
    assert lead["customer"]["email"] == "b@example.com"
    assert lead["attributes"]["other_emails"] == ["a@example.com"]


def test_address_and_language() -> None:
    lead = customer(
        '<address><street line="2">Gate 4</street><street line="1">Olaya St</street>'
        "<apartment>7</apartment><city>الرياض</city><region>Riyadh</region>"
        "<zip>12211</zip><country>Saudi Arabia</country></address><locale>ar</locale>"
    )
    assert lead["address"] == {
        "street": "Olaya St, Gate 4, 7",
        "postcode": "12211",
        "city": "الرياض",
        "region": "Riyadh",
        "country": "Saudi Arabia",
        "lat": None,
        "lon": None,
    }
    assert lead["customer"]["language"] == "ar"


@pytest.mark.parametrize(
    ("written", "sent_at"),
    [
        ("2026-03-06T09:12:00Z", "2026-03-06T09:12:00+00:00"),
        ("2026-03-06T9:12:05-08:0", "2026-03-06T09:12:05-08:00"),
        ("2026-03-06T09:12:00.045-0300", "2026-03-06T09:12:00.045000-03:00"),
        ("2026-03-06 09:12 +3", "2026-03-06T09:12:00+03:00"),
        ("Fri, 06 Mar 2026 09:12:00 +0100", "2026-03-06T09:12:00+01:00"),
        ("2026-03-06T9:12:50", None),
        ("03/06/2026 09:12pm", None),
        ("2026-13-06T09:12:00Z", None),
        ("2026-03-06T09:12:00+99:00", None),
        ("yesterday", None),
    ],
)
def test_request_dates(written: str, sent_at: str | None) -> None:
    (lead,) = adf.read(prospect(f"<requestdate>{written}</requestdate>"))
    assert lead.get("sent_at") == sent_at
    assert ("adf" in lead["attributes"]) == (sent_at is None)
    if sent_at is None:
        assert lead["attributes"]["adf"]["requestdate"] == written


CAR = "<year>2019</year><make>Borea</make><model>Two</model>"
OTHER = "<year>2026</year><make>Astra Nova</make><model>Lumo</model>"


@pytest.mark.parametrize(
    ("vehicles", "type_", "wanted", "trade_in"),
    [
        (f"<vehicle>{CAR}</vehicle>", "", "Two", None),
        (f'<vehicle interest="buy">{CAR}</vehicle>', "", "Two", None),
        (f'<vehicle interest="lease">{CAR}</vehicle>', "", "Two", None),
        (f'<vehicle interest="Test-Drive">{CAR}</vehicle>', "test_drive", "Two", None),
        (f'<vehicle interest="service">{CAR}</vehicle>', "after_sales", "Two", None),
        (f'<vehicle interest="trade-in">{CAR}</vehicle>', "trade_in", "", "Two"),
        (f'<vehicle interest="sell">{CAR}</vehicle>', "trade_in", "", "Two"),
        (
            f'<vehicle interest="trade-in">{CAR}</vehicle><vehicle>{OTHER}</vehicle>',
            "",
            "Lumo",
            "Two",
        ),
        (
            f'<vehicle>{CAR}</vehicle><vehicle interest="trade-in">{CAR}</vehicle>',
            "",
            "Two",
            None,
        ),
        (
            f'<vehicle>{CAR}</vehicle><vehicle interest="trade-in">{CAR}'
            "<odometer units=MILES>12000</odometer></vehicle>",
            "",
            "Two",
            "Two",
        ),
        ("", "", "", None),
    ],
)
def test_the_wanted_vehicle_and_the_one_offered(
    vehicles: str, type_: str, wanted: str, trade_in: str | None
) -> None:
    (lead,) = adf.read(prospect(vehicles))
    assert lead["request"]["type"] == type_
    assert lead["request"]["model"] == wanted
    assert lead["vehicle"]["trade_in"].get("model") == trade_in


def test_a_lease_is_kept_as_the_interest() -> None:
    (lead,) = adf.read(prospect(f'<vehicle interest="lease" status="USED">{CAR}</vehicle>'))
    assert lead["attributes"]["interest"] == "lease"
    assert lead["vehicle"]["condition"] == "used"


def test_a_trade_in_keeps_its_details() -> None:
    (lead,) = adf.read(
        prospect(
            f'<vehicle interest="trade-in" status="used">{CAR}<vin>X1</vin>'
            '<odometer unit="MILES">12000</odometer><comments>one<br/>owner</comments></vehicle>'
        )
    )
    assert lead["vehicle"]["trade_in"] == {
        "condition": "used",
        "year": 2019,
        "make": "Borea",
        "model": "Two",
        "vin": "X1",
        "odometer": "12000",
        "odometer_units": "mi",
        "comments": "one\nowner",
    }


def test_what_has_no_place_is_kept_by_its_path() -> None:
    (lead,) = adf.read(
        prospect(
            f'<vehicle>{CAR}<trim>GT</trim><score value="hot">97</score></vehicle>'
            f"<vehicle>{OTHER}</vehicle>"
            "<customer><contact><idcard>X9</idcard> card number</contact>"
            "<employment><status>fulltime</status></employment></customer>"
        )
    )
    assert lead["attributes"]["adf"] == {
        "vehicle/trim": "GT",
        "vehicle/score": "97",
        "vehicle/score@value": "hot",
        "vehicle[2]/year": "2026",
        "vehicle[2]/make": "Astra Nova",
        "vehicle[2]/model": "Lumo",
        "customer/contact": "card number",
        "customer/contact/idcard": "X9",
        "customer/employment/status": "fulltime",
    }


def test_several_prospects_are_several_leads_in_order() -> None:
    both = f"<adf>{INNER}<prospect status='resend'><id></id></prospect></adf>"
    first, second = adf.read(both.encode())
    assert first["id"] == "Portal One:A-77"
    assert "id" not in second
    assert second["attributes"]["adf"] == {"@status": "resend"}
    assert not understand(second).reachable


def test_a_timeframe_in_any_form() -> None:
    def timeframe(inner: str) -> str:
        body = prospect(f"<customer><timeframe>{inner}</timeframe></customer>")
        return str(adf.read(body)[0]["request"]["timeframe"])

    assert timeframe("within a month") == "within a month"
    assert timeframe("<description>Soon</description>") == "Soon"
    dates = "<earliestdate>2026-05-01</earliestdate><latestdate>2026-06-01</latestdate>"
    assert timeframe(dates) == "2026-05-01 / 2026-06-01"


def test_every_key_is_one_that_the_api_takes_too() -> None:
    (lead,) = adf.read(PLAIN.encode())
    assert LeadSchema().validate(lead) == {}


def _many_attributes(number: int) -> bytes:
    return b" ".join(b"a%d=''" % each for each in range(number))


LAUGHS = '<!DOCTYPE adf [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
EXTERNAL = '<!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \n\t\0", "empty"),
        (b"Hello, please call me.", "no_adf"),
        (b'{"lead": 1}', "no_adf"),
        (b"<html><body>adf</body></html>", "no_adf"),
        (b"<adfs><x/></adfs>", "no_adf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no_adf"),
        (b"<adf></adf>", "no_prospect"),
        (b"<adf/>", "no_prospect"),
        (b"<adf>" + b"<prospect/>" * 201 + b"</adf>", "too_many_prospects"),
        (b"<adf><prospect>" + b"<x>" * 60 + b"</x>" * 60 + b"</prospect></adf>", "too_deep"),
        (b"<adf><prospect " + _many_attributes(150_000) + b"/></adf>", "too_large"),
        (b"<adf><prospect>" + b"<x/>" * 70_000 + b"</prospect></adf>", "too_large"),
        (b"<adf>" + b" " * 2_000_000 + b"</adf>", "too_large"),
        (LAUGHS.encode() + PLAIN.encode(), "doctype_refused"),
        (PLAIN.replace("<adf>", EXTERNAL + "<adf>").encode(), "doctype_refused"),
        (PLAIN.replace("<adf>", "<adf>" + EXTERNAL).encode(), "doctype_refused"),
        (ESCAPED.replace("&lt;adf&gt;", "&lt;!DOCTYPE a [&lt;adf&gt;").encode(), "doctype_refused"),
    ],
)
def test_what_is_no_adf_is_refused_with_its_code(body: bytes, code: str) -> None:
    with pytest.raises(adf.NotAdf) as refusal:
        adf.read(body)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", '<a "', "<a '\"", "<![CDATA[", "<![CDATA[<!-- -->", "<!--", "<!DOCTYPE", "<?",
     "&lt;adf ", "<prospect>", "</adf>", "&#1;", "<adf a=“", "<style>", "<style></style", "%3Cadf"],
)  # fmt: skip
def test_a_hostile_body_takes_no_more_time_than_its_size(piece: str) -> None:
    body = ("<adf><prospect><customer><comments>" + piece * (1_900_000 // len(piece))).encode()
    started = time.process_time()
    with contextlib.suppress(adf.NotAdf):
        adf.read(body[:2_000_000])
    assert time.process_time() - started < 15


def test_documents_mutated_at_random_are_read_or_refused() -> None:
    chance, until = random.Random(20261122), time.monotonic() + 1.5
    bases = [text.encode() for text in WHOLE.values()]
    while time.monotonic() < until:
        body = bytearray(chance.choice(bases))
        for _time in range(chance.randint(1, 12)):
            at = chance.randrange(len(body))
            match chance.randrange(4):
                case 0:
                    body[at] = chance.randrange(256)
                case 1:
                    del body[at : at + chance.randint(1, 40)]
                case 2:
                    body[at:at] = body[at : at + chance.randint(1, 60)]
                case _:
                    body[at:at] = chance.choice(
                        [b"<", b">", b"&", b"]]>", b"<!--", b"<![CDATA[", b"\0"]
                    )
        with contextlib.suppress(adf.NotAdf):
            assert all(understand(lead).given for lead in adf.read(bytes(body)))


_PIECES = st.sampled_from(
    ["<adf>", "</adf>", "<prospect>", "</prospect>", "<customer>", "<contact>", "<name part=full>",
     "<phone>", "0221234567", "<vehicle interest=trade-in>", "<year>", "2019", "</year>", "&", "<",
     ">", "<![CDATA[", "]]>", "<!--", "-->", "<?xml", "&nbsp;", "&#0;", "“", '"', "<br>", "\x00",
     "<!DOCTYPE", "[", "&lt;adf&gt;", "<requestdate>", "2026-03-06T09:12:00+03:00", "é", " "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.lists(_PIECES, max_size=40).map(lambda p: "".join(p).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for candidate in (body, b"<adf><prospect>" + body + b"</prospect></adf>"):
        with contextlib.suppress(adf.NotAdf):
            leads = adf.read(candidate)
            assert leads
            assert all(understand(lead).given for lead in leads)
