"""What a dealer had best do next with a new lead, by what was asked and how to reach the person."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

_BY_PHONE: Mapping[str, LazyProxy] = {
    "test_drive": _l("Call the customer and agree a time for the test drive."),
    "quote": _l("Call the customer, ask what matters to them, and send the quote."),
    "brochure": _l("Send the brochure, then call and offer a visit."),
    "trade_in": _l("Call the customer and agree a time to value the car."),
    "used_car": _l("Call the customer and offer a time to see the car."),
    "after_sales": _l("Call the customer and offer a workshop appointment."),
    "parts": _l("Check the stock, then call with price and delivery time."),
    "complaint": _l("Call the customer, listen, and say what will happen next."),
}
_BY_MAIL: Mapping[str, LazyProxy] = {
    "test_drive": _l("Write to the customer and offer times for the test drive."),
    "quote": _l("Write to the customer, ask what matters to them, and send the quote."),
    "brochure": _l("Send the brochure and offer a visit."),
    "trade_in": _l("Write to the customer and offer times to value the car."),
    "used_car": _l("Write to the customer and offer times to see the car."),
    "after_sales": _l("Write to the customer and offer workshop appointments."),
    "parts": _l("Check the stock, then write with price and delivery time."),
    "complaint": _l("Write to the customer and say what will happen next."),
}
_CALL = _l("Call the customer and ask how you can help.")
_WRITE = _l("Write to the customer and ask how you can help.")


def next_step(request_type: str, *, has_phone: bool) -> str:
    """One sentence in the reader's language; a request type without its own gets a general one."""
    table, otherwise = (_BY_PHONE, _CALL) if has_phone else (_BY_MAIL, _WRITE)
    return str(table.get(request_type, otherwise))
