"""Distances on the earth: how far a lead is from a dealer, exactly, and cheaply at least how far.

Coordinates are WGS-84 degrees. The straight line through the earth (chord) is never longer than
the geodesic above it, at the poles and across the antimeridian too, so it bounds a search safely.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

_WGS84 = Geod(ellps="WGS84")
_AXIS_KM = _WGS84.a / 1000
_ECCENTRICITY_SQUARED = _WGS84.es
_MEAN_DIAMETER_KM = 2 * 6371.0088

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
    half = chord / _MEAN_DIAMETER_KM
    return _MEAN_DIAMETER_KM * math.asin(half if half < 1.0 else 1.0)


def geodesic_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Shortest way over the ellipsoid, exact, to the millimetre (equal places stay equal).

    The value of `geopy.distance.geodesic`, a hundred times sooner.
    """
    metres: float = _WGS84.inv(lon1, lat1, lon2, lat2, return_back_azimuth=False)[2]
    return round(metres / 1000, 6)


def geodesics_km(lat: float, lon: float, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
    """`geodesic_km` from one place to each of several, in one call."""
    there_lat = np.asarray(lats, dtype=np.float64)
    there_lon = np.asarray(lons, dtype=np.float64)
    here_lat, here_lon = np.full_like(there_lat, lat), np.full_like(there_lon, lon)
    found = _WGS84.inv(here_lon, here_lat, there_lon, there_lat, return_back_azimuth=False)
    metres = np.asarray(found[2], dtype=np.float64)
    # Rounded as `geodesic_km` rounds: numpy's own rounding differs in a last digit now and then.
    return np.asarray([round(each, 6) for each in (metres / 1000).tolist()], dtype=np.float64)


def ecefs_km(lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
    """`ecef_km` of several places, a row each; equal to it but for the last bits."""
    phi, lam = np.radians(np.asarray(lats, float)), np.radians(np.asarray(lons, float))
    sin_phi, cos_phi = np.sin(phi), np.cos(phi)
    normal = _AXIS_KM / np.sqrt(1.0 - _ECCENTRICITY_SQUARED * sin_phi * sin_phi)
    return np.column_stack(
        (
            normal * cos_phi * np.cos(lam),
            normal * cos_phi * np.sin(lam),
            normal * (1.0 - _ECCENTRICITY_SQUARED) * sin_phi,
        )
    )
