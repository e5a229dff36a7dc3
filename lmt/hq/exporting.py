"""Headquarters' lists as files: the same filters in the address, every row instead of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, or_, select

from lmt import campaigning, i18n, web
from lmt import sources as ways_in
from lmt.attributes import fields_at_hand
from lmt.exports import answers
from lmt.exports.dealers import dealers_listing
from lmt.exports.deliveries import deliveries_listing
from lmt.exports.donotcontact import do_not_contact_listing
from lmt.exports.leads import leads_listing
from lmt.exports.listing import Listing
from lmt.exports.messages import messages_listing
from lmt.exports.service import PERMISSION
from lmt.exports.sources import campaigns_listing, sources_listing
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.deliveryqueries import Wanted, conditions
from lmt.hq.filters import LeadFilter
from lmt.hq.leadconditions import lead_conditions, named
from lmt.ingest.contactlist import contacts_of
from lmt.labels import LABELS
from lmt.models import Campaign, Market, MarketCountry, Source, SourceAlert, Suppression

Asked = tuple[Listing[Any], dict[str, Any]]
"""A list, and the filters that are in force."""


def leads() -> Asked:
    wanted = LeadFilter.of(request.args)
    session = web.db()
    fields = fields_at_hand(session, wanted.market)
    conditions = lead_conditions(named(session, wanted), wanted, web.at())
    listing = leads_listing(conditions, web.at(), fields)
    return listing, wanted.address()


def dealers() -> Asked:
    market = request.args.get("market", "")[:100]
    return dealers_listing(q.dealer_conditions(market), web.at()), _in_force(market=market)


def quarantine() -> Asked:
    wanted = Wanted.of(request.args)
    fitting = conditions(
        web.at(),
        source=wanted.source,
        cause=wanted.cause,
        since=wanted.since_at(i18n.reader().timezone),
        status=wanted.status,
    )
    return deliveries_listing(fitting), wanted.address()


def outbox() -> Asked:
    status = request.args.get("status", "")
    if status not in {*LABELS["message_status"], "failing"}:
        status = ""
    return messages_listing(q.message_conditions(status)), _in_force(status=status)


def sources() -> Asked:
    wanted = {name: request.args.get(name, "")[:100] for name in ("market", "kind", "alert")}
    fitting = [ways_in.seen_by(web.actor())]
    if wanted["kind"]:
        fitting.append(Source.kind == wanted["kind"])
    if wanted["alert"]:
        alarmed = select(SourceAlert.source_id).where(
            SourceAlert.kind == wanted["alert"], SourceAlert.ended_at.is_(None)
        )
        fitting.append(Source.id.in_(alarmed))
    if wanted["market"]:
        fitting.append(_in_market(Source.market_id, wanted["market"]))
    return sources_listing(fitting), _in_force(**wanted)


def campaigns() -> Asked:
    market = request.args.get("market", "")[:100]
    fitting = [campaigning.kept_by(web.actor())]
    if market:
        fitting.append(_in_market(Campaign.market_id, market))
    return campaigns_listing(fitting), _in_force(market=market)


def do_not_contact() -> Asked:
    search = request.args.get("search", "").strip()[:320]
    if not search:
        return do_not_contact_listing([]), {}
    phones = [value for _kind, value in contacts_of(search, _own_countries()).contacts]
    begins = Suppression.value.startswith(search.lower(), autoescape=True)
    return do_not_contact_listing([or_(begins, Suppression.value.in_(phones))]), {"search": search}


def _own_countries() -> list[str]:
    """Of the markets whose lists the visitor keeps: a phone may lack its country's code."""
    wanted = select(MarketCountry.country).order_by(MarketCountry.country)
    actor = web.actor()
    if not actor.everywhere:
        own = {p.market_id for p in actor.parts if p.brand_id is None and p.dealer_id is None}
        wanted = wanted.where(MarketCountry.market_id.in_(own))
    return list(web.db().scalars(wanted))


def _in_market(column: Any, code: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(select(Market.id).where(Market.code == code))
    return found


def _in_force(**filters: str) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value}


LISTS: dict[str, tuple[str, str, Callable[[], Asked]]] = {
    "leads": ("/leads", "lead.assign", leads),
    "dealers": ("/dealers", "lead.assign", dealers),
    "quarantine": ("/intake", "intake.read", quarantine),
    "outbox": ("/outbox", "outbox.read", outbox),
    "sources": ("/sources", ways_in.READING, sources),
    "campaigns": ("/campaigns", campaigning.PERMISSION, campaigns),
    "do_not_contact": ("/do-not-contact", "consent.edit", do_not_contact),
}
"""By the endpoint of its page: the path, what its page asks of a visitor, and what is exported."""


def _view(page: str, permission: str, asked: Callable[[], Asked]) -> Any:
    @web.require(PERMISSION)
    @web.require(permission)
    def export(form: str) -> ResponseReturnValue:
        listing, filters = asked()
        return answers.answer(listing, form, filters, url_for(f"hq.{page}", **filters))

    return answers.limited(export)


for _page, (_path, _permission, _asked) in LISTS.items():
    blueprint.add_url_rule(
        f"{_path}.<any(csv,xlsx):form>", f"export_{_page}", _view(_page, _permission, _asked)
    )
