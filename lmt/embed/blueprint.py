"""The blueprint of what visitors get of a form: no cookies, no session, open to everybody."""

from __future__ import annotations

from flask import Blueprint

from lmt.web import public

blueprint = Blueprint("embed", __name__)
public(blueprint)
