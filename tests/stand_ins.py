"""Local servers that stand in for geocoders and routing engines, in the shapes of their own docs.

Every place in here is made up or public knowledge; no answer was copied from a live service.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `query` holds the last value of each parameter."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """`slowly` sends a byte every 0.2 s and no end; `never` sends nothing at all."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slowly: bool = False
    never: bool = False

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class StandIn:
    """Answers by `reply`, a function of the request, or one Reply for all; remembers them."""

    def __init__(self, reply: Callable[[Asked], Reply] | Reply):
        self.reply = reply
        self.asked: list[Asked] = []
        self.ending = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.target = ("127.0.0.1", int(self._server.server_port))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, query, headers)
                owner.asked.append(asked)
                reply = owner.reply(asked) if callable(owner.reply) else owner.reply
                self.close_connection = True
                try:
                    self._send(reply)
                except OSError:
                    return  # whoever asked has gone

            def _send(self, reply: Reply) -> None:
                if reply.never:
                    owner.ending.wait(30)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not reply.slowly:
                    self.send_header("Content-Length", str(len(reply.bytes)))
                self.end_headers()
                if not reply.slowly:
                    self.wfile.write(reply.bytes)
                    return
                while not owner.ending.wait(0.2):
                    self.wfile.write(b" ")

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


@contextmanager
def stand_in(reply: Callable[[Asked], Reply] | Reply) -> Iterator[StandIn]:
    server = StandIn(reply)
    try:
        yield server
    finally:
        server.close()


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """One reply after the other; the last one stays."""
    left = list(replies)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


def nominatim_place(
    lat: float,
    lon: float,
    *,
    kind: str = "house",
    country: str = "pl",
    half_degrees: float = 0.0005,
    **address: str,
) -> dict[str, Any]:
    """An entry of `/search?format=json&addressdetails=1`. `kind` is an addresstype."""
    classes = {"house": ("place", "house"), "road": ("highway", "residential")}
    of_class, of_type = classes.get(kind, ("place", kind))
    return {
        "place_id": 7,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0.",
        "osm_type": "node",
        "osm_id": 7,
        "lat": f"{lat:.7f}",
        "lon": f"{lon:.7f}",
        "class": of_class,
        "type": of_type,
        "place_rank": 30,
        "importance": 0.2,
        "addresstype": kind,
        "name": "",
        "display_name": "somewhere",
        "address": {
            **({"house_number": "12"} if kind == "house" else {}),
            **address,
            "country_code": country,
        },
        "boundingbox": [
            f"{lat - half_degrees:.7f}",
            f"{lat + half_degrees:.7f}",
            f"{lon - half_degrees:.7f}",
            f"{lon + half_degrees:.7f}",
        ],
    }


def photon_feature(
    lat: float, lon: float, *, kind: str = "house", country: str = "PL", **told: Any
) -> dict[str, Any]:
    """A feature of `/api`."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {
            "osm_type": "N",
            "osm_id": 7,
            "osm_key": "place",
            "osm_value": kind,
            "type": kind,
            "countrycode": country,
            "country": "somewhere",
            "city": "Warszawa",
            **told,
        },
    }


def photon(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def pelias_feature(
    lat: float, lon: float, *, layer: str = "address", country: str = "PL", **told: Any
) -> dict[str, Any]:
    """A feature of `/v1/search`."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {
            "id": "7",
            "gid": "openaddresses:address:7",
            "name": "somewhere",
            "layer": layer,
            "source": "openaddresses",
            "confidence": 1,
            "match_type": "exact",
            "accuracy": "point",
            "country_code": country,
            "locality": "Warszawa",
            **told,
        },
    }


def google_result(
    lat: float,
    lon: float,
    *,
    types: tuple[str, ...] = ("street_address",),
    location_type: str = "ROOFTOP",
    country: str = "PL",
    partial: bool = False,
    half_degrees: float = 0.001,
) -> dict[str, Any]:
    """An entry of `results` of the Geocoding API."""
    return {
        "types": list(types),
        "formatted_address": "somewhere",
        "address_components": [
            {"long_name": "Warszawa", "short_name": "Warszawa", "types": ["locality", "political"]},
            {"long_name": "Poland", "short_name": country, "types": ["country", "political"]},
        ],
        "geometry": {
            "location": {"lat": lat, "lng": lon},
            "location_type": location_type,
            "viewport": {
                "southwest": {"lat": lat - half_degrees, "lng": lon - half_degrees},
                "northeast": {"lat": lat + half_degrees, "lng": lon + half_degrees},
            },
        },
        **({"partial_match": True} if partial else {}),
    }


def google(*results: dict[str, Any]) -> dict[str, Any]:
    return {"status": "OK" if results else "ZERO_RESULTS", "results": list(results)}


def opencage_result(
    lat: float, lon: float, *, kind: str = "building", country: str = "pl", **told: str
) -> dict[str, Any]:
    """An entry of `results` of OpenCage."""
    return {
        "components": {"_type": kind, "country_code": country, "city": "Warszawa", **told},
        "confidence": 10,
        "formatted": "somewhere",
        "geometry": {"lat": lat, "lng": lon},
        "bounds": {
            "southwest": {"lat": lat - 0.001, "lng": lon - 0.001},
            "northeast": {"lat": lat + 0.001, "lng": lon + 0.001},
        },
    }


def opencage(*results: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": list(results),
        "status": {"code": 200, "message": "OK"},
        "total_results": len(results),
    }


def osrm_table(
    *ways: tuple[float, float] | None, off_road_metres: dict[int, float] | None = None
) -> dict[str, Any]:
    """The table from one place to several, each (km, minutes) or None where no road leads.

    `off_road_metres` says how far a point lies from its road, by column; 0 is the place itself.
    """
    off = off_road_metres or {}
    points = [
        {"hint": "", "distance": off.get(column, 4.2), "name": "", "location": [21.0, 52.2]}
        for column in range(len(ways) + 1)
    ]
    return {
        "code": "Ok",
        "sources": points[:1],
        "destinations": points,
        "durations": [[0.0, *(None if way is None else way[1] * 60 for way in ways)]],
        "distances": [[0.0, *(None if way is None else way[0] * 1000 for way in ways)]],
    }
