"""JSON from strangers: bounded before it is built, and with its numbers as they were written."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from lmt.mapping.payloaderror import PayloadError

MAX_DEPTH = 32
MAX_VALUES = 20_000
_LONGEST_NUMBER = 40
_STRUCTURE = re.compile(r'"[^"]*"?|[\[{}\],:]')
_UNSTORABLE = re.compile(r"\x00|[\ud800-\udfff]|\\u(?:0000|[dD][89a-fA-F])")


class WrittenNumber(float):
    """A number that is shown as its sender wrote it: 1.10 stays 1.10."""

    written: str

    def __str__(self) -> str:
        return self.written


def json_value(text: str) -> Any:
    """The value of a JSON text.

    A key given twice in an object holds a list. Numbers too long to count with stay texts. NUL and
    lone surrogates are left out of texts. Raises PayloadError: no_json, no_number (NaN, Infinity),
    too_deep beyond MAX_DEPTH, too_many_fields beyond MAX_VALUES.
    """
    bare = text.strip("\ufeff \t\r\n\x00")
    check_bounds(bare)
    try:
        value = json.loads(
            bare,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=_whole,
            parse_float=_fraction,
            strict=False,
        )
    except PayloadError:
        raise
    except (ValueError, RecursionError) as error:
        raise PayloadError("no_json") from error
    return _storable(value) if _UNSTORABLE.search(bare) else value


def check_bounds(text: str) -> None:
    """Count brackets and values before anything is built, so that a bomb costs nothing.

    Raises PayloadError: too_deep, too_many_fields.
    """
    # Without its escapes, a text in quotes ends at the next quote.
    bare = text.replace("\\\\", "").replace('\\"', "")
    depth = values = 0
    for marks, match in enumerate(_STRUCTURE.finditer(bare)):
        mark = match[0][0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise PayloadError("too_deep")
        elif mark in "]}":
            depth -= 1
        values += mark in "[{,"
        if values > MAX_VALUES or marks > 5 * MAX_VALUES:
            raise PayloadError("too_many_fields")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    gathered: dict[str, list[Any]] = {}
    for key, value in pairs:
        gathered.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in gathered.items()}


def _no_number(_name: str) -> Any:
    raise PayloadError("no_number")


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_NUMBER else text


def _fraction(text: str) -> WrittenNumber | str:
    number = WrittenNumber(text) if len(text) <= _LONGEST_NUMBER else math.inf
    if not isinstance(number, WrittenNumber) or not math.isfinite(number):
        return text
    number.written = text
    return number


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return value
