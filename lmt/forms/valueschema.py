"""What the answer to one field of a form may be, as JSON Schema."""

from __future__ import annotations

import re
from typing import Any

from lmt.forms import emailrule, rules
from lmt.forms.answers import SPACES, cleaned
from lmt.forms.countryaddresses import AddressPart, address_parts
from lmt.forms.digits import ZEROS
from lmt.forms.fields import ADDRESS_PARTS, FieldDefinition

FILLED = {"type": "string", "pattern": f"[^{SPACES}]"}
_EMPTY = {"type": "string", "maxLength": 0}
_LINE = r"^[^\n\u0000]*$"
_DIGIT = "".join(f"{chr(zero)}-{chr(zero + 9)}" for zero in ZEROS)
_PHONE = (
    rf"^(?:[^{_DIGIT}]*[{_DIGIT}]){{{rules.FEWEST_PHONE_DIGITS},{rules.MOST_PHONE_DIGITS}}}"
    rf"[^{_DIGIT}]*$"
)
_ATOM, _LABEL = emailrule.ATOM, emailrule.LABEL
_EMAIL = (
    rf"^(?=[^@]{{1,{emailrule.LONGEST_LOCAL}}}@[^@]{{1,{emailrule.LONGEST_DOMAIN}}}$)"
    rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{emailrule.LAST_LABEL}$"
)
#: The calendar's lengths of months are the format's; a year 0 is none.
_DAY = r"^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOST_NUMBER = 10**15


def shape(item: FieldDefinition) -> dict[str, Any]:
    """The kind of JSON, whether or not the field is asked."""
    if item.type in {"address", "dealer", "file"}:
        return {"type": "object"}
    if item.type == "choices":
        return {"type": "array", "items": {"type": "string"}}
    kinds = {"number": ["number", "string"], "consent": ["boolean", "string"]}
    return {"type": kinds.get(item.type, "string")}


def needs_answer(item: FieldDefinition) -> bool:
    """Is a field that is asked missing where it isn't sent at all?"""
    if item.type == "address" and len(item.countries) == 1:
        return item.required and any(part.required for part in address_parts(item.countries[0]))
    return item.required and item.type != "hidden"


def value_schema(item: FieldDefinition) -> dict[str, Any]:
    """What the answer to a field that is asked may be."""
    if item.type == "address":
        return _address(item)
    if item.type == "dealer":
        return _dealer(item)
    if item.type == "file":
        return _file(item)
    if item.type == "choices":
        return _choices(item)
    if item.type == "consent":
        return {"const": True} if item.required else {"type": "boolean"}
    if item.type == "number":
        return _number(item)
    return _string(item, _text(item))


def _text(item: FieldDefinition) -> dict[str, Any]:
    if item.options:
        return {"enum": [option.id for option in item.options]}
    if item.type == "date":
        return {"format": "date", "pattern": _DAY}
    parts: list[dict[str, Any]] = [{"maxLength": item.max_length}]
    if item.type in rules.ONE_LINE:
        parts.append({"pattern": _LINE})
    if item.type == "email":
        parts.append({"pattern": _EMAIL})
    elif item.type == "phone":
        parts.append({"pattern": _PHONE})
    text: dict[str, Any] = {"allOf": parts}
    return {"anyOf": [{"const": cleaned(item.value)}, text]} if item.type == "hidden" else text


def _string(item: FieldDefinition, text: dict[str, Any]) -> dict[str, Any]:
    if item.required and item.type != "hidden":
        return {"allOf": [FILLED, text]}
    return {"anyOf": [_EMPTY, {"type": "string"} | text]}


def _number(item: FieldDefinition) -> dict[str, Any]:
    number: dict[str, Any] = {
        "type": "number",
        "exclusiveMinimum": -_MOST_NUMBER,
        "exclusiveMaximum": _MOST_NUMBER,
    }
    if item.least is not None:
        number["minimum"] = item.least
    if item.most is not None:
        number["maximum"] = item.most
    return number if item.required else {"anyOf": [_EMPTY, number]}


def _choices(item: FieldDefinition) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "items": {"enum": [option.id for option in item.options]},
        "uniqueItems": True,
    }
    if item.most is not None:
        # Fewer than none can't be said: then no list but an empty one will do.
        schema["maxItems"] = max(item.most, 0)
    if item.required:
        schema["minItems"] = 1
    return schema


def _file(item: FieldDefinition) -> dict[str, Any]:
    name = {"type": "string", "pattern": in_either_case(rules.FILE_NAME) + "$"}
    most = rules.most_mb(item) * rules.BYTES_PER_MB
    return {
        "properties": {
            "name": name if item.required else {"anyOf": [_EMPTY, name]},
            "size": {"type": "integer", "minimum": 0, "maximum": most},
        },
        "required": ["name"] if item.required else [],
        "additionalProperties": False,
    }


def _dealer(item: FieldDefinition) -> dict[str, Any]:
    code = {"type": "string", "pattern": f"^{rules.DEALER_CODE}$"}
    return {
        "properties": {
            "code": code if item.required else {"anyOf": [_EMPTY, code]},
            "place": _line(item.max_length),
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
        },
        "required": ["code"] if item.required else [],
        "additionalProperties": False,
    }


def _line(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most, "pattern": _LINE}


def _address(item: FieldDefinition) -> dict[str, Any]:
    several = len(item.countries) > 1
    may_be_empty = [""] if several and not item.required else []
    countries = [*item.countries, *may_be_empty]
    # Of a single country nothing else counts, whatever is sent.
    country = {"type": "string"} | ({"enum": countries} if several else {})
    parts = {part: _line(item.max_length) for part in ADDRESS_PARTS if part != "country"}
    by_country = [
        {
            "if": {"required": ["country"], "properties": {"country": {"const": each}}},
            "then": _parts(item, each),
        }
        for each in item.countries
    ]
    return {
        "properties": {"country": country, **parts},
        "required": ["country"] if several and item.required else [],
        "additionalProperties": False,
        "allOf": by_country if several else [_parts(item, item.countries[0])],
    }


def _parts(item: FieldDefinition, country: str) -> dict[str, Any]:
    asked = address_parts(country)
    needed = [part.part for part in asked if item.required and part.required]
    bounded = {part.part: _part(part, part.part in needed) for part in asked}
    return {"properties": bounded, "required": needed}


def _part(part: AddressPart, needed: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if part.areas:
        schema["enum"] = [value for value, _words in part.areas]
    if part.pattern:
        schema["pattern"] = f"^(?:{in_either_case(part.pattern)})$"
    return {"allOf": [FILLED, schema]} if needed else {"anyOf": [_EMPTY, schema]}


_TOKENS = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\{[^}]*\}|.")


def in_either_case(pattern: str) -> str:
    """A pattern whose ASCII letters stand for both cases, as JSON Schema has no flag for it."""

    def both(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith("["):
            twins = re.findall(r"(?<!\\)[A-Za-z](?:-[A-Za-z])?", token)
            return token[:-1] + "".join(twin.swapcase() for twin in twins) + "]"
        if len(token) == 1 and token.isascii() and token.isalpha():
            return f"[{token}{token.swapcase()}]"
        return token

    return _TOKENS.sub(both, pattern)
