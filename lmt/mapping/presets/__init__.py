"""Ready-made tables for what platforms and form builders send: data, one file each."""

from __future__ import annotations

import json
from collections import abc
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lmt.mapping.model import Mapping

_CODES = (
    "google",
    "meta",
    "tiktok",
    "linkedin",
    "web_to_lead",
    "hubspot",
    "typeform",
    "webflow",
    "gravity",
    "contact_form_7",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """What a source of one of these `kinds` may begin with.

    `name` is the product's own. `settings` are those of a source (`signature` and the like).
    `sample` is a made-up delivery of the media type `sample_type`, to try the mapping on.
    """

    code: str
    name: str
    kinds: tuple[str, ...]
    mapping: Mapping
    settings: abc.Mapping[str, Any]
    sample: str
    sample_type: str


def _loaded(code: str) -> Preset:
    text = files(__package__).joinpath(f"{code}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    sample = data["sample"]
    return Preset(
        code=code,
        name=data["name"],
        kinds=tuple(data["kinds"]),
        mapping=Mapping.from_json({"preset": code, "lines": data["lines"]}),
        settings=data.get("settings", {}),
        sample=sample
        if isinstance(sample, str)
        else json.dumps(sample, ensure_ascii=False, indent=2),
        sample_type=data["sample_type"],
    )


#: Every preset by its code, in the order in which a person is shown them.
PRESETS: abc.Mapping[str, Preset] = MappingProxyType({code: _loaded(code) for code in _CODES})
