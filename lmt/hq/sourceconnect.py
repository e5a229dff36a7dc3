"""How a sender is connected to its source: address, headers, what to type where, and a line to try
it with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lmt.i18n import gettext as _
from lmt.mapping.presets import PRESETS
from lmt.models import Source

PLACEHOLDER = "YOUR-KEY"
_API_SAMPLE: Mapping[str, Any] = {
    "test": True,
    "customer": {"full_name": "Test Person", "email": "test.person@mail.example"},
    "address": {"city": "Testville"},
    "request": {"type": "test_drive"},
}
_ADF_SAMPLE = (
    '<?adf version="1.0"?><adf><prospect><requestdate>2026-01-15T10:00:00Z</requestdate>'
    "<vehicle><make>Aurel</make></vehicle><customer><contact>"
    '<name part="full">Test Person</name><email>test.person@mail.example</email>'
    "</contact></customer></prospect></adf>"
)

_MAIL_SAMPLE = (
    "From: Portal <leads@portal.example>\nSubject: New request\n\nName: Test Person\n"
    "Email: test.person@mail.example\nPhone: +48 512 000 000\nCity: Testville\n\n"
    "I would like a test drive."
)


@dataclass(frozen=True, slots=True)
class Connection:
    """`fields` are (words, what to copy); `curl` is "" where only the platform can send."""

    address: str
    fields: Sequence[tuple[str, str]]
    steps: Sequence[str]
    curl: str = ""
    marks_test: bool = True
    """Does what `curl` sends say of itself that it is a test?"""


def connection_guide(source: Source, base_url: str, key: str = "") -> Connection:
    """What to do at the sender's side; `key` where it is known, which is only once."""
    shown = key or PLACEHOLDER
    make = _KINDS.get(source.kind, _other)
    return make(source, base_url, shown)


def sample_of(source: Source) -> tuple[str, str]:
    """A payload such as its sender would send, and its content type; "" where none is known."""
    if source.kind == "adf":
        return _ADF_SAMPLE, "application/xml"
    if source.kind in {"api", "call_centre", "campaign"}:
        return json.dumps(_API_SAMPLE, indent=2), "application/json"
    if source.kind == "mailbox":
        return _MAIL_SAMPLE, "message/rfc822"
    preset = PRESETS.get(str(source.mapping.get("preset") or "")) or PRESETS.get(source.kind)
    return (preset.sample, preset.sample_type) if preset else ("", "")


def _json(source: Source, base_url: str, key: str) -> Connection:
    address = f"{base_url}/ingest/json/{quote(source.code)}"
    sample, kind = sample_of(source)
    return Connection(
        address,
        [
            (_("Header"), f"Authorization: Bearer {key}"),
            (_("Address with the key, where no header can be set"), f"{address}?key={key}"),
        ],
        [
            _("Enter the address where your tool asks for a webhook or a destination."),
            _("Let it send JSON, or the form's fields as they are, by POST."),
            _("Send the key in the header. Where that can't be done, put it into the address."),
        ],
        # Whose fields nobody knows yet is tried with a delivery of its own, from a file.
        _curl(address, key, kind or "application/json", sample or "@delivery.json"),
        marks_test=False,
    )


def _google(source: Source, base_url: str, key: str) -> Connection:
    address = f"{base_url}/ingest/google/{quote(source.code)}"
    sample = {**_sample("google"), "google_key": key, "is_test": True}
    return Connection(
        address,
        [(_("Webhook URL"), address), (_("Key"), key)],
        [
            _("In Google Ads open the lead form, then its lead delivery options."),
            _("Enter the webhook URL and the key below, and save."),
            _("Press “Send test data”. The test appears on this page in a moment."),
        ],
        _curl(address, "", "application/json", json.dumps(sample, ensure_ascii=False)),
    )


def _meta(source: Source, base_url: str, _key: str) -> Connection:
    address = f"{base_url}/ingest/meta/{quote(source.code)}"
    return Connection(
        address,
        [(_("Callback URL"), address)],
        [
            _("Set the app secret, a verify token and an access token below first."),
            _("In your app's settings open Webhooks, choose Page, and subscribe to this object."),
            _("Enter the callback URL and the same verify token, then subscribe to “leadgen”."),
            _("Let the page use the app, and send a lead with Meta's lead ads testing tool."),
        ],
    )


