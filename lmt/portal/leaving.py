"""How a customer's page leaves the house: in their language, for their eyes, kept by nobody."""

from __future__ import annotations

from flask import Response, make_response, request

from lmt.config import LOCALES
from lmt.models import Lead


def tongue_of(lead: Lead) -> str:
    """The language asked for in the address, else the lead's, else the market's."""
    wanted = request.args.get("lang", "")
    return wanted if wanted in LOCALES else lead.language or lead.market.default_language


def private(page: str, code: int) -> Response:
    """The page, with headers that keep it out of caches, referrers and search engines."""
    response = make_response(page, code)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
