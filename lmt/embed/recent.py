"""The last few things put together by this process, so that they needn't be for every visitor."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

from flask import current_app

MOST_KEPT = 64
Thing = TypeVar("Thing")


class Recent:
    """At most `most` things, by what decides them. Two threads may make the same one at once."""

    def __init__(self, most: int):
        self._most = most
        self._things: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """What `make` returned for this key before, else what it returns now."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return cast(Thing, self._things[key])
        made = make()
        with self._lock:
            self._things[key] = made
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return made


def kept_here(kind: str) -> Recent:
    """Those of this application: another one has other forms by the same numbers."""
    kept: Recent = current_app.extensions.setdefault(f"lmt.embed.{kind}", Recent(MOST_KEPT))
    return kept
