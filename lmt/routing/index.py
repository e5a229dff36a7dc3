"""Points on the earth in slabs: which lie within a chord of a place, without looking at all.

Earth-centred coordinates sorted along the axis on which the points spread most; a ball around a
place can only touch the slab as thick as the ball. Nothing is special at poles or antimeridian.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmt.routing.geo import Ecef

_SHELLS_KM = (48.0, 128.0, 512.0, 2048.0, 13000.0)
"""Growing balls; the last holds the earth."""

_CHORD = itemgetter(0)


class ChordIndex:
    """An immutable set of (place, number) pairs, asked by chord in km."""

    __slots__ = ("_along", "_axis", "_held", "_numbers", "_table", "_tree")

    def __init__(self, table: NDArray[np.float64], numbers: NDArray[np.int64], axis: int) -> None:
        """`table` has a row for each of x, y, z; its columns are sorted by the row `axis`."""
        self._table = np.ascontiguousarray(table)
        self._numbers = numbers
        self._axis = axis
        # A bisection reads sixteen of its numbers, which costs less than one call into numpy.
        self._along = memoryview(self._table[axis])
        self._tree: Any = None
        self._held: frozenset[int] | None = None

    @classmethod
    def of(cls, places: Sequence[Ecef], numbers: Sequence[int]) -> ChordIndex:
        """Index places in km, each under its number."""
        table = np.asarray(places, dtype=np.float64).reshape(-1, 3)
        axis = int(np.argmax(table.var(axis=0))) if len(table) else 0
        order = np.argsort(table[:, axis], kind="stable")
        columns = np.ascontiguousarray(table[order].T)
        return cls(columns, np.asarray(numbers, dtype=np.int64)[order], axis)

    def __len__(self) -> int:
        return len(self._numbers)

    def without(self, number: int) -> ChordIndex:
        """The same without the point of this number."""
        keep = self._numbers != number
        return ChordIndex(self._table[:, keep], self._numbers[keep], self._axis)

    def including(self, place: Ecef, number: int) -> ChordIndex:
        """The same with one more point."""
        where = bisect_left(self._along, place[self._axis])
        table = np.insert(self._table, where, place, axis=1)
        return ChordIndex(table, np.insert(self._numbers, where, number), self._axis)

    def numbers(self) -> frozenset[int]:
        """The numbers of all its points."""
        if self._held is None:
            self._held = frozenset(self._numbers.tolist())
        return self._held

    def shells(self, place: Ecef) -> Iterator[list[tuple[float, int]]]:
        """All as (chord km, number) in growing chord order, a shell at a time, lazily."""
        here = np.array(place).reshape(3, 1)
        done = -1.0
        for radius in _SHELLS_KM:
            yield self._ball(place, here, radius, done)
            done = radius

    def outwards(self, place: Ecef) -> Iterator[tuple[float, int]]:
        """All as (chord km, number), lazily, in growing chord order."""
        for shell in self.shells(place):
            yield from shell

    def nearest_of(
        self, places: NDArray[np.float64], wanted: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """For each place, a row in km, the chords and numbers of its nearest, in growing order.

        A k-d tree, built on first use: for many places at once it is several times faster than the
        slabs, for a single one it is not, and importing it costs half a second.
        """
        wanted = min(wanted, len(self))
        if wanted == 0:
            return np.empty((len(places), 0)), np.empty((len(places), 0), dtype=np.int64)
        if self._tree is None:
            from scipy.spatial import cKDTree

            self._tree = cKDTree(self._table.T)
        chords, positions = self._tree.query(places, k=range(1, wanted + 1))
        return chords, self._numbers[positions]

    def within(self, place: Ecef, radius_km: float) -> list[tuple[float, int]]:
        """Those within a chord, in growing chord order."""
        return self._ball(place, np.array(place).reshape(3, 1), radius_km, -1.0)

    def _ball(
        self, place: Ecef, here: NDArray[np.float64], radius_km: float, beyond_km: float
    ) -> list[tuple[float, int]]:
        """`here` is the place as a column."""
        along, middle = self._along, place[self._axis]
        # Subtraction may round a point on the rim out of the slab: a millimetre more.
        thick = radius_km + 1e-6
        first = bisect_left(along, middle - thick)
        last = bisect_left(along, middle + thick, first)
        if first == last:
            return []
        apart = self._table[:, first:last] - here
        apart *= apart
        # The same operations in the same order as geo.chord_km: equal to the last bit. A sum over
        # the rows may take another order.
        chords, y, z = apart
        chords += y
        chords += z
        np.sqrt(chords, out=chords)
        met = chords <= radius_km
        if beyond_km >= 0.0:
            met &= chords > beyond_km
        inside = met.nonzero()[0]
        numbers = self._numbers[first:last][inside]
        found = list(zip(chords[inside].tolist(), numbers.tolist(), strict=True))
        # Stable, as points of one place come in the order of their slab.
        found.sort(key=_CHORD)
        return found
