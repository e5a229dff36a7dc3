"""What decides about a visitor's form without asking anybody: tables of decisions."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lmt.embed.files import clean_name, content_type_of
from lmt.embed.origins import allowed_origin, foreign_origin, redirect_target
from lmt.embed.script import in_script
from lmt.embed.shown import chosen_language
from lmt.embed.suspicion import REASONS, Facts, reasons
from lmt.embed.visit import came_from, campaign, prefilled
from lmt.forms.definition import FormDefinition
from lmt.forms.token import issue_token, token_problem
from lmt.models import Form

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
BASE = "https://leads.example"
BRAND = "https://www.brand.example"


def field(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": {"en": key.capitalize()}, **more}


def options(*ids: str) -> list[dict[str, Any]]:
    return [{"id": each, "label": {"en": each}} for each in ids]


DEFINITION = FormDefinition.from_json(
    {
        "code": "ask",
        "title": {"en": "Ask"},
        "languages": ["en", "pl"],
        "default_language": "en",
        "steps": [
            {
                "key": "one",
                "fields": [
                    field("kind", "choice", options=options("drive", "offer"), to="request.type"),
                    field("first", "text", to="customer.first_name"),
                    field("name", "name"),
                    field("email", "email"),
                    field("city", "city"),
                    field("comments", "longtext", to="request.comments"),
                    field("wish", "text", prefill=False),
                    field("ref", "hidden", prefill=True),
                    field("fixed", "hidden", value="ours"),
                    field("photo", "file"),
                    field("agree", "consent"),
                ],
            }
        ],
    }
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), ()),
        (Facts(honeypot="x"), ("honeypot",)),
        (Facts(token="missing"), ("token_missing",)),
        (Facts(token="forged"), ("token_forged",)),
        (Facts(token="too_fast"), ()),
        (Facts(token="expired"), ()),
        (Facts(foreign_origin=True), ("origin",)),
        (Facts(over_rate=True), ("rate",)),
        (Facts(answers={"name": "Win at https://x.example"}), ("text",)),
        (Facts(answers={"first": "www.x.example"}), ("text",)),
        (Facts(answers={"name": "Ewa Nowak", "comments": "See https://mine.example"}), ()),
        (Facts(answers={"comments": "http://a http://b"}), ()),
        (Facts(answers={"comments": "http://a http://b [url=c]"}), ("text",)),
        (Facts(answers={"name": "x1", "city": "X1", "comments": "x1"}), ("text",)),
        (Facts(answers={"name": "Kraków", "city": "Kraków"}), ()),
        (Facts("x", "forged", True, True, {"name": "www.x"}),
         ("honeypot", "token_forged", "origin", "rate", "text")),
    ],
)  # fmt: skip
def test_what_makes_a_person_look_first(facts: Facts, expected: tuple[str, ...]) -> None:
    assert reasons(DEFINITION, facts) == expected
    assert set(expected) <= set(REASONS)


@pytest.mark.parametrize(
    ("origin", "allowed", "foreign"),
    [
        (BRAND, True, False),
        (BASE, True, False),
        ("", False, False),
        ("null", False, True),
        ("https://evil.example", False, True),
        ("http://www.brand.example", False, True),
        (f"{BRAND}.evil.example", False, True),
        (f"{BRAND}:8443", False, True),
        ("https://LEADS.example", False, True),
        ("http://inside:8000", False, False),
    ],
)
def test_only_pages_of_the_form_read_and_send(origin: str, allowed: bool, foreign: bool) -> None:
    form = Form(code="ask", origins=[BRAND])
    assert allowed_origin(form, origin, BASE) is allowed
    assert foreign_origin(form, origin, BASE, "inside:8000") is foreign


@pytest.mark.parametrize(
    ("address", "led"),
    [
        (f"{BRAND}/thanks?x=1", True),
        (f"{BASE}/x", True),
        ("", False),
        ("http://www.brand.example/thanks", False),
        ("https://evil.example/", False),
        ("https://www.brand.example@evil.example/", False),
        ("javascript:alert(1)", False),
        ("//www.brand.example/", False),
        ("https://[", False),
    ],
)
def test_visitors_are_led_to_pages_of_the_form_alone(address: str, led: bool) -> None:
    form = Form(code="ask", origins=[BRAND])
    assert redirect_target(form, address, BASE) == (address if led else "")


@pytest.mark.parametrize(
    ("code", "version", "after_seconds", "problem"),
    [
        ("ask", 3, 2, None),
        ("ask", 3, 24 * 3600, None),
        ("ask", 3, 1, "too_fast"),
        ("ask", 3, -60, "too_fast"),
        ("ask", 3, 24 * 3600 + 1, "expired"),
        ("ask", 2, 60, "forged"),
        ("other", 3, 60, "forged"),
    ],
)
def test_a_token_is_of_one_version_and_one_day(
    code: str, version: int, after_seconds: int, problem: str | None
) -> None:
    token = issue_token("secret", "ask", 3, NOON)
    at = NOON + timedelta(seconds=after_seconds)
    assert token_problem("secret", token, code, version, at) == problem
    assert token_problem("another", token, "ask", 3, at) == "forged"
    assert token_problem("secret", "", "ask", 3, at) == "missing"
    assert token_problem("secret", f"{token}x", "ask", 3, at) == "forged"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": ["drive"]}, {"kind": "drive"}),
        ({"kind": ["unheard"]}, {}),
        ({"email": ["ewa@example.com"]}, {"email": "ewa@example.com"}),
        ({"email": ["no mail"]}, {}),
        ({"name": ["x" * 201]}, {}),
        ({"name": ["A\0B"]}, {}),
        ({"name": ["  Ewa "]}, {"name": "Ewa"}),
        ({"wish": ["free"]}, {}),
        ({"ref": ["abc"], "fixed": ["theirs"]}, {"ref": "abc"}),
        ({"agree": ["yes"], "photo": ["a.jpg"]}, {}),
        ({"utm_source": ["x"], "nothing": ["y"]}, {}),
        ({"kind": ["", "drive"]}, {}),
        ({}, {}),
    ],
)
def test_an_address_fills_in_only_what_its_visitor_could_answer(
    given: dict[str, list[str]], expected: dict[str, str]
) -> None:
    assert prefilled(DEFINITION, given, date(2026, 3, 6)) == expected


def test_how_a_visitor_came_is_kept_short_and_on_a_line() -> None:
    given = {"utm_source": " mail\n", "gclid": "a\0b", "fbclid": "x" * 900, "name": "no"}
    assert campaign(given) == {"utm_source": "mail", "gclid": "ab", "fbclid": "x" * 500}
    assert came_from({}, f"{BRAND}/mira", BASE) == {"referrer": f"{BRAND}/mira"}
    assert came_from({}, f"{BASE}/forms/ask", BASE) == {}
    assert came_from({"referrer": "a"}, f"{BRAND}/mira", BASE) == {"referrer": "a"}


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ("pl", ["en"], "pl"),
        ("pl-PL", [], "pl"),
        ("ja", ["fr", "pl-PL"], "pl"),
        ("", ["ja"], "en"),
        ("", [], "en"),
        ("\0", [], "en"),
    ],
)
def test_the_language_is_the_first_that_the_form_speaks(
    wanted: str, accepted: list[str], language: str
) -> None:
    assert chosen_language(DEFINITION, wanted, accepted) == language


@pytest.mark.parametrize(
    ("start", "content_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", ""),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmp42", ""),
        (b"%PDF-1.7", "application/pdf"),
        (b"<svg onload=alert(1)>", ""),
        (b"MZ", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_bytes_say(start: bytes, content_type: str) -> None:
    assert content_type_of(start) == content_type


@pytest.mark.parametrize(
    ("name", "content_type", "kept"),
    [
        ("plan.pdf", "application/pdf", "plan.pdf"),
        ("PLAN.PDF", "application/pdf", "PLAN.pdf"),
        ("../../etc/passwd", "application/pdf", "passwd.pdf"),
        ("C:\\photos\\car.jpeg", "image/jpeg", "car.jpeg"),
        ("photo.exe", "image/png", "photo.png"),
        ("a\u202egpj.exe", "image/png", "agpj.png"),
        ("zażółć.png", "image/png", "zażółć.png"),
        ("...", "image/png", "file.png"),
        ("", "image/png", "file.png"),
        ("x" * 400 + ".png", "image/png", "x" * 115 + ".png"),
    ],
)
def test_a_file_has_a_plain_name_with_a_true_ending(
    name: str, content_type: str, kept: str
) -> None:
    assert clean_name(name, content_type) == kept


def test_data_in_a_script_never_ends_it() -> None:
    data = {"html": "</script></SCRIPT><!-- <script <Script\u2028\u2029&", "ok": "ż"}
    text = in_script(data)
    assert not re.search("</|<!--|<script|[\u2028\u2029]", text, re.IGNORECASE)
    assert json.loads(text) == data
