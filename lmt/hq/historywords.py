"""A change of settings in the reader's words: what it is called, and its two columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.support import LazyProxy
from flask import current_app, url_for
from sqlalchemy.orm import Session

from lmt.hq.importwords import STATES
from lmt.hq.sourcewords import FIELD_WORDS
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Brand, Campaign, Market
from lmt.settinghistory import Kept, why_not

LONG_TEXT = 160

KIND_WORDS: Mapping[str, LazyProxy] = {
    "market": _l("Market"),
    "brand": _l("Brand"),
    "model": _l("Model"),
    "market_aliases": _l("A market's words for a model"),
    "market_status": _l("Status"),
    "rules": _l("Rules"),
    "dealer": _l("Dealer"),
    "dealer_group": _l("Dealer group"),
    "dealer_system": _l("Dealer's own system"),
    "source": _l("Source"),
    "campaign": _l("Campaign"),
    "form": _l("Form"),
    "form_draft": _l("Draft of a form"),
    "custom_field": _l("Field"),
    "consent_text": _l("Consent text"),
    "mail_text": _l("Mail text"),
    "reply_template": _l("Reply template"),
    "slot_terms": _l("Appointments"),
    "target": _l("Targets"),
    "exchange_rate": _l("Exchange rate"),
    "import": _l("Import"),
    "sales_file": _l("File of sales"),
    "export": _l("List taken away"),
    "account": _l("Person"),
    "user": _l("Colleague"),
    "role": _l("Role"),
}
NAME_WORDS: Mapping[str, LazyProxy] = {
    **FIELD_WORDS,
    "countries": _l("Countries"),
    "languages": _l("Languages"),
    "default_language": _l("Default language"),
    "timezone": _l("Time zone"),
    "week_start": _l("First day of the week"),
    "desk_hours": _l("Hours of the desk"),
    "desk_country": _l("Public holidays of the desk"),
    "same_need_days": _l("Days in which the same wish joins its lead"),
    "confirmed_purposes": _l("Consents to confirm by mail"),
    "customer_may_move": _l("Customers may choose another dealer"),
    "asks_feedback": _l("Customers are asked after their visit"),
    "aliases": _l("Also written"),
    "market_aliases": _l("Also written in a market"),
    "markets": _l("Sold in"),
    "status": _l("Stands for"),
    "names": _l("Names"),
    "position": _l("Place"),
    "active": _l("Active"),
    "rules": _l("Rules"),
    "dealers": _l("Dealers"),
    "competences": _l("Competences"),
    "hours": _l("Hours"),
    "email": _l("Mail address"),
    "day_cap": _l("Cap per day"),
    "month_cap": _l("Cap per month"),
    "open_cap": _l("Cap of open leads"),
    "weight": _l("Weight"),
    "paused": _l("Paused"),
    "permissions": _l("Permissions"),
    "version": _l("Version"),
    "label": _l("Label"),
    "help": _l("Help"),
    "file": _l("File"),
    "source": _l("Source"),
    "draft": _l("Draft"),
    "special_days": _l("Special days"),
    "closed": _l("Closed"),
    "cause": _l("Cause"),
    "leads": _l("Leads"),
    "sold": _l("Sold"),
    "conversion": _l("Conversion to sale"),
    "within_60": _l("Contacted within an hour"),
    "value": _l("Value of sales"),
    "rate": _l("Exchange rate"),
}
_ENDPOINTS: Mapping[str, tuple[str, str]] = {
    "market": ("hq.market", "code"),
    "brand": ("hq.brand", "code"),
    "rules": ("hq.rules", "market"),
    "source": ("hq.source", "code"),
    "campaign": ("hq.campaign", "code"),
    "dealer": ("hq.dealer", "code"),
    "dealer_system": ("hq.dealer", "code"),
    "form": ("hq.form", "code"),
    "form_draft": ("hq.form", "code"),
}
_IDS: Mapping[str, Any] = {"market_id": Market, "brand_id": Brand, "campaign_id": Campaign}


@dataclass(frozen=True, slots=True)
class Column:
    """One side of a difference, as lines; `long` is folded away."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def long(self) -> bool:
        return len(self.text) > LONG_TEXT


@dataclass(frozen=True, slots=True)
class Difference:
    words: str
    before: Column
    after: Column


