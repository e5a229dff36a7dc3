"""What a person reads when a mapping or a payload can't be used, and about a suggestion."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.mapping.model import HOWS, MAX_LENGTH, MappingError

_MAPPING: Mapping[str, LazyProxy] = {
    "no_object": _l("Give an object."),
    "no_list": _l("Give a list."),
    "no_text": _l("Give a text."),
    "too_many": _l("These are too many."),
    "unknown_field": _l("This field is not known."),
    "no_target": _l("Choose the field of the lead that this line fills."),
    "unknown_target": _l("A lead has no such field."),
    "target_twice": _l("Another line fills this field already."),
    "secret_target": _l("This name is kept for secrets. Choose another."),
    "empty_line": _l("Choose the sender's field, or give a fixed value."),
    "empty_path": _l("Choose the sender's field."),
    "secret_path": _l("This field holds a secret. It can't become part of a lead."),
}
_PAYLOAD: Mapping[str, LazyProxy] = {
    "empty": _l("The delivery is empty."),
    "no_json": _l("The delivery says that it is JSON, but it can't be read as such."),
    "no_number": _l("The delivery holds NaN or Infinity, which are no numbers."),
    "no_object": _l("A list must hold objects only."),
    "no_fields": _l("No fields were found in the delivery."),
    "no_form": _l("The parts of the form can't be told apart."),
    "not_text": _l("The delivery is no text."),
    "too_deep": _l("The delivery is nested too deep."),
    "too_many_fields": _l("The delivery has too many fields."),
    "too_many_records": _l("The delivery has too many leads at once."),
}


def mapping_words(error: MappingError) -> str:
    """What is wrong with a line, in the reader's language."""
    if error.reason == "unknown_how":
        return _("Use one of: %(values)s.", values=", ".join(HOWS))
    if error.reason == "too_long":
        return _("Use at most %(count)s characters.", count=MAX_LENGTH)
    return str(_MAPPING.get(error.reason, _MAPPING["no_text"]))


def payload_words(code: str) -> str:
    """Why a delivery could not be read, in the reader's language; `code` is a PayloadError's."""
    return str(_PAYLOAD.get(code, _PAYLOAD["not_text"]))
