"""A lead leaves as ADF for a dealer's own system: nothing that was given is lost on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lmt.ingest import adf
from lmt.notify.adfout import adf_document

FULL = """<?xml version="1.0"?><?adf version="1.0"?>
<adf><prospect status="resend" priority="high">
 <id sequence="1" source="Portal One">A-77</id><id sequence="2" source="Portal Two">B-9</id>
 <requestdate>2026-03-06T09:12:00+03:00</requestdate>
 <vehicle interest="lease" status="used">
  <id source="Stock">S1</id><year>2024</year><make code="AN">Astra Nova</make><model>Lumo</model>
  <vin>WAU00000000000001</vin><stock>77</stock><trim>GT</trim><doors>5</doors>
  <odometer status="original" units="km">1500</odometer>
  <colorcombination><exteriorcolor>Sand</exteriorcolor><preference>1</preference></colorcombination>
  <colorcombination><exteriorcolor>Night</exteriorcolor><preference>2</preference></colorcombination>
  <imagetag width="640" alttext="Front">https://img.example/1.jpg</imagetag>
  <price type="quote" currency="EUR">41900</price><pricecomments>with wheels</pricecomments>
  <option><optionname>Roof</optionname><price type="msrp" currency="EUR">900</price></option>
  <option><optionname>Hook</optionname><weighting>+10</weighting></option>
  <finance><method>finance</method><amount type="downpayment" limit="exact">5000</amount>
   <amount type="monthly">300</amount><balance type="residual">9000</balance></finance>
  <score value="hot">97</score>
 </vehicle>
 <vehicle interest="sell" status="used"><year>2015</year><make>Borea</make><model>Two</model>
  <condition>good</condition><odometer units="MILES">60000</odometer>
  <price type="asking" currency="EUR">4000</price><comments>One owner</comments></vehicle>
 <customer>
  <contact primarycontact="1"><name part="first">Zofia</name><name part="last">Łęcka</name>
   <name part="full" type="business">Lumen &amp; Söhne</name>
   <email>second@example.com</email><email preferredcontact="1">zofia@example.com</email>
   <phone type="voice" time="evening">+48 22 555 01 00</phone>
   <phone type="fax">+48 22 555 01 01</phone>
   <address type="home"><street line="1">Prosta 1</street><city>Warszawa</city>
    <postalcode>00-001</postalcode><country>PL</country><floor>3</floor></address>
   <locale>pl</locale></contact>
  <id source="CRM">C-5</id>
  <timeframe><description>Soon</description><earliestdate>2026-05-01</earliestdate></timeframe>
  <comments>Is the &lt;b&gt;red&lt;/b&gt; one in stock? price &lt; 20000 &amp;amp; more</comments>
 </customer>
 <vendor><id source="LMT">PL-WAW-1</id><vendorname>Astra Wola</vendorname>
  <contact><name part="full">Jan Sales</name><email>wola@example.com</email></contact></vendor>
 <provider><name part="full">Portal One</name><service>Finder</service><url>https://one.example</url>
  <contact><name>Desk</name><phone>+48 22 555 09 00</phone></contact></provider>
