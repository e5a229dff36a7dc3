"""Which mails there are, and in whose words each is sent."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import mailtexts as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import MailText, MailTextVersion, Market
from lmt.notify.mails import KINDS

AUDIENCES = (
    ("customer", _l("To customers")),
    ("dealer", _l("To dealers")),
    ("headquarters", _l("To headquarters")),
)


@dataclass(frozen=True, slots=True)
class KindRow:
    """`version`: in force, with its languages; `inherits`: the installation's is sent instead."""

    kind: str
    version: MailTextVersion | None
    inherits: bool
    has_draft: bool


@blueprint.get("/mail-texts")
@web.require(verbs.PERMISSION)
def mail_texts() -> ResponseReturnValue:
    kept = places()
    if not kept:
        abort(403)
    code = request.args.get("market", kept[0][0])
    if code not in dict(kept):
        abort(404)
    market = market_of(code)
    return render_template(
        "hq/mail_texts.html",
        groups=_groups(market.id if market else None),
        market=code,
        markets=kept,
    )


def places() -> list[tuple[str, str]]:
    """(code, name) of the markets whose words the reader keeps, the installation first."""
    own = web.actor().whole_markets(verbs.PERMISSION)
    wanted = select(Market.code, Market.name).order_by(Market.name)
    if own is not None:
        wanted = wanted.where(Market.id.in_(own))
    found = [(code, name) for code, name in web.db().execute(wanted)]
    return [(verbs.INSTALLATION, _("All markets")), *found] if own is None else found


def market_of(code: str) -> Market | None:
    """None for the installation."""
    if code == verbs.INSTALLATION:
        return None
    return web.db().scalars(select(Market).where(Market.code == code)).one()


def _groups(market_id: int | None) -> list[tuple[str, list[KindRow]]]:
    rows = _states(market_id)
    general = _states(None) if market_id is not None else {}
    groups: dict[str, list[KindRow]] = {str(words): [] for _code, words in AUDIENCES}
    names = dict(AUDIENCES)
    for kind in KINDS:
        row, version = rows.get(kind, (None, None))
        inherits = version is None and general.get(kind, (None, None))[1] is not None
        first = kind.split("_")[0]
        audience = first if first in names else "headquarters" if kind == "help_asked" else "dealer"
        shown = KindRow(kind, version, inherits, row is not None and row.draft is not None)
        groups[str(names[audience])].append(shown)
    return list(groups.items())


def _states(market_id: int | None) -> dict[str, tuple[MailText, MailTextVersion | None]]:
    found = web.db().execute(
        select(MailText, MailTextVersion)
        .outerjoin(MailTextVersion, MailTextVersion.id == MailText.published_id)
        .where(MailText.market_id == market_id)
    )
    return {row.kind: (row, version) for row, version in found}
