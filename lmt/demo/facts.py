"""What the demo made, as a script needs it: who can log in, with which keys leads are sent."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """`dealer` and `market` are codes, empty for who isn't bound to one."""

    email: str
    password: str
    role: str
    dealer: str
    market: str


@dataclass(frozen=True, slots=True)
class DemoSource:
    """`key` is empty where the kind needs none; `needs` are the secrets with which a platform signs
    or is known, and the `oid` of a Web-to-Lead form."""

    code: str
    kind: str
    key: str
    market: str
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoForm:
    code: str
    url: str


@dataclass(frozen=True, slots=True)
class DemoFacts:
    base_url: str
    accounts: Sequence[DemoAccount]
    sources: Sequence[DemoSource]
    forms: Sequence[DemoForm]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> DemoFacts:
        return cls(
            plain["base_url"],
            [DemoAccount(**each) for each in plain["accounts"]],
            [DemoSource(**each) for each in plain["sources"]],
            [DemoForm(**each) for each in plain["forms"]],
        )


def kept_facts(path: Path) -> DemoFacts | None:
    """What an earlier fill wrote; None without a file."""
    try:
        return DemoFacts.from_json(json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def keep_facts(facts: DemoFacts, path: Path) -> None:
    """Write them for the owner's eyes alone: they hold passwords and keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(facts.to_json(), file, ensure_ascii=False, indent=1)
        file.write("\n")
    fresh.replace(path)
