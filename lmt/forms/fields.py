"""One question of a form as data: its type, its words, what it accepts, where its answer goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lmt.forms.conditions import BadCondition, Condition, condition_from

FIELD_TYPES = (
    "section",
    "text",
    "longtext",
    "name",
    "email",
    "phone",
    "choice",
    "choices",
    "date",
    "time_window",
    "number",
    "postcode",
    "city",
    "country",
    "address",
    "model",
    "dealer",
    "consent",
    "hidden",
    "file",
)
"""`section` asks nothing: it heads the fields below it, down to the next one or the step's end."""
WITH_OPTIONS = frozenset({"choice", "choices", "time_window", "country", "model"})
CAMPAIGN_KEYS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "gclid",
    "referrer",
    "landing_page",
)
CLICK_KEYS = ("utm_term", "utm_content", "fbclid", "msclkid", "gbraid", "wbraid", "ttclid")
"""What else a visitor's way here left in the address; kept among the lead's attributes."""
#: Names of inputs that the page adds by itself; no field may be called so.
RESERVED_KEYS = frozenset(
    {*CAMPAIGN_KEYS, *CLICK_KEYS, "lang", "form_token", "idempotency_key", "website", "zone"}
    | {"step", "asked", "version", "find", "back"}
    # An input of this name would hide the form's own property in every browser.
    | {"closest", "dataset", "elements"}
)
LONGEST = {"longtext": 5_000, "email": 254, "phone": 40, "postcode": 20}
LONGEST_OTHER = 200
ADDRESS_PARTS = ("country", "region", "city", "postcode", "street")
SHOWN_IN = ("desk", "reports", "exports")
MOST_FILE_MB = 5
FURTHEST = 1_000_000_000

Words = Mapping[str, str]
"""One text by language; the key "" holds for every language, as a proper name does."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:+-]{0,79}")
_PLACES = {
    "name": "customer.full_name",
    "email": "customer.email",
    "phone": "customer.phone",
    "postcode": "address.postcode",
    "city": "address.city",
    "country": "address.country",
    "time_window": "request.contact_time",
    "dealer": "request.preferred_dealer",
}
_SECTIONS = {
    "customer": frozenset({"title", "first_name", "last_name", "full_name", "company", "email"}
                          | {"phone", "language"}),
    "address": frozenset({"street", "postcode", "city", "region", "country"}),
    "request": frozenset({"type", "brand", "model", "timeframe", "comments", "preferred_dealer"}
                         | {"contact_time"}),
    "vehicle": frozenset({"condition", "year", "vin"}),
    "campaign": frozenset({"code", *CAMPAIGN_KEYS}),
}  # fmt: skip


class BadForm(ValueError):
    """A definition that can't be a form; the message names the field."""


def in_words(words: Words, language: str, default: str = "en") -> str:
    """The text in `language`, else for all languages, else in `default`, English, or any."""
    for key in (language, language.split("-")[0], "", default, "en"):
        if words.get(key):
            return words[key]
    return next((text for text in words.values() if text), "")


