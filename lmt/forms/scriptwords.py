"""What the script of a form says by itself, while it sends and where a country changes."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.i18n import reading


def script_words(language: str) -> dict[str, str]:
    """The sentences that static/form.js and its neighbours look up, by name."""
    with reading(language):
        return {
            "sending": _("Sending…"),
            "offline": _("You are offline. We will try again."),
            "busy": _("We could not send this just now. We will try again."),
            "again": _("Try again"),
            "refused": _("This form can't be sent now. Your answers are kept here."),
            "too_large": _("These files are too large to be sent."),
            "optional": _("(optional)"),
            "choose": _("Choose…"),
        }
