"""The files that a customer sent with a form: had through their lead, by whoever sees the lead."""

from __future__ import annotations

import io
import uuid

from flask import Blueprint, Response, abort, send_file

from lmt import web
from lmt.attributes import file_of_lead


def add_to(blueprint: Blueprint) -> None:
    """Hang the files below the lead's page; headquarters' page of the lead names them, too."""
    view = web.require("lead.read")(lead_file)
    blueprint.add_url_rule("/leads/<uuid:lead_id>/files/<uuid:file_id>", "lead_file", view)


def lead_file(lead_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    """To keep, never to be shown here: a stranger made it."""
    file = file_of_lead(web.db(), lead_id, file_id)
    if file is None:
        abort(404)
    response = send_file(
        io.BytesIO(file.data),
        mimetype=file.content_type,
        as_attachment=True,
        download_name=file.name,
        etag=False,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
