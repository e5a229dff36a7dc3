"""The secrets of a source, opened for the moment in which they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lmt.sealing import Broken, unseal


class NoSecret(LookupError):
    """`code` is secret_missing, or secret_broken where LMT_SECRET_KEY was changed since."""

    def __init__(self, name: str, code: str):
        super().__init__(f"{name}: {code}")
        self.name, self.code = name, code


def opened(secrets: Mapping[str, Any], name: str, secret_key: str) -> str:
    """One secret of `Source.secrets` in the clear. Raises NoSecret."""
    sealed = secrets.get(name)
    if not isinstance(sealed, str) or not sealed:
        raise NoSecret(name, "secret_missing")
    try:
        return unseal(secret_key, sealed)
    except Broken as problem:
        raise NoSecret(name, "secret_broken") from problem
