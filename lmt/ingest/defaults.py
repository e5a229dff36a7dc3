"""What stands in a lead where its delivery says nothing: the defaults of its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_defaults(lead: Mapping[str, Any], defaults: Mapping[str, str]) -> dict[str, Any]:
    """The lead, in the shape of the API, with each default of `defaults` ("request.type" → text)
    where it has none. What is there is never touched, whatever it is."""
    filled = dict(lead)
    for path, text in defaults.items():
        section, _dot, name = path.partition(".")
        given = filled.get(section)
        if given is None:
            filled[section] = {name: text}
        elif isinstance(given, Mapping) and given.get(name) in (None, ""):
            filled[section] = {**given, name: text}
    return filled
