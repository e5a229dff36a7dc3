"""The ready-made questions that forms are composed of: what each asks, where its answer goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from babel import Locale

from lmt.config import LOCALES
from lmt.forms import fieldwords as words
from lmt.forms.fields import LONGEST, FieldDefinition, OptionDefinition, Words

LONGEST_COMMENT = 2_000
TIME_WINDOWS = ("09:00-12:00", "12:00-15:00", "15:00-18:00", "18:00-20:00")
SOONEST_DRIVE_DAYS = 1
LATEST_DRIVE_DAYS = 90


@dataclass(frozen=True, slots=True)
class BrandModels:
    """A brand's code and name, with the (code, name) of each model offered."""

    code: str
    name: str
    models: Sequence[tuple[str, str]] = ()


def choice_field(
    key: str, label: Words, options: Mapping[str, Words], *, to: str = "", required: bool = False
) -> FieldDefinition:
    return FieldDefinition(
        key,
        "choice",
        label,
        required=required,
        options=tuple(OptionDefinition(id, text) for id, text in options.items()),
        to=to,
    )


REQUEST_TYPE = choice_field(
    "request_type", words.REQUEST, words.REQUEST_TYPES, to="request.type", required=True
)
NAME = FieldDefinition("name", "name", words.NAME, required=True)
PHONE = FieldDefinition(
    "phone", "phone", words.PHONE, words.PHONE_HELP, max_length=LONGEST["phone"]
)
EMAIL = FieldDefinition("email", "email", words.EMAIL, max_length=LONGEST["email"])
CITY = FieldDefinition("city", "city", words.CITY, required=True)
POSTCODE = FieldDefinition("postcode", "postcode", words.POSTCODE, max_length=LONGEST["postcode"])
COMMENTS = FieldDefinition(
    "comments", "longtext", words.COMMENTS, max_length=LONGEST_COMMENT, to="request.comments"
)
CONSENT = FieldDefinition("consent", "consent", words.CONSENT, required=True)

SYSTEM_FIELDS = (
    NAME,
    FieldDefinition(
        "first_name", "text", words.FIRST_NAME, required=True, to="customer.first_name"
    ),
    FieldDefinition("last_name", "text", words.LAST_NAME, required=True, to="customer.last_name"),
    FieldDefinition("company", "text", words.COMPANY, to="customer.company"),
    PHONE,
    EMAIL,
    CITY,
    POSTCODE,
    REQUEST_TYPE,
    choice_field("timeframe", words.TIMEFRAME, words.TIMEFRAMES, to="request.timeframe"),
    FieldDefinition(
        "test_drive_date",
        "date",
        words.TEST_DRIVE_DATE,
        words.TEST_DRIVE_HELP,
        least=SOONEST_DRIVE_DAYS,
        most=LATEST_DRIVE_DAYS,
    ),
    FieldDefinition("trade_in", "text", words.TRADE_IN, words.TRADE_IN_HELP),
    FieldDefinition(
        "contact_time",
        "time_window",
        words.CONTACT_TIME,
        options=tuple(
            OptionDefinition(window, {"": window.replace("-", "–")}) for window in TIME_WINDOWS
        ),
    ),
    FieldDefinition("dealer", "dealer", words.DEALER, words.DEALER_HELP),
    COMMENTS,
    CONSENT,
    FieldDefinition("marketing", "consent", words.MARKETING, purpose="marketing", prefill=False),
)
"""Those that are the same in every market; `market_fields` are a market's own."""
SYSTEM_KEYS = frozenset({*(item.key for item in SYSTEM_FIELDS), "model", "country", "address"})
"""No custom field is called so: what is asked under one key is one thing."""


def market_fields(
    countries: Sequence[str], brands: Sequence[BrandModels]
) -> tuple[FieldDefinition, ...]:
    """The ready-made questions whose answers depend on the market: its models and countries (ISO
    alpha-2). Those with nothing to choose from are left out."""
    found = []
    if brands:
        found.append(FieldDefinition("model", "model", words.MODEL, options=model_options(brands)))
    if countries:
        found.append(country_field(countries))
        found.append(
            FieldDefinition("address", "address", words.ADDRESS, countries=tuple(countries))
        )
    return tuple(found)


def country_field(countries: Sequence[str]) -> FieldDefinition:
    """The country of an address; where there is but one, it isn't asked."""
    if len(countries) == 1:
        return FieldDefinition(
            "country", "hidden", value=countries[0], to="address.country", prefill=False
        )
    options = tuple(
        OptionDefinition(
            country,
            {code: Locale(code).territories.get(country, country) for code in LOCALES},
        )
        for country in countries
    )
    return FieldDefinition("country", "country", words.COUNTRY, required=True, options=options)


def model_options(brands: Sequence[BrandModels]) -> tuple[OptionDefinition, ...]:
    """Each brand's models under its name, any of them first."""
    options: list[OptionDefinition] = []
    for brand in brands:
        group = {"": brand.name}
        options.append(OptionDefinition(brand.code, words.ANY_MODEL, group))
        options += [
            OptionDefinition(f"{brand.code}/{code}", {"": name}, group)
            for code, name in brand.models
        ]
    return tuple(options)
