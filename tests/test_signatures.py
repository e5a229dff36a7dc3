"""Who may have signed a delivery, and how a secret is kept meanwhile: decision tables."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from lmt.ingest.redaction import redacted, without_google_key
from lmt.ingest.signatures import (
    MISSING,
    OLD,
    WRONG,
    Scheme,
    linkedin_problem,
    linkedin_response,
    meta_problem,
    signature_problem,
)
from lmt.ingest.sourcesecrets import NoSecret, opened
from lmt.ingest.sourcesettings import return_host, settings_problems, source_settings
from lmt.sealing import Broken, seal, unseal

AT = datetime(2026, 3, 6, 9, tzinfo=UTC)
BODY = b'{"name":"Zo\\u00eb","url":"https:\\/\\/a.example"}'
SECRET = "the secret of the tests"


def mac(message: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def base(message: bytes) -> str:
    return base64.b64encode(bytes.fromhex(mac(message))).decode()


def stamp(minutes: float = 0, per_second: int = 1000) -> str:
    return str(int((AT + timedelta(minutes=minutes)).timestamp() * per_second))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (f"sha256={mac(BODY)}", ""),
        ("", MISSING),
        (mac(BODY), WRONG),
        (f"sha256={mac(BODY).upper()}", WRONG),
        (f"sha256={mac(BODY, 'another')}", WRONG),
        (f"sha256={mac(BODY + b' ')}", WRONG),
        (f"sha256={mac(BODY)[:-1]}", WRONG),
        ("sha1=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest(), WRONG),
        ("sha256=…", WRONG),
    ],
)
def test_meta_signs_the_bytes_as_they_came(header: str, problem: str) -> None:
    assert meta_problem(SECRET, header, BODY) == problem


def test_the_signature_is_over_meta_s_own_escapes_not_over_what_they_mean() -> None:
    signed = f"sha256={mac(BODY)}"
    meant = '{"name":"Zoë","url":"https://a.example"}'.encode()
    assert meta_problem(SECRET, signed, meant) == WRONG


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (mac(b"hmacsha256=" + BODY), ""),
        ("hmacsha256=" + mac(b"hmacsha256=" + BODY), ""),
        (mac(BODY), WRONG),
        ("hmacsha256=", MISSING),
        ("", MISSING),
    ],
)
def test_linkedin_signs_its_prefix_too(header: str, problem: str) -> None:
    assert linkedin_problem(SECRET, header, BODY) == problem


def test_linkedin_hears_its_challenge_signed() -> None:
    assert linkedin_response(SECRET, "890e4665") == mac(b"890e4665")


PLAIN = Scheme("X-Sign")
BASE64 = Scheme("X-Sign", "base64", "sha256=")
TIMED = Scheme("X-Sign", scheme="timestamp", timestamp_header="X-Time")


@pytest.mark.parametrize(
    ("scheme", "headers", "problem"),
    [
        (PLAIN, {"X-Sign": mac(BODY)}, ""),
        (PLAIN, {}, MISSING),
        (PLAIN, {"X-Sign": base(BODY)}, WRONG),
        (BASE64, {"X-Sign": "sha256=" + base(BODY)}, ""),
        (BASE64, {"X-Sign": base(BODY)}, WRONG),
        (TIMED, {"X-Sign": mac(stamp().encode() + b":" + BODY), "X-Time": stamp()}, ""),
        (TIMED, {"X-Sign": mac(stamp(5).encode() + b":" + BODY), "X-Time": stamp(5)}, ""),
        (TIMED, {"X-Sign": mac(stamp(-6).encode() + b":" + BODY), "X-Time": stamp(-6)}, OLD),
        (TIMED, {"X-Sign": mac(stamp(6).encode() + b":" + BODY), "X-Time": stamp(6)}, OLD),
        (
            TIMED,
            {"X-Sign": mac(stamp(0, 1).encode() + b":" + BODY), "X-Time": stamp(0, 1)},
            "",
        ),
        (TIMED, {"X-Sign": mac(stamp(-6).encode() + b":" + BODY), "X-Time": stamp()}, WRONG),
        (TIMED, {"X-Sign": mac(b"soon:" + BODY), "X-Time": "soon"}, OLD),
        (TIMED, {"X-Sign": mac(b"9" * 400 + b":" + BODY), "X-Time": "9" * 400}, OLD),
        (TIMED, {"X-Sign": mac(BODY)}, MISSING),
    ],
)
def test_a_form_s_signature(scheme: Scheme, headers: dict[str, str], problem: str) -> None:
    assert signature_problem(scheme, SECRET, headers, BODY, AT) == problem


def test_a_sealed_secret_opens_with_its_key_alone() -> None:
    key = "a" * 40
    sealed = seal(key, "tökén")
    assert "tökén" not in sealed
    assert seal(key, "tökén") != sealed
    assert unseal(key, sealed) == "tökén"
    for other, text in (("b" * 40, sealed), (key, sealed[:-2] + "AA"), (key, "…"), (key, "")):
        with pytest.raises(Broken):
            unseal(other, text)


def test_a_secret_that_is_not_there_and_one_that_cannot_be_read_are_told_apart() -> None:
    secrets = {"access_token": seal("a" * 40, "token")}
    assert opened(secrets, "access_token", "a" * 40) == "token"
    with pytest.raises(NoSecret, match="secret_missing"):
        opened(secrets, "app_secret", "a" * 40)
    with pytest.raises(NoSecret, match="secret_broken"):
        opened(secrets, "access_token", "b" * 40)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"google_key":"s3cret","a":1}', '{"google_key":"…","a":1}'),
        (b'{ "a" : "x","google_key"\n:  "s\\"3cret" }', '{ "a" : "x","google_key"\n:  "…" }'),
        (b'{"google_key":123456789}', '{"google_key":"…"}'),
        (b'{"google_key":"one","google_key":"two"}', '{"google_key":"…","google_key":"…"}'),
        (b'{"deep":[{"google_key":"s3cret"}]}', '{"deep":[{"google_key":"…"}]}'),
        (b'{"a":"\\"google_key\\":\\"kept\\""}', '{"a":"\\"google_key\\":\\"kept\\""}'),
        (b'{"google\\u005fkey":"s3cret"}', '{"google_key": "…"}'),
        (b'{"google_key":{"in":"s3cret"}}', '{"google_key": "…"}'),
        (b"a=1&google_key=s3cret&b=2", "a=1&google_key=…&b=2"),
        (b"a=1&google%5Fkey=s3cret", "a=1&google%5Fkey=…"),
        (b"no_key=here", "no_key=here"),
    ],
)
def test_a_key_in_the_body_is_not_kept_and_every_other_byte_is(body: bytes, kept: str) -> None:
    assert redacted(body, ["google_key"]) == kept.encode()


def test_a_part_of_a_form_is_blacked_out() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="otp"\r\n\r\n12\r\n34\r\n'
        b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\na@example.com\r\n--b--\r\n'
    )
    kept = redacted(body, ["fields.otp"])
    assert b"12" not in kept
    assert b"a@example.com" in kept
    assert kept.count(b"--b") == 3


def test_a_key_in_another_encoding_is_not_kept_either() -> None:
    body = '{"google_key": "s3cret-s3cret", "lead_id": "1"}'.encode("utf-16")
    kept = without_google_key(
        redacted(body, ["google_key"]), {"google_key": "s3cret-s3cret", "lead_id": "1"}
    )
    assert "s3cret".encode("utf-16-le") not in kept
    assert b"s3cret" not in kept
    assert b"lead_id" in kept


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.brand.example/thanks?a=1#b", "www.brand.example"),
        ("https://www.brand.example:443/", "www.brand.example"),
        ("https://www.brand.example:8443/", "www.brand.example:8443"),
        ("HTTPS://WWW.BRAND.EXAMPLE/", "www.brand.example"),
        ("http://localhost:8000/x", "localhost:8000"),
        ("http://www.brand.example/", ""),
        ("//www.brand.example/", ""),
        ("/thanks", ""),
        ("javascript:alert(1)", ""),
        ("https://user@www.brand.example/", ""),
        ("https://www.brand.example\\@evil.example/", ""),
        ("https://www.brand.example/\r\nSet-Cookie: a=b", ""),
        ("https://www.brand.example/\u2028", ""),
        (" https://www.brand.example/", ""),
        ("https://[::1/", ""),
        ("https://www.brand.example:99999/", ""),
        ("https://www.brand.example/" + "a" * 2_000, ""),
        ("", ""),
    ],
)
def test_where_a_visitor_may_be_sent(address: str, host: str) -> None:
    assert return_host(address) == host


@pytest.mark.parametrize(
    ("kind", "settings", "problems"),
    [
        ("google", {}, []),
        ("api", {"oid": "x"}, [("oid", "unknown")]),
        ("web_to_lead", {"oid": "00D000000000000", "redirect_hosts": ["a.example"]}, []),
        ("web_to_lead", {"oid": "00D"}, [("oid", "no_oid")]),
        (
            "web_to_lead",
            {"redirect_hosts": ["a.example", "https://b.example"], "return_url": "b.example"},
            [("redirect_hosts.1", "no_host"), ("return_url", "no_address")],
        ),
        ("web_to_lead", {"redirect_hosts": "a.example"}, [("redirect_hosts", "no_list")]),
        ("web_to_lead", {"redirect_hosts": ["a.example"] * 51}, [("redirect_hosts", "too_many")]),
        ("meta", {"graph_version": "v24.0", "page_ids": ["12"]}, []),
        ("meta", {"graph_version": "24", "page_ids": ["x"]},
         [("graph_version", "no_version"), ("page_ids.0", "no_number")]),
        ("meta", {"graph_url": "https://a.example?x=1"}, [("graph_url", "no_address")]),
        ("linkedin", {"linkedin_version": "202601"}, []),
        ("json", {"signature": {"header": "X-Sign"}, "redact": ["a.otp"]}, []),
        ("json", {"signature": {"header": "X Sign", "encoding": "rot13", "scheme": "timestamp"}},
         [("signature.header", "no_header"), ("signature.encoding", "no_encoding"),
          ("signature.timestamp_header", "timestamp_header_missing")]),
        ("json", {"signature": {"key": "x"}}, [("signature.key", "unknown")]),
        ("json", {"signature": "X-Sign"}, [("signature", "no_text")]),
    ],
)  # fmt: skip
def test_what_may_be_set(
    kind: str, settings: dict[str, object], problems: list[tuple[str, str]]
) -> None:
    assert settings_problems(kind, settings) == problems


def test_what_is_not_set_has_a_default() -> None:
    settings = source_settings({"redirect_hosts": ["A.Example"], "signature": {"header": "X"}})
    assert settings.redirect_hosts == ("a.example",)
    assert settings.signature == Scheme("X", "hex", "", "body", "")
    assert settings.graph_url.startswith("https://")
