"""The dealers that a visitor may pick from, in words: what the form shows below the place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DealerRow:
    """One dealer. `problem` says why it can't be picked, "" where it can; `lat` and `lon`, in
    WGS-84 degrees, place it on the map."""

    code: str
    name: str
    address: str
    phone: str
    distance: str
    hours: str
    problem: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class DealerList:
    """What was found around `place`, or the `problem` that kept it from being found.

    `typed` is what to put into the input for the place, as it finds the place again; `hint` says
    which place was taken where others could be meant, which are the `alternatives`. `summary` says
    in a sentence what was found.
    """

    place: str = ""
    typed: str = ""
    hint: str = ""
    summary: str = ""
    lat: float = 0.0
    lon: float = 0.0
    alternatives: tuple[str, ...] = ()
    rows: tuple[DealerRow, ...] = ()
    problem: str = ""
