"""What POST /api/v1/leads takes: strict where the caller can mend it, in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.countries import country_code
from lmt.ingest.emails import email_address
from lmt.ingest.instants import written_instant
from lmt.ingest.languages import language_code
from lmt.ingest.leadinput import CONDITIONS, ID_LENGTH, MULTILINE, TEXT_LENGTHS, YEARS
from lmt.ingest.normalise import MAX_CONSENTS
from lmt.ingest.phones import REACHABLE_DIGITS, is_dialable
from lmt.ingest.requesttypes import is_slug, request_type
from lmt.ingest.schemafields import (
    Check,
    Flag,
    FreeObject,
    Items,
    Number,
    Part,
    Text,
    Whole,
    check_attributes,
    out_of_bounds,
    translated,
)


def _email(text: str) -> str:
    return "" if email_address(text) else _("Give a mail address, such as name@example.com.")


def _phone(text: str) -> str:
    if is_dialable(text):
        return ""
    return _("Give a phone number of at least %(count)s digits.", count=REACHABLE_DIGITS)


def _country(text: str) -> str:
    return "" if country_code(text) else _("Give the country's two-letter code, such as SA.")


def _language(text: str) -> str:
    return "" if language_code(text) else _("Give a language code, such as ar or pt-BR.")


def _instant(text: str) -> str:
    if written_instant(text):
        return ""
    return _("Give date and time with its offset, such as 2026-03-06T09:12:00+03:00.")


def _type(text: str) -> str:
    known = request_type(text) or is_slug(text)
    return "" if known else _("Use small letters, digits and underscores, such as test_drive.")


def _condition(text: str) -> str:
    allowed = ", ".join(CONDITIONS)
    return "" if text in CONDITIONS else _("Use one of: %(values)s.", values=allowed)


def _year(year: int) -> None:
    if not YEARS[0] <= year <= YEARS[1]:
        raise ValidationError(out_of_bounds(*YEARS))


def _few_consents(consents: list[Any]) -> None:
    if len(consents) > MAX_CONSENTS:
        raise ValidationError(_("Give at most %(count)s entries.", count=MAX_CONSENTS))


class _Strict(Schema):
    error_messages = translated(
        unknown=_l("This field is not known."),
        type=_l("Give an object."),
    )


_CHECKS: Mapping[str, Check] = {
    "customer.email": _email,
    "customer.phone": _phone,
    "customer.language": _language,
    "address.country": _country,
    "request.type": _type,
    "vehicle.condition": _condition,
}


def _texts(section: str) -> dict[str, fields.Field[Any]]:
    return {
        key: Text(length, _CHECKS.get(f"{section}.{key}"), lines=key in MULTILINE)
        for key, length in TEXT_LENGTHS[section].items()
    }


CustomerSchema = _Strict.from_dict(_texts("customer"), name="LeadCustomer")
RequestSchema = _Strict.from_dict(_texts("request"), name="LeadRequest")
CampaignSchema = _Strict.from_dict(_texts("campaign"), name="LeadCampaign")
VehicleSchema = _Strict.from_dict(
    {
        **_texts("vehicle"),
        "year": Whole(strict=True, allow_none=True, validate=_year),
        "trade_in": FreeObject(allow_none=True, validate=check_attributes),
    },
    name="LeadVehicle",
)
_AddressFields = _Strict.from_dict(
    {**_texts("address"), "lat": Number(-90, 90), "lon": Number(-180, 180)},
    name="LeadAddressFields",
)


class AddressSchema(_AddressFields):  # type: ignore[misc,valid-type]
    @validates_schema
    def both_coordinates(self, data: Mapping[str, Any], **_options: Any) -> None:
        lat, lon = data.get("lat"), data.get("lon")
        if (lat is None) != (lon is None):
            missing = "lat" if lat is None else "lon"
            raise ValidationError(_("Give both lat and lon, or neither."), missing)


class ConsentSchema(_Strict):
    purpose = Text(
        100,
        required=True,
        allow_none=False,
        error_messages=translated(
            required=_l("Say what the consent is for."),
            null=_l("Say what the consent is for."),
        ),
    )
    given = Flag(
        required=True,
        error_messages=translated(
            required=_l("Give true or false."), null=_l("Give true or false.")
        ),
    )
    text_version = Text(200)
    at = Text(64, _instant)


class LeadSchema(_Strict):
    """The lead JSON. `load` returns it as given (texts stay texts), ready for `understand`."""

    id = Text(ID_LENGTH)
    sent_at = Text(64, _instant, metadata={"format": "date-time"})
    test = Flag(allow_none=True)
    customer = Part(CustomerSchema, allow_none=True)
    address = Part(AddressSchema, allow_none=True)
    request = Part(RequestSchema, allow_none=True)
    vehicle = Part(VehicleSchema, allow_none=True)
    campaign = Part(CampaignSchema, allow_none=True)
    consents = Items(
        Part(ConsentSchema),
        allow_none=True,
        validate=_few_consents,
    )
    attributes = FreeObject(allow_none=True, validate=check_attributes)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def reachable(self, _data: Any, original: Any, **_options: Any) -> None:
        """A lead needs an email or a phone; what is given but wrong has its own message."""
        if not isinstance(original, Mapping):
            return
        customer = original.get("customer") or {}
        if not isinstance(customer, Mapping):
            return
        given = (customer.get("email"), customer.get("phone"))
        if not any(value.strip() if isinstance(value, str) else value for value in given):
            message = _("Give an email or a phone, so that the person can be answered.")
            raise ValidationError({"customer": {"email": [message], "phone": [message]}})


def errors_as_list(messages: Mapping[Any, Any]) -> list[dict[str, str]]:
    """A ValidationError's messages as [{"field": "customer.email", "message": …}], depth first.

    The place of the arguments (`json`) that the web layer wraps around them is left out; what
    concerns the whole body has the field "".
    """
    inner = messages.get("json")
    if len(messages) == 1 and isinstance(inner, Mapping):
        messages = inner
    return list(_listed(messages, ""))


def _listed(messages: Any, path: str) -> list[dict[str, str]]:
    if isinstance(messages, Mapping):
        found: list[dict[str, str]] = []
        for key, value in messages.items():
            below = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            found += _listed(value, below)
        return found
    if isinstance(messages, list | tuple):
        return [entry for message in messages for entry in _listed(message, path)]
    return [{"field": path, "message": str(messages)}]