</prospect></adf>"""


def read(text: str) -> dict[str, Any]:
    (lead,) = adf.read(text.encode())
    return lead


def test_reading_writing_and_reading_again_is_the_same() -> None:
    lead = read(FULL)
    assert adf.read(adf_document(lead)) == [lead]


def test_every_value_of_a_document_stands_in_what_is_written() -> None:
    written = adf_document(read(FULL)).decode()
    root = etree.fromstring(FULL.encode())
    values = {v for e in root.iter("*") for v in (e.text or "", *e.values()) if v.strip()}
    # Its order of preference, and how it spelt a unit, are told in other words.
    for value in values - {"MILES", "1", "2"}:
        shown = value if "<" not in value else "red"
        assert shown.replace("&", "&amp;") in written, value


def test_known_elements_stand_in_the_order_of_the_format() -> None:
    prospect = etree.fromstring(adf_document(read(FULL)))[0]
    assert [child.tag for child in prospect] == [
        "id", "id", "requestdate", "vehicle", "vehicle", "customer", "vendor", "provider"
    ]  # fmt: skip
    assert [child.tag for child in prospect[3]] == [
        "id", "year", "make", "model", "vin", "stock", "trim", "doors", "odometer",
        "colorcombination", "colorcombination", "imagetag", "price", "pricecomments", "option",
        "option", "finance", "score",
    ]  # fmt: skip
    assert [child.tag for child in prospect.find("customer")] == [
        "contact", "id", "timeframe", "comments"
    ]  # fmt: skip


def test_a_lead_that_knows_little_is_still_whole_adf() -> None:
    prospect = etree.fromstring(adf_document({}))[0]
    assert [child.tag for child in prospect] == ["requestdate", "vehicle", "customer", "vendor"]
    assert [child.tag for child in prospect.find("vehicle")] == ["year", "make", "model"]
    for party in ("customer", "vendor"):
        assert [c.tag for c in prospect.find(f"{party}/contact")] == ["name", "email"]


def test_our_reference_comes_first_and_notes_stand_below_the_comments() -> None:
    lead = read(FULL)
    body = adf_document(lead, reference="K7QF-2M9D", notes=["Request: Quote", "Language: Polish"])
    again = adf.read(body)[0]
    assert again["id"] == "LMT:K7QF-2M9D"
    assert again["attributes"]["adf"]["id[2]"] == "A-77"
    assert again["request"]["comments"].endswith("\n\nRequest: Quote\nLanguage: Polish")


@pytest.mark.parametrize(
    "text",
    ["a\x00b\x08c", "\ud800 lone", "\ufffe\uffff", "<script>alert(1)</script>", "&lt;b&gt; & &amp;",
     "]]> <![CDATA[", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "%3Cadf%3E", "نص عربي", "😀 𝒜", "a\nb"],
)  # fmt: skip
def test_any_text_is_written_or_left_out_by_rule(text: str) -> None:
    lead = {
        "customer": {"full_name": text, "email": text},
        "request": {"comments": text},
        "vehicle": {"trade_in": {text: text, "make": text}},
        "attributes": {"adf": {text: text, "vehicle/x": text, f"@{text}": text}, "vendor": text},
    }
    again = adf.read(adf_document(lead, reference=text, notes=[text]))[0]
    shown = re.sub("[\x00\x08\ud800\ufffe\uffff]", "", text)
    assert again["request"]["comments"].startswith(shown.strip())


@pytest.mark.parametrize(
    "attributes",
    [
        {"adf": {"vehicle[99999]/x": "1", "a" * 5000: "1", "/": "1", "@": "1", "…": "truncated"}},
        {"adf": {"/".join("abcdefgh" * 10): "deep"}},
        {"adf": "no object", "provider": [], "other_phones": "x", "other_emails": [1, {"a": 1}]},
        {"adf": {"vehicle/make": {"a": 1}, "x": None}, "vendor_ids": [None, 7], "interest": 7},
    ],
)
def test_attributes_of_any_shape_never_break_the_writer(attributes: dict[str, Any]) -> None:
    assert adf.read(adf_document({"attributes": attributes}))


def test_free_keys_of_a_trade_in_are_told_in_words() -> None:
    traded = {"brand": "Borea", "year": 2015, "first registration": "May", "comments": "Good"}
    vehicle = etree.fromstring(adf_document({"vehicle": {"trade_in": traded}}))[0].findall(
        "vehicle"
    )
    assert vehicle[1].findtext("make") == "Borea"
    assert vehicle[1].findtext("comments") == "Good\nfirst registration: May"


_TEXTS = st.text(
    st.sampled_from("abcZ09 \n&<>;:/@[]'\"-_éłß٣س😀\u00a0\u200b#"), max_size=12
) | st.sampled_from(
    ["0221234567", "a@example.com", "2019", "97", "2026-03-06T09:12:00Z", "&amp;lt;b&amp;gt;",
     "buy", "test drive", "USED", "<br/>", "A:B", "Tom"]
)  # fmt: skip
_SOME_NAMES = (
    "id requestdate vehicle year make model vin trim odometer condition price option optionname"
    " customer contact name email phone cellphone address street city region regioncode zip"
    " postalcode country timeframe description earliestdate comments comment vendor vendorname url"
    " provider service locale company fullname score x-y interest"
)
_NAMES = st.sampled_from(_SOME_NAMES.split())
_SOME_KEYS = (
    "interest status part type time source units unit preferredcontact primarycontact line"
    " sequence value"
)
_SOME_VALUES = (
    "1 0 full first last middle business individual voice fax mobile evening trade-in sell buy"
    " lease test-drive new used MILES km A:B 2 work"
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(_SOME_KEYS.split()), st.sampled_from(_SOME_VALUES.split()), max_size=3
)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 3) -> str:
    name, text = draw(_NAMES), draw(_TEXTS)
    shown = text.replace("&", "&amp;").replace("<", "&lt;") if draw(st.booleans()) else text
    given = "".join(f' {key}="{value}"' for key, value in draw(_ATTRIBUTES).items())
    inner = "".join(draw(st.lists(_elements(depth - 1), max_size=3))) if depth else ""
    return f"<{name}{given}>{shown}{inner}</{name}>"


@settings(max_examples=60, deadline=None)
@given(st.lists(_elements(), max_size=4), st.booleans())
def test_a_round_trip_loses_nothing_of_any_document(inner: list[str], is_nested: bool) -> None:
    body = "".join(inner)
    if is_nested:
        body = f"<customer><contact>{body}</contact></customer><vehicle>{body}</vehicle>"
    lead = read(f"<adf><prospect>{body}</prospect></adf>")
    kept = lead["attributes"].get("adf", {})
    if "…" not in kept and "…" not in lead["vehicle"]["trade_in"]:
        assert adf.read(adf_document(lead)) == [lead]
