"""Doors of the intake as their senders know them, and what nobody should send through them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from lmt.ingest.keys import key_hash
from lmt.models import Source
from lmt.sealing import seal
from tests.world import ADF_KEY, API_KEY, World

SECRET = "a shared secret"
OID = "00D0000000abcDE"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"
MAPPING = {
    "lines": [
        {"target": target, "paths": [path]}
        for target, path in (
            ("customer.full_name", "name"),
            ("customer.email", "email"),
            ("request.comments", "comments"),
            ("request.model", "model"),
            ("address.city", "city"),
            ("id", "number"),
        )
    ]
}

Headers = Mapping[str, str]


def key_of(code: str) -> str:
    """The key of a source; no two may share one."""
    return f"lmt_test_{code}_" + "h" * 30


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def stamped(body: bytes, at: datetime | None = None) -> Headers:
    """The headers of a form that signs its instant too."""
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    return {"X-Time": stamp, "X-Sign": signed(stamp.encode() + b":" + body)}


@dataclass(frozen=True)
class Door:
    """Where a sender posts, and how it shows that it may; a body is `read` as one of
    api, adf, any, google, notice, tiktok."""

    name: str
    path: str
    read: str
    vouch: Callable[[bytes], Headers] = lambda _body: {}
    shows: Headers = field(default_factory=dict)
    """What must be shown, wrong: for those who may not."""
    is_page: bool = False


def bearer(key: str) -> Callable[[bytes], Headers]:
    return lambda _body: {"Authorization": f"Bearer {key}"}


DOORS = {
    door.name: door
    for door in (
        Door("api", "/api/v1/leads", "api", bearer(API_KEY)),
        Door("adf", "/ingest/adf/adf-pl", "adf", bearer(ADF_KEY)),
        Door("google", "/ingest/google/h-google", "google"),
        Door(
            "meta", "/ingest/meta/h-meta", "notice",
            lambda body: {"X-Hub-Signature-256": f"sha256={signed(body)}"},
        ),
        Door(
            "linkedin", "/ingest/linkedin/h-linkedin", "notice",
            lambda body: {"X-LI-Signature": signed(b"hmacsha256=" + body)},
        ),
        Door("tiktok", f"/ingest/tiktok/h-tiktok?token={key_of('h-tiktok')}", "tiktok"),
        Door("json", "/ingest/json/h-json", "any", bearer(key_of("h-json"))),
        Door("query", f"/ingest/json/h-json?key={key_of('h-json')}", "any"),
        Door("signed", "/ingest/json/h-signed", "any", stamped),
        Door("form", "/ingest/web-to-lead/h-form", "any", is_page=True),
        Door("salesforce", f"/servlet/servlet.WebToLead?orgId={OID}", "any", is_page=True),
    )
}  # fmt: skip


def add_sources(session: Session, world: World, secret_key: str) -> None:
    """The sources behind those doors that the small world has none of."""
    scheme = {"header": "X-Sign", "scheme": "timestamp", "timestamp_header": "X-Time"}
    secrets: dict[str, tuple[str, ...]] = {
        "h-google": (),
        "h-meta": ("app_secret", "verify_token"),
        "h-linkedin": ("client_secret",),
        "h-tiktok": (),
        "h-json": (),
        "h-signed": ("signing_secret",),
        "h-form": (),
    }
    settings: dict[str, dict[str, Any]] = {
        "h-signed": {"signature": scheme},
        "h-form": {
            "oid": OID,
            "redirect_hosts": ["brand.example"],
            "return_url": "https://home.example/",
        },
    }
    kinds = {"h-signed": "json", "h-form": "web_to_lead"}
    for code, names in secrets.items():
        kind = kinds.get(code, code.removeprefix("h-"))
        session.add(
            Source(
                code=code, kind=kind, name=code, market_id=world.markets["PL"],
                brand_id=world.brand_id, country="PL", language="pl",
                key_hash=key_hash(key_of(code)), settings=settings.get(code, {}),
                mapping=MAPPING if kind == "json" else {},
                secrets={name: seal(secret_key, SECRET) for name in names},
            )
        )  # fmt: skip
    session.commit()


def entities(count: int = 9) -> str:
    """Each ten times the one before: a few lines that would become a thousand million."""
    lines = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, count + 1)]
    return '<!ENTITY e0 "ha">' + "".join(lines)


def adf(inside: str, doctype: str = "") -> bytes:
    contact = f'<contact><name part="full">{inside}</name><email>a@example.com</email></contact>'
    return (
        f'<?xml version="1.0"?>{doctype}<adf><prospect><customer>{contact}</customer></prospect>'
        "</adf>"
    ).encode()


def parts(count: int, content: str = "x") -> bytes:
    part = f'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n{content}\r\n'
    return (part * count + "--b--\r\n").encode()


def many_keys(count: int) -> bytes:
    return ("{" + ",".join(f'"k{n}":1' for n in range(count)) + "}").encode()


@dataclass(frozen=True)
class Hostile:
    """A body, how it is labelled, and the name of the error where it is read as the API's JSON, as
    ADF, and by a mapping."""

    body: bytes
    label: str
    api: str
    adf: str
    any: str

    def name(self, door: Door) -> str:
        """As this door calls it: a platform's reads JSON whatever the label says."""
        if door.read in {"api", "adf"}:
            return self.api if door.read == "api" else self.adf
        return OWN_NAMES.get(door.name, {}).get(self.any, self.any)


