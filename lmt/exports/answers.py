"""A list as the answer to a browser: a file to keep, or why there is none just now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from threading import Semaphore
from typing import Any, ParamSpec, cast
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from flask_login import current_user

from lmt import i18n, web
from lmt.exports.listing import Listing
from lmt.exports.service import FORMS, TooManyRows, csv_of, pieces, take, xlsx_of
from lmt.files.writing import MOST_SHEET_ROWS
from lmt.i18n import gettext as _

PER_PERSON = "60 per hour"
"""A person takes a few lists a day; who holds a stolen session would take them all."""

P = ParamSpec("P")


def limited(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """`view`, as often as one person may download anything."""
    guarded: Callable[P, ResponseReturnValue] = web.limiter.shared_limit(
        PER_PERSON, scope="exports", key_func=_person
    )(view)
    return guarded


def _person() -> str:
    """Whose downloads are counted: of whoever isn't logged in, an address."""
    return str(current_user.get_id() or get_remote_address())


class Body:
    """Pieces of a file; what is held for them is let go when they end, or nobody wants more."""

    def __init__(self, pieces: Iterator[bytes], held: ExitStack):
        self._pieces = pieces
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Called by the server, also when the browser has gone."""
        self._held.close()


def answer(
    listing: Listing[Any], form: str, filters: Mapping[str, str], back: str
) -> ResponseReturnValue:
    """The list as a file of `form`, as far as the visitor may see it; the way `back` to the list,
    with words, where it can't be had."""
    slots = _slots()
    if not slots.acquire(blocking=False):
        flash(_("Several lists are being downloaded. Try again in a few minutes."), "warning")
        return redirect(back)
    with ExitStack() as held:
        held.callback(slots.release)
        try:
            return _file(listing, form, filters, held)
        except TooManyRows as refused:
            words = _(
                "These are %(rows)s rows, and a workbook holds %(most)s. Filter the list, or take"
                " the CSV.",
                rows=i18n.format_number(refused.rows),
                most=i18n.format_number(MOST_SHEET_ROWS),
            )
            flash(words, "warning")
            return redirect(back)


def _file(
    listing: Listing[Any], form: str, filters: Mapping[str, str], held: ExitStack
) -> Response:
    actor, reader, house = web.actor(), i18n.reader(), web.installation()
    take(web.db(), listing, form, filters, at=web.at(), actor=actor)
    if form == "xlsx":
        file = xlsx_of(listing, house.sessions, actor, reader, house.settings.instance)
        held.callback(file.close)
        body = pieces(file)
    else:
        body = csv_of(listing, house.sessions, actor, reader)
    today = web.at().astimezone(ZoneInfo(reader.timezone)).date()
    name = f"{listing.name}-{today.isoformat()}.{form}"
    response = Response(Body(body, held.pop_all()), content_type=FORMS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _slots() -> Semaphore:
    """A slow browser holds a thread: a quarter of them at most, the others go on answering."""
    threads = web.settings().web_threads
    kept = current_app.extensions.setdefault("lmt.exports", Semaphore(max(1, threads // 4)))
    return cast(Semaphore, kept)
