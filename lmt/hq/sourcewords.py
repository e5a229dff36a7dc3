"""Sources in the reader's words: their kinds, what is set of them, and what was changed when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.support import LazyProxy
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.i18n import country_name, language_name, ngettext
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import LABELS, label
from lmt.models import Brand, Campaign, Market, SettingChange, User

MOST_CHANGES = 20

KIND_HELP: Mapping[str, LazyProxy] = {
    "json": _l(
        "Any form or tool that posts JSON or form fields: HubSpot, Typeform, Webflow, Gravity "
        "Forms, Contact Form 7, or a program of your own."
    ),
    "google": _l("Lead forms in Google Ads, sent by their webhook."),
    "meta": _l("Instant forms on Facebook and Instagram. They are announced, then fetched."),
    "tiktok": _l("Lead generation on TikTok, sent by its webhook."),
    "linkedin": _l("Lead gen forms on LinkedIn. They are announced, then fetched."),
    "web_to_lead": _l(
        "Forms made for Salesforce Web-to-Lead: change their address, and nothing else."
    ),
    "mailbox": _l(
        "A mailbox to which portals, dealers or customers write: ADF, files, or plain mails."
    ),
    "adf": _l("ADF/XML documents, as marketplaces and agencies of the car trade send them."),
    "api": _l("A program that speaks our own interface."),
    "call_centre": _l("A call centre's system that speaks our own interface."),
    "campaign": _l("A campaign page that speaks our own interface."),
    "file": _l("Lists of call centres and other databases: CSV, Excel or OpenDocument files."),
}
STATE_WORDS: Mapping[str, LazyProxy] = {
    "ok": _l("Runs"),
    "new": _l("Nothing yet"),
    "quiet": _l("Quiet"),
    "silent": _l("Silent"),
    "failing": _l("Failing"),
    "paused": _l("Paused"),
    "retired": _l("Retired"),
}
STATE_CHIPS: Mapping[str, str] = {
    "ok": "won",
    "new": "new",
    "quiet": "queue",
    "silent": "band-hot",
    "failing": "band-hot",
    "paused": "queue",
    "retired": "done",
}
FIELD_WORDS: Mapping[str, LazyProxy] = {
    "name": _l("Name"),
    "kind": _l("Kind"),
    "market_id": _l("Market"),
    "brand_id": _l("Brand"),
    "campaign_id": _l("Campaign"),
    "country": _l("Country"),
    "language": _l("Language"),
    "solicited": _l("Its people did not ask us"),
    "tells_customer": _l("Its people get our mails"),
    "defaults": _l("Where nothing is given"),
    "settings": _l("Settings of its kind"),
    "mapping": _l("Field mapping"),
    "starts_on": _l("First day"),
    "ends_on": _l("Last day"),
    "utm_source": _l("Tag: source"),
    "utm_medium": _l("Tag: medium"),
    "utm_campaign": _l("Tag: campaign"),
    "platform_ids": _l("Numbers at the platforms"),
    "cost": _l("Cost"),
    "currency": _l("Currency"),
    "code": _l("Code"),
    "state": _l("State"),
    "key": _l("Key"),
    "app_secret": _l("App secret"),
    "verify_token": _l("Verify token"),
    "access_token": _l("Access token"),
    "client_secret": _l("Client secret"),
    "signing_secret": _l("Signing secret"),
    "password": _l("Password"),
}
SECRET_HELP: Mapping[str, LazyProxy] = {
    "app_secret": _l("Of your app: its deliveries are signed with it."),
    "verify_token": _l("A word you make up, and type where the platform asks for it."),
    "access_token": _l("With it the answers are fetched from the platform."),
    "client_secret": _l("Of your app: its deliveries are signed with it."),
    "password": _l("Of the mailbox. It is forgotten where another server or port is named."),
    "signing_secret": _l(
        "With it the sender signs each delivery, where the settings name a header for it."
    ),
}
_SETTING_STATES: Mapping[str, LazyProxy] = {
    "set": _l("set"),
    "not_set": _l("not set"),
    "set_anew": _l("set anew"),
    "runs": _l("runs"),
    "paused": _l("paused"),
    "retired": _l("retired"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    words: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """`who` is "" where nobody of ours did it."""

    at: datetime
    who: str
    changes: list[Difference]


def problem_words(code: str) -> str:
    """Why deliveries were kept unread or turned away."""
    for kind in ("intake_problem", "refusal_code"):
        if code in LABELS.get(kind, {}):
            return label(kind, code)
    return code


def changes_of(session: Session, kind: str, subject: str) -> list[ChangeRow]:
    """The latest first; ids are told by name."""
    rows = session.execute(
        select(SettingChange, User.name)
        .outerjoin(User, User.id == SettingChange.user_id)
        .where(SettingChange.kind == kind, SettingChange.subject == subject)
        .order_by(SettingChange.id.desc())
        .limit(MOST_CHANGES)
    ).all()
    names = _names(session, [row for row, _who in rows])
    return [
        ChangeRow(
            row.at,
            who or "",
            [
                Difference(
                    str(FIELD_WORDS.get(name, name)),
                    _value(name, row.before.get(name), names),
                    _value(name, row.after.get(name), names),
                )
                for name in sorted({**row.before, **row.after}, key=_order)
            ],
        )
        for row, who in rows
    ]


def _order(name: str) -> int:
    return list(FIELD_WORDS).index(name) if name in FIELD_WORDS else len(FIELD_WORDS)


def _names(session: Session, rows: Iterable[SettingChange]) -> dict[tuple[str, Any], str]:
    names: dict[tuple[str, Any], str] = {}
    kept = [part for row in rows for part in (row.before, row.after)]
    for field, model in (("market_id", Market), ("brand_id", Brand), ("campaign_id", Campaign)):
        ids = {part[field] for part in kept if part.get(field) is not None}
        if ids:
            found = session.execute(select(model.id, model.name).where(model.id.in_(ids)))
            names.update({(field, id): name for id, name in found})
    return names


def _value(name: str, value: Any, names: Mapping[tuple[str, Any], str]) -> str:
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if (name, value if isinstance(value, int) else None) in names:
        return names[name, value]
    if name == "kind":
        return label("channel", str(value))
    if name == "country":
        return country_name(str(value))
    if name == "language":
        return language_name(str(value))
    if name == "mapping":
        lines = len(value.get("lines", ()))
        return ngettext("%(num)s line", "%(num)s lines", lines)
    if isinstance(value, str) and value in _SETTING_STATES:
        return str(_SETTING_STATES[value])
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items() if each)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items() if each)
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
