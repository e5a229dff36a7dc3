"""The words around picking another dealer: why, and why not."""

from __future__ import annotations

from lmt.i18n import gettext as _

MOVE_REASONS = ("too_far", "no_answer", "preference", "other")
"""Why a customer wants another dealer, as the lead's history keeps it."""


def move_reasons() -> list[tuple[str, str]]:
    """Codes with their words, in the order in which they are offered."""
    words = (
        _("It is too far away"),
        _("I had no answer"),
        _("I would rather have another one"),
        _("Another reason"),
    )
    return list(zip(MOVE_REASONS, words, strict=True))


def move_problem(code: str) -> str:
    """Why nothing was changed; "" where nothing went wrong."""
    return {
        "outdated": _("Something has changed since you opened this page. Please choose again."),
        "incomplete": _("Please choose a dealer and say why."),
        "not_now": _("This dealer can't take your request now. Please choose another one."),
    }.get(code, "")
