"""Python's search for garbage put off while it would find none: of many leads under way at once,
and of all that a process makes as it starts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_later() -> Iterator[None]:
    """A chunk makes hundreds of thousands of objects, hardly any of them in circles, and each
    search would walk through all that lives in the process."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Of several threads the one that found it on turns it on again.
        if was_on:
            gc.enable()


@contextmanager
def starting() -> Iterator[None]:
    """What a process makes as it starts lives as long as it does: it is searched for garbage
    neither now, a dozen times over, nor ever after."""
    with collecting_later():
        yield
    gc.freeze()
