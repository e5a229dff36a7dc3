"""Pages of headquarters that take a file: who may send one and how large is settled before any of
it is read, for the form around it is read by whatever looks at a request first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from flask import abort, current_app, request
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.models.upload import PART_BYTES

P = ParamSpec("P")
R = TypeVar("R")

FORM_BYTES = 100_000
"""What a form takes besides its file."""
_DOOR = "lmt_takes_a_file"


def takes_a_file(
    permission: str, most_bytes: Callable[[], int]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for people who hold `permission`, who may send it a form with a file.

    Anybody else is told so (403) while their body is still to come; a larger one is refused (413).
    Whatever is no form with a file stays as small as elsewhere: it would be held in memory.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        guarded = web.require(permission)(view)
        setattr(guarded, _DOOR, (permission, most_bytes))
        return guarded

    return decorate


@blueprint.url_value_preprocessor
def _open(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    door = getattr(current_app.view_functions.get(endpoint or ""), _DOOR, None)
    if door is None or not current_user.is_authenticated:
        return
    permission, most_bytes = door
    if not web.may(permission):
        abort(403)
    if request.mimetype == "multipart/form-data":
        request.max_content_length = most_bytes() + FORM_BYTES


def parts_of(file: FileStorage) -> Iterator[bytes]:
    """What was sent, as it is kept: piece by piece, so that no file is held in memory."""
    while part := file.stream.read(PART_BYTES):
        yield part
