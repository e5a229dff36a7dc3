"""Why a row became no lead, or what was odd about it, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.files.problems import row_problem_words
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l

_WORDS: Mapping[str, LazyProxy] = {
    "not_accepted": _l("The row could be read, but not taken in."),
    "suppressed": _l("This person is on a do-not-contact list."),
    "do_not_call": _l("This person doesn't want to be called."),
}


def row_error_words(code: str, field: str = "") -> str:
    """The reason for a code of RowError; `field` names the columns it is about, "" for none."""
    if code == "no_contact":
        if not field:
            return _("No column of the file is mapped to a mail address or a phone.")
        return _("No mail address and no phone that works. Look at: %(columns)s.", columns=field)
    if code == "disposition_not_known":
        return _("How the call ended is not understood, so the row is routed: %(columns)s.",
                 columns=field)  # fmt: skip
    if code == "call_time_not_known":
        return _("This is no date and time that we know: %(columns)s.", columns=field)
    if code == "phone_cut":
        return _("A spreadsheet cut the last digits of this number off: %(columns)s.",
                 columns=field)  # fmt: skip
    words = _WORDS.get(code)
    return str(words) if words is not None else row_problem_words(code)
