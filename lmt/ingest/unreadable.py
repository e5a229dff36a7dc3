"""Why no lead was found in a delivery, in words for whoever can mend its sender or its source."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.ingest.door import Unreadable
from lmt.mapping.words import payload_words


def payload_error(code: str) -> Unreadable:
    """What `lmt.mapping.payload` could not take apart."""
    return Unreadable(code, [{"field": "", "message": payload_words(code)}])


def no_lead_error(code: str, field: str) -> Unreadable:
    """What a platform's document lacks, `field` being its path."""
    words = {
        "no_object": _("The body must be one JSON object."),
        "no_lead_id": _("The id of the lead is missing."),
        "no_answers": _("The answers are missing."),
        "no_entry": _("The list of leads is missing or empty."),
        "too_many_leads": _("Send fewer leads at once."),
        "announcement": _(
            "This only announces a lead; its answers are asked for from the platform."
        ),
    }
    message = words.get(code, _("No lead can be found here."))
    return Unreadable(code, [{"field": field, "message": message}])
