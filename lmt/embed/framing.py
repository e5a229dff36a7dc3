"""Which pages may hold a form or read its answers: those of its origins, told to each browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, request

from lmt import web
from lmt.embed.blueprint import blueprint
from lmt.embed.origins import allowed_origin
from lmt.models import Form

PERMISSIONS = "camera=(), geolocation=(self), microphone=(), payment=(), usb=()"
"""A visitor may look for dealers near where they are."""
_PREFLIGHT_SECONDS = "600"


def page_headers(response: Response, form: Form, face: str, redirect: str = "") -> Response:
    """A page of the form: one in a frame may be framed by the form's origins, and by those alone;
    the hosted one by nobody. `redirect` is where sending it may lead, in which browsers see a
    target of the form."""
    ancestors = " ".join(form.origins if face == "frame" else ()) or "'none'"
    target = f" {urlsplit(redirect).scheme}://{urlsplit(redirect).netloc}" if redirect else ""
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            f"form-action 'self'{target}",
            f"frame-ancestors {ancestors}",
        )
    )
    response.headers["Permissions-Policy"] = PERMISSIONS
    if face == "frame":
        # A frame is no window of its own, and its page around it belongs to somebody else.
        response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@blueprint.after_request
def _share(response: Response) -> Response:
    """Scripts on pages of the form's origins may read what `/embed/…` answers; no others may, and
    nobody's cookies come along."""
    is_page = response.mimetype == "text/html" and request.method != "OPTIONS"
    if is_page or not request.path.startswith("/embed/"):
        return response
    response.vary.add("Origin")
    origin, form = request.headers.get("Origin", ""), g.get("shown_form")
    if form is None or not allowed_origin(form, origin, web.settings().base_url):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response