OWN_NAMES = {
    "google": {"mapping": "key_missing", "no_fields": "no_json"},
    "meta": {"mapping": "no_entry"},
    "linkedin": {"mapping": "no_lead_id"},
    "tiktok": {"mapping": "no_entry", "no_fields": "no_json"},
}


def hostile(
    body: bytes | str,
    label: str = JSON,
    *,
    any: str = "mapping",
    api: str = "no_json",
    adf: str = "no_adf",
) -> Hostile:
    return Hostile(body if isinstance(body, bytes) else body.encode(), label, api, adf, any)


BODIES: Mapping[str, Hostile] = {
    "nothing": hostile(b"", any="empty", adf="empty"),
    "blanks": hostile(b" \r\n\t" * 10, any="empty", adf="empty"),
    "nothing but NUL": hostile(b"\0" * 500, any="empty", adf="empty"),
    "deep lists": hostile("[" * 100_000, api="too_deep", any="too_deep"),
    "deep objects": hostile('{"a":' * 50_000 + "1" + "}" * 50_000, api="too_deep", any="too_deep"),
    "a million keys": hostile(many_keys(150_000), api="too_many_fields", any="too_many_fields"),
    "a million empties": hostile("[" + "{}," * 600_000 + "{}]", api="too_many_fields",
                                 any="too_many_fields"),
    "NaN": hostile('{"email":NaN}', any="no_number"),
    "Infinity": hostile('{"email":-Infinity}', any="no_number"),
    "a huge number": hostile('{"email":' + "9" * 100_000 + "}"),
    "a huge exponent": hostile('{"email":1e99999,"attributes":{"a":1e99999}}', api="invalid"),
    "a key twice": hostile('{"email":"a","email":"b"}', api="invalid"),
    "half a document": hostile('{"customer":{"email":"a@exam', any="no_json"),
    "text after the end": hostile('{"a":1}{"b":2}', any="no_json"),
    "no object": hostile('"a@example.com"', api="no_object", any="no_json"),
    "a number": hostile("12", api="no_object", any="no_json"),
    "invalid UTF-8": hostile(b'{"email":"\xff\xfe\xc0\xaf"}'),
    "lone surrogates": hostile(r'{"customer":{"email":"\ud800"},"\udfff":"\ud800"}', api="invalid"),
    "NUL in names and values": hostile(r'{"customer":{"email":"\u0000"},"\u0000":"\u0000"}',
                                       api="invalid"),
    "NUL as a byte": hostile(b'{"email":"a\0b"}'),
    "bytes of no text": hostile(bytes(range(1, 32)) * 40, any="not_text", adf="empty"),
    "an archive": hostile(b"PK\x03\x04" + b"\x00\x01\x02\x03\x04\x05\x06\x07" * 50,
                          "application/zip", any="not_text"),
    "prototypes": hostile('{"__proto__":{"email":"a"},"constructor":{"prototype":1}}',
                          api="invalid"),
    "a path as a name": hostile('{"../../etc/passwd":"1","customer":"../.."}', api="invalid"),
    "100,000 fields": hostile("a=1&" * 100_000, FORM, any="too_many_fields"),
    "escapes that end": hostile("%", FORM, any="no_fields"),
    "escapes of anything": hostile("a=%ff%fe%00%zz%", FORM),
    "no boundary": hostile(parts(3), "multipart/form-data"),
    "another boundary": hostile(parts(4), "multipart/form-data; boundary=zzz"),
    "a boundary of anything": hostile("x", "multipart/form-data; boundary=" + '"' * 500,
                                      any="no_fields"),
    "10,000 parts": hostile(parts(10_000), PARTS, any="too_many_fields"),
    "a part without an end": hostile('--b\r\nContent-Disposition: form-data; name="a', PARTS,
                                     any="no_form"),
    "a huge file": hostile(
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="../../x.exe"\r\n\r\n'
        + b"MZ" * 900_000 + b"\r\n--b--\r\n", PARTS),
    "entities": hostile(adf("&e9;", f"<!DOCTYPE adf [{entities()}]>"), "text/xml",
                        adf="doctype_refused", any="no_fields"),
    "an external entity": hostile(
        adf("&x;", '<!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "text/xml",
        adf="doctype_refused", any="no_fields"),
    "a parameter entity": hostile(
        adf("a", '<!DOCTYPE adf [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]>'), "text/xml",
        adf="doctype_refused", any="no_fields"),
    "deep elements": hostile("<adf><prospect>" + "<x>" * 5_000, "text/xml", adf="too_deep",
                             any="no_fields"),
    "elements without end": hostile("<adf>" + "<a/>" * 400_000, "text/xml", adf="too_large",
                                    any="no_fields"),
    "attributes without end": hostile(
        "<adf><prospect " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/></adf>", "text/xml",
        adf="too_large", any="no_fields"),
}  # fmt: skip


def lead_of(door: Door, text: str, number: int = 1) -> tuple[bytes, str]:
    """A lead that this door takes, with `text` in every field that holds any; and its label."""
    email = f"eve{number}@example.com"
    if door.read == "api":
        person = {"full_name": text, "company": text, "email": email}
        data: dict[str, Any] = {
            "customer": person,
            "address": {"street": text, "city": text},
            "request": {"comments": text, "model": text},
            "campaign": {"utm_campaign": text},
            "attributes": {text: text},
        }
        return json.dumps(data).encode(), JSON
    if door.read == "adf":
        safe = f"<![CDATA[{text}]]>"
        return (
            f'<adf><prospect><customer><contact><name part="full">{safe}</name><email>{email}'
            f"</email></contact><comments>{safe}</comments></customer><vendor><vendorname>{safe}"
            f"</vendorname></vendor><odd>{safe}</odd></prospect></adf>"
        ).encode(), "text/xml"
    if door.read == "google":
        answers = {"FULL_NAME": text, "EMAIL": email, "CITY": text, text: text}
        columns = [{"column_id": name, "string_value": value} for name, value in answers.items()]
        found = {
            "lead_id": f"g-{number}",
            "google_key": key_of("h-google"),
            "user_column_data": columns,
        }
        return json.dumps(found).encode(), JSON
    if door.read == "tiktok":
        answers = {"name": text, "email": email, "city": text, text: text}
        changes = [{"field": name, "value": value} for name, value in answers.items()]
        return json.dumps({"entry": [{"id": number, "changes": changes}]}).encode(), JSON
    fields = {"name": text, "email": email, "comments": text, "model": text, "city": text}
    if door.is_page:
        fields |= {"last_name": text, "company": text, "description": text, "retURL": text}
    return urlencode({**fields, text: text}).encode(), FORM
