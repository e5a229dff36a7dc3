"""What a visitor reads after sending: who will call and by when, and where to follow it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from lmt.forms.definition import FormDefinition
from lmt.forms.page import rendered
from lmt.i18n import format_day_time, reading


def render_thanks(
    definition: FormDefinition,
    *,
    language: str,
    stylesheet: str,
    reference: str = "",
    status_url: str = "",
    dealer: str = "",
    respond_by: datetime | None = None,
    timezone: str = "UTC",
    known: bool = False,
    to_confirm: bool = False,
    face: str = "page",
) -> str:
    """The page after sending. `dealer` and `respond_by` (told in `timezone`) are named where the
    lead was routed by now; `status_url` leads to the customer's page, which will know later.
    Without any of them it is what a submission kept for review is answered too.

    `known`: the customer has asked before. Then nothing of that request is shown, as the visitor
    may be anybody. `to_confirm`: the market asks people to confirm by a mail that was sent. The
    form's `redirect` is a link here; whoever can leads there at once.
    """
    values = _values(
        definition, language, reference, status_url, dealer, respond_by, timezone, known
    )
    return rendered(
        "thankspage.html",
        definition,
        definition.language(language),
        face=face,
        stylesheet=stylesheet,
        scripts=(),
        level=1,
        to_confirm=to_confirm,
        **values,
    )


def thanks_fragment(
    definition: FormDefinition,
    *,
    language: str,
    reference: str = "",
    status_url: str = "",
    dealer: str = "",
    respond_by: datetime | None = None,
    timezone: str = "UTC",
    known: bool = False,
    to_confirm: bool = False,
) -> str:
    """The same within a `<div class="lmt-form">`, for a script to put in the form's place."""
    values = _values(
        definition, language, reference, status_url, dealer, respond_by, timezone, known
    )
    return rendered(
        "thanks.html",
        definition,
        definition.language(language),
        level=2,
        to_confirm=to_confirm,
        **values,
    )


def _values(
    definition: FormDefinition,
    language: str,
    reference: str,
    status_url: str,
    dealer: str,
    respond_by: datetime | None,
    timezone: str,
    known: bool,
) -> dict[str, Any]:
    shown = definition.language(language)
    with reading(shown, timezone):
        until = format_day_time(respond_by) if respond_by else ""
    return {
        "own_words": definition.words(definition.thanks, shown),
        "redirect": definition.redirect,
        "reference": reference,
        "status_url": status_url,
        "dealer": dealer,
        "until": until,
        "known": known,
        "isolated": _isolated,
    }


def _isolated(name: str) -> Markup:
    """A name within a sentence that may run the other way."""
    return Markup("<bdi>{}</bdi>").format(name)
