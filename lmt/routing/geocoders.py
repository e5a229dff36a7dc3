"""How each geocoder is asked, through geopy.

Imported only where a geocoder is configured. Every request goes through `lmt.outside`, so that
geopy meets no proxy, no redirect and no private address.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from geopy import geocoders
from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.exc import (
    ConfigurationError,
    GeocoderParseError,
    GeocoderServiceError,
    GeocoderTimedOut,
    GeocoderUnavailable,
    GeopyError,
)

from lmt.config import GeocoderAccess
from lmt.outside import NotAnswered, Outside, OutsideError
from lmt.routing.geo import is_place
from lmt.routing.geocoderwords import (
    Found,
    read_google,
    read_nominatim,
    read_opencage,
    read_pelias,
    read_photon,
)

MOST_RESULTS = 5

# geopy writes addresses and keys to its log.
logging.getLogger("geopy").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Question:
    """An address to look for in `countries` (alpha-2), as one line and, where known, in parts."""

    line: str
    street: str
    postcode: str
    city: str
    countries: tuple[str, ...]
    country_name: str = ""


def found_by(
    access: GeocoderAccess,
    question: Question,
    *,
    outside: Outside,
    timeout_seconds: float,
    user_agent: str,
) -> list[Found]:
    """What the geocoder offers, its best first. Raises NotAnswered."""
    kind = _KINDS[access.name]

    def adapter(*, proxies: object, ssl_context: object) -> _Adapter:
        return _Adapter(outside, proxies, ssl_context)

    try:
        geocoder = kind.make(
            access,
            {
                "adapter_factory": adapter,
                "user_agent": user_agent,
                "timeout": timeout_seconds,
                **({"scheme": urlsplit(access.url).scheme} if access.url else {}),
            },
        )
        results = kind.ask(geocoder, question) or []
        found = [kind.read(each.raw, each.latitude, each.longitude) for each in results]
    except GeopyError as problem:
        # Its other kinds say what was wrong with us: a key, a quota, the question.
        cause = problem.__cause__
        failed = isinstance(cause, AdapterHTTPError) and cause.status_code >= 500
        again = failed or isinstance(problem, GeocoderTimedOut | GeocoderUnavailable)
        raise NotAnswered(type(problem).__name__, again=again) from None
    except (LookupError, TypeError, ValueError, AttributeError):
        # What came back is JSON, but not in the geocoder's shape.
        raise NotAnswered("unreadable", again=False) from None
    return [each for each in found[:MOST_RESULTS] if is_place(each.lat, each.lon)]


_PROBLEMS = {
    "refused": ConfigurationError,
    "timeout": GeocoderTimedOut,
    "unreachable": GeocoderUnavailable,
    "too_large": GeocoderParseError,
    "unreadable": GeocoderParseError,
}


class _Adapter(BaseSyncAdapter):  # type: ignore[misc]
    """geopy's way to the network: ours."""

    def __init__(self, outside: Outside, proxies: object, ssl_context: object):
        super().__init__(proxies=proxies, ssl_context=ssl_context)
        self._outside = outside

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        try:
            answer = self._outside.ask("GET", url, timeout_seconds=timeout, headers=headers)
            if not answer.ok:
                # Its text may repeat the address, and geopy logs it.
                raise AdapterHTTPError(
                    str(answer.status),
                    status_code=answer.status,
                    headers=dict(answer.headers),
                    text="",
                )
            return answer.json()
        except OutsideError as problem:
            raise _PROBLEMS[problem.code](problem.code) from problem
        except ValueError as problem:
            raise GeocoderParseError("no JSON") from problem

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        raise GeocoderServiceError("only JSON is read")


@dataclass(frozen=True, slots=True)
class _Kind:
    make: Callable[[GeocoderAccess, dict[str, Any]], Any]
    ask: Callable[[Any, Question], Sequence[Any] | None]
    read: Callable[[Any, float, float], Found]


def _domain(access: GeocoderAccess) -> str:
    """Host, port and path: geopy takes the scheme apart."""
    return access.url.partition("://")[2]


def _ask_nominatim(geocoder: Any, question: Question) -> Any:
    parts = {
        "street": question.street,
        "postalcode": question.postcode,
        "city": question.city,
    }
    return geocoder.geocode(
        {name: text for name, text in parts.items() if text} or question.line,
        exactly_one=False,
        limit=MOST_RESULTS,
        addressdetails=True,
        country_codes=[country.lower() for country in question.countries],
    )


def _ask_photon(geocoder: Any, question: Question) -> Any:
    line = ", ".join(part for part in (question.line, question.country_name) if part)
    return geocoder.geocode(line, exactly_one=False, limit=MOST_RESULTS)


def _ask_pelias(geocoder: Any, question: Question) -> Any:
    return geocoder.geocode(
        question.line, exactly_one=False, countries=list(question.countries) or None
    )


def _ask_google(geocoder: Any, question: Question) -> Any:
    # It takes one country as a filter; several are told apart by the answer.
    only = {"country": question.countries[0]} if len(question.countries) == 1 else None
    return geocoder.geocode(question.line, exactly_one=False, components=only)


def _ask_opencage(geocoder: Any, question: Question) -> Any:
    return geocoder.geocode(
        question.line,
        exactly_one=False,
        annotations=False,
        country=[country.lower() for country in question.countries] or None,
    )


_KINDS: Mapping[str, _Kind] = {
    "nominatim": _Kind(
        lambda access, options: geocoders.Nominatim(domain=_domain(access), **options),
        _ask_nominatim,
        read_nominatim,
    ),
    "photon": _Kind(
        lambda access, options: geocoders.Photon(domain=_domain(access), **options),
        _ask_photon,
        read_photon,
    ),
    "pelias": _Kind(
        lambda access, options: geocoders.Pelias(
            _domain(access), api_key=access.key or None, **options
        ),
        _ask_pelias,
        read_pelias,
    ),
    "google": _Kind(
        lambda access, options: geocoders.GoogleV3(
            access.key, domain=_domain(access) or "maps.googleapis.com", **options
        ),
        _ask_google,
        read_google,
    ),
    "opencage": _Kind(
        lambda access, options: geocoders.OpenCage(
            access.key, domain=_domain(access) or "api.opencagedata.com", **options
        ),
        _ask_opencage,
        read_opencage,
    ),
}
