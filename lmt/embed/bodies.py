"""How much a form may be sent, settled before any of it is read; whose preflight is answered."""

from __future__ import annotations

from typing import Any

from flask import request

from lmt import web
from lmt.embed.blueprint import blueprint
from lmt.embed.files import most_bytes
from lmt.embed.shown import shown_form
from lmt.ingest import machines

FORM_BYTES = 100_000
"""What a form takes besides its files."""
_DOORS = frozenset({"embed.submit", "embed.submit_frame", "embed.send"})


@blueprint.url_value_preprocessor
def _open(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A form with files may be as large as they may be; any other stays as small as elsewhere. It
    is looked up first, so that the page it stands on may read also that a body is too large."""
    code = (values or {}).get("code", "")
    if not code or "\0" in code or not (request.method == "OPTIONS" or endpoint in _DOORS):
        return
    shown = shown_form(machines.system_session(), code)
    files_bytes = most_bytes(shown.definition)
    if files_bytes and request.mimetype == "multipart/form-data":
        most = max(web.settings().max_body_bytes, files_bytes + FORM_BYTES)
        request.max_content_length = most
