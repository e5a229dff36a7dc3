"""Scripts and styles, compressed once and kept by browsers until their content changes."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, abort, current_app, g, request, url_for
from werkzeug.security import safe_join

from lmt.web import public

YEAR_SECONDS = 365 * 24 * 3600
_COMPRESSIBLE = {".css", ".js", ".svg", ".json"}
_WORTH_BYTES = 1024


def register(app: Flask) -> None:
    """`/static/<path>` of the application, and gzip for its pages."""
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.after_request(compress_page)


def asset(filename: str) -> str:
    """The address of a file in `static`, changing with its content."""
    # A page names the same icons a hundred times.
    told: dict[str, str] = g.setdefault("assets", {})
    if filename not in told:
        mark = _mark(*_identity(_path(filename)))
        told[filename] = url_for("static", filename=filename, v=mark)
    return told[filename]


@public
def serve(filename: str) -> Response:
    """A file of `static`: with its mark for a year, without it checked each time."""
    place = safe_join(str(_folder()), filename)
    if place is None or not Path(place).is_file():
        abort(404)
    path, modified = _identity(Path(place))
    mark = _mark(path, modified)
    packed = path.suffix in _COMPRESSIBLE and _accepts_gzip()
    response = Response(
        _gzipped(path, modified) if packed else path.read_bytes(),
        mimetype=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
    )
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{mark}-gzip" if packed else mark)
    marked = request.args.get("v") == mark
    response.cache_control.public = True
    response.cache_control.no_cache = None if marked else True
    response.cache_control.max_age = YEAR_SECONDS if marked else None
    response.cache_control.immutable = marked
    response.make_conditional(request)
    return response


def compress_page(response: Response) -> Response:
    """Gzip for HTML. Session cookies are SameSite, so nobody else can probe a page's secrets."""
    if (
        response.mimetype == "text/html"
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
    ):
        response.vary.add("Accept-Encoding")
        body = response.get_data()
        if len(body) >= _WORTH_BYTES and _accepts_gzip():
            response.set_data(gzip.compress(body, 5))
            response.headers["Content-Encoding"] = "gzip"
    return response


def _accepts_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0


def _folder() -> Path:
    return Path(current_app.root_path) / "static"


def _path(filename: str) -> Path:
    return _folder() / filename


def _identity(path: Path) -> tuple[Path, int]:
    """A file and its version: an edited file is read again without a restart."""
    try:
        return path, path.stat().st_mtime_ns
    except OSError:
        return path, 0


@lru_cache(maxsize=256)
def _mark(path: Path, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if modified else ""


@lru_cache(maxsize=256)
def _gzipped(path: Path, modified: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
