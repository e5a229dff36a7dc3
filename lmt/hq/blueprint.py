"""The one blueprint that headquarters' pages hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "hq",
    __name__,
    url_prefix="/hq",
    template_folder="templates",
    static_folder="static/hq",
    static_url_path="/static",
)
