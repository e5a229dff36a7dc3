"""The one way out: whatever LMT itself asks of another machine on the web, it asks here.

Addresses come from settings, and one day from people; a name may also change whom it stands for
between two questions. So a host is resolved once, refused where any of its addresses is not a
public one, and connected to by the very address that was looked at. Redirects are not followed,
proxies of the environment not used; time and size are limited as a whole, not for each packet.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx

MOST_BYTES = 1 << 20
_NAT64 = IPv6Network("64:ff9b::/96")

Target = tuple[str, int]
Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Iterable[str]]


class OutsideError(Exception):
    """No answer. `code` is refused, unreachable, timeout, too_large or unreadable.

    The text names the host and nothing else of the question, which may hold a key or a person.
    """

    def __init__(self, code: str, host: str):
        super().__init__(f"{host}: {code}")
        self.code = code
        self.host = host


class NotAnswered(Exception):
    """A service gave no answer of use. `again` says whether asking once more may help."""

    def __init__(self, reason: str, *, again: bool):
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """200 to 299: a redirect is no answer."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.body)


class Outside:
    """Asks other machines. Safe to share among threads.

    `private_targets` are the (host, port) pairs that may stand on private addresses.
    """

    def __init__(
        self, private_targets: Collection[Target] = (), *, resolve: Resolve | None = None
    ) -> None:
        self._private = frozenset(private_targets)
        self._resolve = resolve or _addresses

    def ask(
        self,
        method: str,
        url: str,
        *,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Answer:
        """One request, answered within `timeout_seconds` as a whole. Raises OutsideError."""
        host, target = _target(url)
        until = time.monotonic() + timeout_seconds
        backend = _Backend(self._private, self._resolve, until)
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=_tls(), max_connections=1, network_backend=backend
                ) as pool,
                pool.stream(method, target, headers=list(sent.items()), content=content) as answer,
            ):
                return _read(answer, host, most_bytes)
        except httpcore.TimeoutException as problem:
            raise OutsideError("timeout", host) from problem
        except (httpcore.NetworkError, ssl.SSLError, OSError) as problem:
            raise OutsideError("unreachable", host) from problem
        except httpcore.ProtocolError as problem:
            raise OutsideError("unreadable", host) from problem


def is_public(address: Address) -> bool:
    """Is this an address of the public network, also as what it may carry inside?"""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            carried = IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def _target(url: str) -> tuple[str, httpcore.URL]:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as problem:
        raise OutsideError("refused", "?") from problem
    host = parsed.host.lower()
    if parsed.scheme not in {"http", "https"} or not host or parsed.userinfo:
        raise OutsideError("refused", host or "?")
    return host, httpcore.URL(
        scheme=parsed.raw_scheme,
        host=parsed.raw_host,
        port=parsed.port or (443 if parsed.scheme == "https" else 80),
        target=parsed.raw_path,
    )


def _read(answer: httpcore.Response, host: str, most_bytes: int) -> Answer:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers
    }
    # Unasked-for compression could make little into very much.
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise OutsideError("unreadable", host)
    body = bytearray()
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) > most_bytes:
            raise OutsideError("too_large", host)
    return Answer(answer.status, headers, bytes(body))


class _Backend(httpcore.NetworkBackend):
    """Connects to the addresses that were looked at, until an instant of the monotonic clock."""

    def __init__(self, private: Collection[Target], resolve: Resolve, until: float):
        self._private = private
        self._resolve = resolve
        self._until = until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        found = self._allowed(host.lower(), port)
        problem: Exception = httpcore.ConnectError("no address")
        for left, address in zip(range(len(found), 0, -1), found, strict=True):
            try:
                stream = self._plain.connect_tcp(
                    str(address), port, timeout=_left(self._until) / left
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                problem = failed
            else:
                return _Timed(stream, self._until)
        raise problem

    def _allowed(self, host: str, port: int) -> list[Address]:
        """The host's addresses. Raises OutsideError where one of them may not be asked."""
        found = _within(lambda: self._resolve(host, port), _left(self._until))
        addresses = [ip_address(each.partition("%")[0]) for each in found]
        if (host, port) not in self._private and not all(map(is_public, addresses)):
            raise OutsideError("refused", host)
        return addresses


class _Timed(httpcore.NetworkStream):
    """A connection that ends at one instant, however slowly its other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, until: float):
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._until))
        return _Timed(stream, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("time is up")
    return seconds


def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


def _within(question: Callable[[], Iterable[str]], seconds: float) -> list[str]:
    """The system's resolver takes the time it likes, so it is waited for and then left alone."""
    found: list[str] = []
    problems: list[Exception] = []

    def look() -> None:
        try:
            found.extend(question())
        except (OSError, UnicodeError) as problem:
            problems.append(problem)

    thread = threading.Thread(target=look, name="resolver", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise httpcore.ConnectTimeout("no address in time")
    if problems or not found:
        raise httpcore.ConnectError("no address")
    return found


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()
