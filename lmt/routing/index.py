"""Points on the earth in slabs: which lie within a chord of a place, without looking at all.

Earth-centred coordinates sorted along the axis on which the points spread most; a ball around a
place can only touch the slab as thick as the ball. Nothing is special at poles or antimeridian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lmt.routing.geo import Ecef

_SHELLS_KM = (16.0, 64.0, 256.0, 1024.0, 4096.0, 13000.0)
"""Growing balls; the last holds the earth."""


class ChordIndex:
    """An immutable set of (place, number) pairs, asked by chord in km."""

    __slots__ = ("_axis", "_columns", "_numbers")

    def __init__(
        self, columns: Sequence[NDArray[np.float64]], numbers: NDArray[np.int64], axis: int
    ) -> None:
        self._columns = tuple(columns)
        self._numbers = numbers
        self._axis = axis

    @classmethod
    def of(cls, places: Sequence[Ecef], numbers: Sequence[int]) -> ChordIndex:
        """Index places in km, each under its number."""
        table = np.asarray(places, dtype=np.float64).reshape(-1, 3)
        axis = int(np.argmax(table.var(axis=0))) if len(table) else 0
        order = np.argsort(table[:, axis], kind="stable")
        columns = [np.ascontiguousarray(table[order, each]) for each in range(3)]
        return cls(columns, np.asarray(numbers, dtype=np.int64)[order], axis)

    def __len__(self) -> int:
        return len(self._numbers)

    def without(self, number: int) -> ChordIndex:
        """The same without the point of this number."""
        keep = self._numbers != number
        return ChordIndex(
            [column[keep] for column in self._columns], self._numbers[keep], self._axis
        )

    def including(self, place: Ecef, number: int) -> ChordIndex:
        """The same with one more point."""
        where = int(np.searchsorted(self._columns[self._axis], place[self._axis]))
        columns = [
            np.insert(column, where, value)
            for column, value in zip(self._columns, place, strict=True)
        ]
        return ChordIndex(columns, np.insert(self._numbers, where, number), self._axis)

    def outwards(self, place: Ecef) -> Iterator[tuple[float, int]]:
        """All as (chord km, number), lazily, in growing chord order."""
        done = -1.0
        for radius in _SHELLS_KM:
            chords, numbers = self._ball(place, radius, done)
            order = np.argsort(chords, kind="stable")
            yield from zip(chords[order].tolist(), numbers[order].tolist(), strict=True)
            done = radius

    def within(self, place: Ecef, radius_km: float) -> list[tuple[float, int]]:
        """Those within a chord, in growing chord order."""
        chords, numbers = self._ball(place, radius_km, -1.0)
        order = np.argsort(chords, kind="stable")
        return list(zip(chords[order].tolist(), numbers[order].tolist(), strict=True))

    def number_within(self, place: Ecef, radius_km: float) -> int:
        """How many lie within a chord."""
        return len(self._ball(place, radius_km, -1.0)[1])

    def _ball(
        self, place: Ecef, radius_km: float, beyond_km: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        along, middle = self._columns[self._axis], place[self._axis]
        # Subtraction may round a point on the rim out of the slab: a millimetre more.
        thick = radius_km + 1e-6
        first, last = np.searchsorted(along, (middle - thick, middle + thick))
        x, y, z = (column[first:last] for column in self._columns)
        dx, dy, dz = x - place[0], y - place[1], z - place[2]
        # The same operations in the same order as geo.chord_km: equal to the last bit.
        chords = np.sqrt(dx * dx + dy * dy + dz * dz)
        inside = (chords <= radius_km) & (chords > beyond_km)
        return chords[inside], self._numbers[first:last][inside]
