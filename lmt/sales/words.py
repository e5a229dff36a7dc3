"""A file of sales in the reader's words: its fields, its states, what is wrong with a row."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.files.problems import FILE_PROBLEMS, FileProblem, file_problem_words, row_problem_words
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import SalesFile

FIELD_WORDS: Mapping[str, LazyProxy] = {
    "sold_on": _l("Day of the sale"),
    "order_number": _l("Order number"),
    "vin": _l("Vehicle identification number"),
    "full_name": _l("Name"),
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "company": _l("Company"),
    "phone": _l("Phone"),
    "email": _l("Mail address"),
    "postcode": _l("Postcode"),
    "city": _l("City"),
    "model": _l("Model"),
    "dealer": _l("Dealer"),
    "value": _l("Value"),
    "currency": _l("Currency"),
}


def error_words(code: str, field: str) -> str:
    """What is wrong with a row, for the codes of `rows.RowError`."""
    named = str(FIELD_WORDS.get(field, field))
    words: Mapping[str, str] = {
        "missing": _("%(field)s: nothing is there.", field=named),
        "not_a_date": _("%(field)s: this is no date that can be read.", field=named),
        "not_yet": _("%(field)s: this day is still to come.", field=named),
        "not_a_number": _("%(field)s: this is no number.", field=named),
        "not_a_currency": _("%(field)s: this is no currency.", field=named),
        "nothing_telling": _("Neither an order nor a car nor a person is named."),
    }
    return words.get(code) or row_problem_words(code)


def stopped_words(file: SalesFile) -> str:
    """Why reading it stopped before its end; "" where nothing did."""
    if file.problem in FILE_PROBLEMS:
        return file_problem_words(FileProblem(file.problem))
    return _("Something went wrong. It can go on from where it stopped.") if file.problem else ""
