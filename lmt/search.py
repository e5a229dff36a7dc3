"""How people look for a lead: by words of a name, a phone in any form, a mail, a plate, a VIN."""

from __future__ import annotations

from sqlalchemy import ColumnElement, cast, func, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from lmt.models.lead import SEARCHED


def found_by(text: str) -> ColumnElement[bool]:
    """Leads in which every word of `text` is a word, the last of them begins one, whatever the
    case, accents or digits.

    A phone number is found by its beginning in international form, or by its end; blanks and
    hyphens in references, plates and VINs don't count. Asked of the index `ix_lead_search`.
    """
    words = cast(literal_column(f"{SEARCHED}"), TSVECTOR)
    return words.bool_op("@@")(func.lead_query(text, type_=TSQUERY))
