"""Distances on the earth: how far a lead is from a dealer, exactly, and cheaply at least how far.

Coordinates are WGS-84 degrees. The straight line through the earth (chord) is never longer than
the geodesic above it, at the poles and across the antimeridian too, so it bounds a search safely.
"""

from __future__ import annotations

import math

from geographiclib.geodesic import Geodesic
from geopy.distance import ELLIPSOIDS

_AXIS_KM, _, _FLATTENING = ELLIPSOIDS["WGS-84"]
_ECCENTRICITY_SQUARED = _FLATTENING * (2 - _FLATTENING)
_MEAN_RADIUS_KM = 6371.0088

# geopy asks this same object, after parsing both points into objects of its own, which takes
# almost as long as the geodesic.
_WGS84 = Geodesic(_AXIS_KM, _FLATTENING)

Ecef = tuple[float, float, float]


def is_place(lat: float | None, lon: float | None) -> bool:
    """Whether both are finite degrees, within ±90 and ±180."""
    if lat is None or lon is None:
        return False
    return -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0


def ecef_km(lat: float, lon: float) -> Ecef:
    """Earth-centred x, y, z in km of a point at sea level."""
    phi, lam = math.radians(lat), math.radians(lon)
    sin_phi, cos_phi = math.sin(phi), math.cos(phi)
    normal = _AXIS_KM / math.sqrt(1.0 - _ECCENTRICITY_SQUARED * sin_phi * sin_phi)
    return (
        normal * cos_phi * math.cos(lam),
        normal * cos_phi * math.sin(lam),
        normal * (1.0 - _ECCENTRICITY_SQUARED) * sin_phi,
    )


def chord_km(a: Ecef, b: Ecef) -> float:
    """Straight line through the earth; a lower bound of `geodesic_km`.

    The same operations in the same order as `index.ChordIndex`, so that both agree bit by bit.
    """
    dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


def about_km(chord: float) -> float:
    """The way over the ground that belongs to a chord, on a sphere: to 0.1 km up to 1,000 km.

    For display only; nothing is decided by it.
    """
    half = min(1.0, chord / (2 * _MEAN_RADIUS_KM))
    return 2 * _MEAN_RADIUS_KM * math.asin(half)


def geodesic_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Shortest way over the ellipsoid, exact, to the millimetre (equal places stay equal).

    The value of `geopy.distance.geodesic`.
    """
    measured = _WGS84.Inverse(lat1, lon1, lat2, lon2, Geodesic.DISTANCE)
    return round(float(measured["s12"]), 6)
