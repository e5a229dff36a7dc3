"""What the faces of a form are made of: style sheets and the programs that brand pages load."""

from __future__ import annotations

import gzip
import mimetypes

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from lmt.assets import YEAR_SECONDS
from lmt.embed.blueprint import blueprint
from lmt.embed.shown import asked_version, shown_form
from lmt.forms.look import style_sheet
from lmt.forms.scriptfiles import mark, static_text
from lmt.ingest import machines

FOR_PAGES_SECONDS = 3600
"""Brand pages name these programs without a mark."""


@blueprint.get("/embed/visit.js", defaults={"name": "visit.js", "package": "lmt.forms"})
@blueprint.get("/embed/frame.js", defaults={"name": "frame.js", "package": "lmt.embed"})
def program(name: str, package: str) -> ResponseReturnValue:
    """What keeps a visit's campaign from page to page; what lets a frame grow."""
    response = _answer(static_text(name, package), "text/javascript")
    response.cache_control.no_cache = None
    response.cache_control.max_age = FOR_PAGES_SECONDS
    return response


@blueprint.get("/embed/<code>.css")
def style(code: str) -> ResponseReturnValue:
    """The form's style sheet, with its theme."""
    shown = shown_form(machines.system_session(), code, asked_version())
    return _answer(style_sheet(shown.definition.theme), "text/css")


@blueprint.get("/embed/static/<name>")
def static_file(name: str) -> ResponseReturnValue:
    """A file of the forms by itself."""
    try:
        text = static_text(name)
    except LookupError:
        abort(404)
    return _answer(text, mimetypes.guess_type(name)[0] or "text/plain")


def _answer(text: str, mimetype: str) -> Response:
    """For a year with the mark of the very text in the address, else checked each time."""
    packed = request.accept_encodings["gzip"] > 0
    body = text.encode()
    response = Response(gzip.compress(body, 9, mtime=0) if packed else body, mimetype=mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    own = mark(text)
    response.set_etag(f"{own}-gzip" if packed else own)
    marked = request.args.get("v") == own
    response.cache_control.public = True
    response.cache_control.no_cache = None if marked else True
    response.cache_control.max_age = YEAR_SECONDS if marked else None
    response.cache_control.immutable = marked
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
