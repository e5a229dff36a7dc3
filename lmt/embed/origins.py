"""Whose pages may show a form and send its answers. An origin is no authentication: a program
writes what it likes there, but a browser tells the truth about the page it shows."""

from __future__ import annotations

from urllib.parse import urlsplit

from lmt.forms.origins import BadOrigin, clean_origin
from lmt.models import Form

__all__ = [
    "BadOrigin",
    "allowed_origin",
    "clean_origin",
    "foreign_origin",
    "origin_of",
    "redirect_target",
]


def allowed_origin(form: Form, origin: str, base_url: str) -> bool:
    """May pages of `origin`, as its header names it, read what the form's addresses answer? Those
    the form is embedded on may, and our own."""
    return bool(origin) and (origin in form.origins or origin == origin_of(base_url))


def foreign_origin(form: Form, origin: str, base_url: str, host: str) -> bool:
    """Does the header name a page that the form isn't on? Many programs and some browsers name
    none, which says nothing; `host` is the name by which the visitor reached us."""
    if not origin or allowed_origin(form, origin, base_url):
        return False
    return origin_of(origin).partition("://")[2] != host.lower()


def redirect_target(form: Form, address: str, base_url: str) -> str:
    """`address` where visitors may be led after sending: over TLS, to a page the form may be
    embedded on or to our own; else ""."""
    if not address.startswith("https://"):
        return ""
    return address if allowed_origin(form, origin_of(address), base_url) else ""


def origin_of(address: str) -> str:
    """Of whatever a browser or a program says; "" for what names none."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
    except ValueError:
        return ""
