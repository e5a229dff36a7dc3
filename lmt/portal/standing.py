"""Where a request stands, in words for the customer and without a word on the machinery."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.lifecycle import Status

STEPS = ("arrived", "given", "taken", "answered")


def reached(status: Status) -> int:
    """How many of STEPS lie behind the request."""
    if status is Status.OFFERED:
        return 2
    if status is Status.ACCEPTED:
        return 3
    if status in {Status.CONTACTED, Status.RESTING, Status.WON, Status.LOST}:
        return 4
    return 1


def isolated(name: str) -> str:
    """A name that keeps its own direction inside a sentence of another script."""
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}" if name else ""


def sentence(status: Status, *, contacted: bool, dealer: str, late: bool) -> str:
    """`contacted`: somebody spoke with the customer; `late`: the promised time has passed."""
    dealer = isolated(dealer)
    if status is Status.WITHDRAWN:
        return _("This request was closed.")
    if status is Status.INCOMPLETE:
        return _("We have your request, but no phone number or mail address to answer it.")
    if status in {Status.WON, Status.LOST}:
        return _("This request is completed. Thank you.")
    if status is Status.RESTING:
        return _("%(dealer)s will come back to you at the time you agreed.", dealer=dealer)
    if contacted or status is Status.CONTACTED:
        return _("%(dealer)s has contacted you.", dealer=dealer)
    if late and dealer:
        return _(
            "%(dealer)s should have contacted you by now. We are sorry; we see the delay too."
            " You are welcome to call.",
            dealer=dealer,
        )
    if status is Status.ACCEPTED:
        return _("%(dealer)s is working on your request.", dealer=dealer)
    if status is Status.OFFERED:
        return _("Your request is with %(dealer)s.", dealer=dealer)
    return _("We are looking for the dealer who serves you best.")


def in_short(status: Status) -> str:
    """Where an earlier request stands, in a word or two."""
    if status is Status.WITHDRAWN:
        return _("Closed")
    if status in {Status.WON, Status.LOST}:
        return _("Completed")
    if reached(status) >= 3:
        return _("In progress")
    return _("Waiting for an answer")


def step_words() -> list[str]:
    return [
        _("We have your request"),
        _("Given to a dealer"),
        _("Taken up by the dealer"),
        _("You were contacted"),
    ]
