"""The do-not-contact lists to take away, for a call centre that must respect them too."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from lmt.exports.listing import Column, Listing, Record, Wanted, as_they_are
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Market, Suppression, User

_market, _author = aliased(Market), aliased(User)


def do_not_contact_listing(conditions: Iterable[ColumnElement[bool]]) -> Listing[Record]:
    """The entries that fit and still hold, the latest first."""
    wanted = _ENTRIES.where(*conditions)
    return Listing(
        "do-not-contact", _l("Do not contact"), COLUMNS, wanted, Suppression.id, as_they_are
    )


_ENTRIES: Wanted = (
    select(
        Suppression.id,
        Suppression.kind,
        Suppression.value,
        Suppression.origin,
        Suppression.reason,
        Suppression.created_at,
        _market.name.label("market"),
        _author.name.label("author"),
    )
    .outerjoin(_market, _market.id == Suppression.market_id)
    .outerjoin(_author, _author.id == Suppression.author_id)
    .where(Suppression.lifted_at.is_(None))
)

COLUMNS: tuple[Column[Record], ...] = (
    Column(_l("Phone or mail address"), lambda row: row.value),
    Column(_l("Kind"), lambda row: label("suppression_kind", row.kind)),
    Column(_l("Market"), lambda row: row.market or _("All markets")),
    Column(_l("Why"), lambda row: label("suppression_origin", row.origin)),
    Column(_l("Reason"), lambda row: row.reason),
    Column(_l("Since"), lambda row: row.created_at, instant=True),
    Column(_l("By whom"), lambda row: row.author),
)