@dataclass(frozen=True, slots=True)
class ChangeView:
    """`refused` says why it can't be undone, "" where it can; `undone_by`, `undoes` are numbers."""

    id: int
    at: datetime
    who: str
    kind: str
    subject: str
    address: str
    differences: tuple[Difference, ...]
    refused: str
    undone_by: int | None
    undoes: int | None


def change_view(session: Session, kept: Kept) -> ChangeView:
    change = kept.change
    return ChangeView(
        change.id,
        change.at,
        kept.who,
        str(KIND_WORDS.get(change.kind, change.kind)),
        change.subject,
        address_of(change.kind, change.subject),
        tuple(
            _difference(session, name, change.before.get(name), change.after.get(name))
            for name in sorted({**change.before, **change.after}, key=_order)
        ),
        why_not(change),
        kept.undone_by,
        change.undoes_id,
    )


def address_of(kind: str, subject: str) -> str:
    """The page of what was changed; "" where it has none."""
    first, _slash, rest = subject.partition("/")
    endpoint: str = ""
    values: dict[str, Any] = {}
    if kind in _ENDPOINTS:
        endpoint, name = _ENDPOINTS[kind]
        values = {name: subject}
    elif kind == "model":
        endpoint, values = "hq.model", {"code": first, "model_code": rest}
    elif kind == "market_aliases":
        brand, _slash, model = rest.partition("/")
        endpoint, values = "hq.model", {"code": brand, "model_code": model}
    elif kind == "market_status":
        endpoint, values = "hq.statuses", {"market": first}
    elif kind in {"target", "exchange_rate"}:
        endpoint, values = "reports.plan", {"market": first, "year": rest[:4]}
    elif kind == "dealer_group":
        endpoint, values = "hq.groups", {"open": subject}
    elif kind == "slot_terms":
        endpoint, values = "hq.dealer", {"code": first}
    elif kind in {"reply_template", "custom_field", "consent_text", "mail_text", "account", "role"}:
        endpoint = {
            "reply_template": "hq.reply_templates",
            "custom_field": "hq.custom_fields",
            "consent_text": "hq.consent_texts",
            "mail_text": "hq.mail_texts",
            "account": "hq.users",
            "role": "hq.roles",
        }[kind]
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


def _order(name: str) -> tuple[int, str]:
    known = list(NAME_WORDS)
    return (known.index(name) if name in NAME_WORDS else len(known), name)


def _difference(session: Session, name: str, before: Any, after: Any) -> Difference:
    """Of long lists only the lines that one side has and the other hasn't."""
    old, new = _lines(session, name, before), _lines(session, name, after)
    if len(old) > 1 or len(new) > 1:
        gone = [line for line in old if line not in new]
        come = [line for line in new if line not in old]
        if gone or come:
            old, new = gone or ["–"], come or ["–"]
    return Difference(str(NAME_WORDS.get(name, name)), Column(tuple(old)), Column(tuple(new)))


def _lines(session: Session, name: str, value: Any) -> list[str]:
    if value in (None, "", [], {}):
        return ["–"]
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    if name in _IDS and isinstance(value, int):
        row = session.get(_IDS[name], value)
        return [row.name if row is not None else str(value)]
    if name == "status":
        return [label("status", str(value))]
    if name == "state" and value in STATES:
        return [str(STATES[value])]
    if name == "rules":
        return [rule_line(rule) for rule in value]
    if name == "competences":
        return [_competence(each) for each in value]
    if isinstance(value, Mapping):
        return [f"{key}: {_plain(each)}" for key, each in value.items() if each not in ("", None)]
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value).splitlines() or ["–"]


def rule_line(rule: Mapping[str, Any]) -> str:
    """A rule in one line, for people who know rules."""
    when = " + ".join(_condition(each) for each in rule.get("when", ()))
    then = ", ".join(f"{name} {_plain(value)}" for name, value in rule.get("then", {}).items())
    off = "" if rule.get("active", True) else f" ({_('off')})"
    return f"{label('rule', rule.get('name', ''))}{off}: {when or '*'} → {then}"


def _condition(condition: Mapping[str, Any]) -> str:
    rest = [f"{name} {_plain(value)}" for name, value in condition.items() if name != "field"]
    return " ".join([str(condition.get("field", "")), *rest])


def _competence(kept: Sequence[Any]) -> str:
    brand, service, models = kept
    named = ", ".join(str(each) for each in models)
    return f"{brand} · {label('service', str(service))}" + (f" ({named})" if named else "")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items() if each)
    return ", ".join(_plain(each) for each in value) if isinstance(value, list) else str(value)