def _tiktok(source: Source, base_url: str, key: str) -> Connection:
    address = f"{base_url}/ingest/tiktok/{quote(source.code)}?token={quote(key)}"
    return Connection(
        address,
        [(_("Callback URL"), address)],
        [
            _("In TikTok's leads center connect a custom API with webhooks."),
            _("Enter the callback URL with its token. It stays a secret: nobody else may know it."),
        ],
        _curl(address, "", "application/json", json.dumps(_sample("tiktok"), ensure_ascii=False)),
        marks_test=False,
    )


def _linkedin(source: Source, base_url: str, _key: str) -> Connection:
    address = f"{base_url}/ingest/linkedin/{quote(source.code)}"
    return Connection(
        address,
        [(_("Webhook URL"), address)],
        [
            _("Set the client secret and an access token below first."),
            _("In your developer application open Webhooks and enter the webhook URL."),
            _("Subscribe to lead events of your account. LinkedIn checks the address at once."),
        ],
    )


def _web_to_lead(source: Source, base_url: str, _key: str) -> Connection:
    address = f"{base_url}/ingest/web-to-lead/{quote(source.code)}"
    sample = PRESETS["web_to_lead"].sample
    return Connection(
        address,
        [
            (_("The form's address (action)"), address),
            (
                _("Or only its server, where the form keeps its oid"),
                f"{base_url}/servlet/servlet.WebToLead",
            ),
        ],
        [
            _("Replace the address in the form's action with the one below. Nothing else."),
            _("Set under Change which servers visitors may be sent back to."),
        ],
        _curl(address, "", "application/x-www-form-urlencoded", sample),
        marks_test=False,
    )


def _adf(source: Source, base_url: str, key: str) -> Connection:
    address = f"{base_url}/ingest/adf/{quote(source.code)}"
    return Connection(
        address,
        [(_("Header"), f"Authorization: Bearer {key}")],
        [_("Post the ADF document to the address, with the key in the header.")],
        _curl(address, key, "application/xml", _ADF_SAMPLE),
        marks_test=False,
    )


def _mailbox(source: Source, _base_url: str, _key: str) -> Connection:
    user = str(source.settings.get("user") or "")
    return Connection(
        user if "@" in user else "",
        [],
        [
            _("Set the password of the mailbox below, then open Mails and test the connection."),
            _("Let portals and partners send their leads to the mailbox, one mail for each."),
            _("Files of leads come by mail, too: confirm the columns of the first under Imports."),
        ],
    )


def _api(_source: Source, base_url: str, key: str) -> Connection:
    address = f"{base_url}/api/v1/leads"
    return Connection(
        address,
        [(_("Header"), f"Authorization: Bearer {key}")],
        [
            _("Post one lead as JSON, with the key in the header. It tells which source it is."),
            _("Send an Idempotency-Key with each, so that a repeat is the same lead."),
        ],
        _curl(address, key, "application/json", json.dumps(_API_SAMPLE)),
    )


def _file(_source: Source, _base_url: str, _key: str) -> Connection:
    return Connection(
        "",
        [],
        [
            _("Import a file of leads. You see what each row becomes before anything is taken in."),
            _("What its columns mean is remembered for the next file."),
        ],
    )


def _other(_source: Source, _base_url: str, _key: str) -> Connection:
    return Connection("", [], [_("Its leads come by a form or a file of ours.")])


def _sample(preset: str) -> dict[str, Any]:
    found = json.loads(PRESETS[preset].sample)
    return dict(found) if isinstance(found, dict) else {}


def _curl(address: str, key: str, content_type: str, body: str) -> str:
    words = ["curl", "-X", "POST", address]
    if key:
        words += ["-H", f"Authorization: Bearer {key}"]
    how = "--data-binary" if body.startswith("@") else "--data-raw"
    return shlex.join([*words, "-H", f"Content-Type: {content_type}", how, body])


_KINDS = {
    "json": _json,
    "google": _google,
    "meta": _meta,
    "tiktok": _tiktok,
    "linkedin": _linkedin,
    "web_to_lead": _web_to_lead,
    "mailbox": _mailbox,
    "file": _file,
    "adf": _adf,
    "api": _api,
    "call_centre": _api,
    "campaign": _api,
}
