"""Where a form may be embedded: an origin as browsers name it, not what only looks like one."""

from __future__ import annotations

import re

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})
LONGEST_ORIGIN = 300
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?/?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BadOrigin(ValueError):
    """What can't be the origin of a page; the message is the text."""


def clean_origin(text: str) -> str:
    """`HTTPS://Www.Brand.example:443/` → `https://www.brand.example`, as a browser sends it in the
    Origin header (RFC 6454, 6.1): a name in other letters becomes its ASCII form.

    Raises BadOrigin for a path, a user, a joker, and for http:// but on this very machine.
    """
    typed = text.strip()
    if not typed or len(typed) > LONGEST_ORIGIN:
        raise BadOrigin(text)
    try:
        found = _ORIGIN.fullmatch(_in_ascii(typed).lower())
    except UnicodeError as problem:
        raise BadOrigin(text) from problem
    if found is None:
        raise BadOrigin(text)
    scheme, host = found["scheme"], found["host"]
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65_535 or not all(_LABEL.fullmatch(part) for part in host.split(".")):
        raise BadOrigin(text)
    if host not in LOCAL_HOSTS and (scheme == "http" or "." not in host):
        raise BadOrigin(text)
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def _in_ascii(typed: str) -> str:
    scheme, separator, rest = typed.partition("://")
    host, slash, path = rest.partition("/")
    name, colon, port = host.partition(":")
    ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    return f"{scheme}{separator}{ascii_name}{colon}{port}{slash}{path}"
