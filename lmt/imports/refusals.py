"""Why an import can't be taken a step further now, or why it stopped, in a person's words."""

from __future__ import annotations

from lmt.i18n import gettext as _


class NotNow(ValueError):
    """What is asked of an import can't be done as things stand; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def not_now_words(code: str) -> str:
    """Why a step was refused, for the `code` of NotNow."""
    return {
        "begun": _("This import has begun, so its columns can't be changed any more."),
        "no_columns": _("No column is assigned yet, so no lead could be made."),
        "no_contact": _("Assign a column with a phone or a mail address first."),
        "running": _("This import is running. Pause it first."),
        "not_running": _("This import isn't running."),
        "nothing": _("This import has made no leads that could be taken back."),
        "undone": _("This import was taken back."),
        "over": _("This import is over."),
        "source_paused": _("The source is paused. Let it go on first."),
        "source_retired": _("The source is retired. Let it run again first."),
    }.get(code, _("This can't be done now. Look at the import again."))


def stopped_words(problem: str) -> str:
    """Why an import stopped before its end, for `ImportRun.problem`; codes of files excepted."""
    return {
        "": "",
        "source_paused": _("It was paused because its source is paused."),
        "source_retired": _("It was paused because its source is retired."),
        "never_finished": _("It stopped several times at the same row without getting further."),
    }.get(problem, _("Something went wrong. It can go on from where it stopped."))
