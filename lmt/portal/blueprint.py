"""The one blueprint that the customer's pages hang on."""

from __future__ import annotations

from flask import Blueprint

from lmt import web

blueprint = web.public(
    Blueprint(
        "portal",
        __name__,
        url_prefix="/r",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
)
