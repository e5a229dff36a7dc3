"""Why a file of sales can't be taken a step further now, in a person's words."""

from __future__ import annotations

from lmt.i18n import gettext as _


class NotNow(ValueError):
    """What is asked can't be done as things stand; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def not_now_words(code: str) -> str:
    """Why a step was refused, for the `code` of NotNow."""
    return {
        "begun": _("This file has begun, so its columns can't be changed any more."),
        "not_table": _("Each column can be one field only, and each field one column."),
        "no_date": _("Say which column holds the day of the sale."),
        "nothing_telling": _(
            "Assign a column by which a lead can be found: an order number, a VIN, a name, a phone"
            " or a mail address."
        ),
        "running": _("This file is being read. Wait until it is done."),
        "not_finished": _("This file hasn't been read to its end yet."),
        "nothing": _("Nothing was taken in of this file yet."),
        "undone": _("This file was taken back."),
        "decided": _("Somebody has decided about this sale in the meantime."),
        "no_lead": _("No lead of this market has that reference."),
        "taken": _("That lead has another sale, which a person confirmed. Take that back first."),
        "not_decided": _("Nobody has decided about this sale yet."),
    }.get(code, _("This can't be done now. Look at it again."))