@dataclass(frozen=True, slots=True)
class OptionDefinition:
    """One choice. The id is what is sent and stored and stays; the label may change.

    A model's id is `brand/model` in codes, or `brand` alone for any model of it. A time window's
    is `09:00-12:00`.
    """

    id: str
    label: Words
    group: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One question. `to` is where its answer goes in the lead (`request.comments`); "" for what
    the type says, or else the lead's attributes under the field's key.

    `value` is a hidden field's; it and any other may be given by the page that shows the form where
    `prefill` is true. `purpose` is what a consent agrees to; its label is the text agreed to.
    `error` is said instead of our own words when an answer can't be taken. `least` and `most` bound
    a number, a date in days from today, or (`most`) how many options, or the size of a file in MB.
    `countries` are those of an address, alpha-2. `retention_days` and `shows` are for answers kept
    as attributes.
    """

    key: str
    type: str
    label: Words = field(default_factory=dict)
    help: Words = field(default_factory=dict)
    error: Words = field(default_factory=dict)
    required: bool = False
    max_length: int = LONGEST_OTHER
    least: int | None = None
    most: int | None = None
    options: tuple[OptionDefinition, ...] = ()
    countries: tuple[str, ...] = ()
    to: str = ""
    value: str = ""
    prefill: bool = True
    purpose: str = "contact"
    shown_when: Condition | None = None
    personal: bool = False
    retention_days: int | None = None
    shows: tuple[str, ...] = SHOWN_IN

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key) or self.key in RESERVED_KEYS:
            raise BadForm(f"{self.key!r} can't be the key of a field")
        if self.type not in FIELD_TYPES:
            raise BadForm(f"{self.key}: {self.type!r} is no type of field")
        if (self.type in WITH_OPTIONS) != bool(self.options):
            raise BadForm(f"{self.key}: {self.type} and its options don't go together")
        if len({option.id for option in self.options}) != len(self.options):
            raise BadForm(f"{self.key}: two options have one id")
        for option in self.options:
            if not _OPTION_ID.fullmatch(option.id):
                raise BadForm(f"{self.key}: {option.id!r} can't be the id of an option")
        if (self.type == "address") != bool(self.countries):
            raise BadForm(f"{self.key}: an address, and nothing else, names its countries")
        if not 1 <= self.max_length <= LONGEST["longtext"]:
            raise BadForm(f"{self.key}: max_length must lie within 1 and {LONGEST['longtext']}")
        if any(abs(bound or 0) > FURTHEST for bound in (self.least, self.most)):
            raise BadForm(f"{self.key}: least and most lie within {FURTHEST}")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise BadForm(f"{self.key}: least is more than most")
        if self.type == "file" and not 1 <= (self.most or 1) <= MOST_FILE_MB:
            raise BadForm(f"{self.key}: a file has at most {MOST_FILE_MB} MB")
        if self.retention_days is not None and not 1 <= self.retention_days <= 36_500:
            raise BadForm(f"{self.key}: retention_days must lie within 1 and 36500")
        if not set(self.shows) <= set(SHOWN_IN):
            raise BadForm(f"{self.key}: shows must be among {', '.join(SHOWN_IN)}")
        section, _, name = self.to.partition(".")
        if self.to and name not in _SECTIONS.get(section, ()):
            raise BadForm(f"{self.key}: {self.to!r} is no place in a lead")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names under which the answer is sent; the first one is what conditions look at."""
        if self.type == "section":
            return ()
        if self.type == "address":
            return tuple(f"{self.key}-{part}" for part in ADDRESS_PARTS)
        if self.type == "dealer":
            return self.key, f"{self.key}-place", f"{self.key}-lat", f"{self.key}-lon"
        return (self.key,)

    @property
    def place(self) -> str:
        """Where the answer goes in a lead, "" for its attributes."""
        return self.to or _PLACES.get(self.type, "")

    def option(self, id: str) -> OptionDefinition | None:
        return next((option for option in self.options if option.id == id), None)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"key": self.key, "type": self.type, "label": dict(self.label)}
        data |= {name: dict(words) for name, words in _words_of(self) if words}
        data["max_length"] = self.max_length
        if self.options:
            data["options"] = [
                {"id": option.id, "label": dict(option.label), "group": dict(option.group)}
                for option in self.options
            ]
        for name in ("required", "to", "value", "personal"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        for name in ("least", "most", "retention_days"):
            if getattr(self, name) is not None:
                data[name] = getattr(self, name)
        data["prefill"] = self.prefill
        if self.countries:
            data["countries"] = list(self.countries)
        if self.shows != SHOWN_IN:
            data["shows"] = list(self.shows)
        if self.type == "consent":
            data["purpose"] = self.purpose
        if self.shown_when is not None:
            data["shown_when"] = self.shown_when.to_json()
        return data


def _words_of(item: FieldDefinition) -> tuple[tuple[str, Words], ...]:
    return ("help", item.help), ("error", item.error)


def field_from(data: Mapping[str, Any]) -> FieldDefinition:
    """Read what `FieldDefinition.to_json` wrote. Raises BadForm, KeyError, TypeError."""
    kind, key = str(data["type"]), str(data["key"])
    try:
        shown_when = condition_from(data["shown_when"]) if data.get("shown_when") else None
    except BadCondition as problem:
        raise BadForm(f"{key}: {problem}") from problem
    return FieldDefinition(
        key=key,
        type=kind,
        label=words_from(data.get("label", {})),
        help=words_from(data.get("help", {})),
        error=words_from(data.get("error", {})),
        required=bool(data.get("required", False)),
        max_length=_whole(data.get("max_length")) or LONGEST.get(kind, LONGEST_OTHER),
        least=_whole(data.get("least")),
        most=_whole(data.get("most")),
        options=tuple(
            OptionDefinition(str(o["id"]), words_from(o["label"]), words_from(o.get("group", {})))
            for o in data.get("options", ())
        ),
        countries=tuple(str(country) for country in data.get("countries", ())),
        to=str(data.get("to", "")),
        value=str(data.get("value", "")),
        prefill=bool(data.get("prefill", kind not in {"consent", "file", "hidden"})),
        purpose=str(data.get("purpose", "contact")),
        shown_when=shown_when,
        personal=bool(data.get("personal", False)),
        retention_days=_whole(data.get("retention_days")),
        shows=tuple(data.get("shows", SHOWN_IN)),
    )


def words_from(data: Any) -> Words:
    """A text by language as JSON has it. Raises BadForm."""
    if not isinstance(data, Mapping) or not all(isinstance(text, str) for text in data.values()):
        raise BadForm(f"{data!r:.100} is no text by language")
    return {str(language): text for language, text in data.items()}


def _whole(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as problem:
        raise BadForm(f"{value!r:.100} is no whole number") from problem
