"""Sources and campaigns to take away: the ways in, and what brought people to them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from lmt.exports.listing import Column, Listing, Record, Wanted, as_they_are
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Brand, Campaign, Lead, Market, Source

_market, _brand, _campaign = aliased(Market), aliased(Brand), aliased(Campaign)


def sources_listing(conditions: Iterable[ColumnElement[bool]]) -> Listing[Record]:
    """The sources that fit, by code."""
    wanted = _SOURCES.where(*conditions)
    return Listing(
        "sources",
        _l("Sources"),
        SOURCE_COLUMNS,
        wanted,
        Source.code,
        as_they_are,
        latest_first=False,
    )


def campaigns_listing(conditions: Iterable[ColumnElement[bool]]) -> Listing[Record]:
    """The campaigns that fit, the latest first, with the leads that found them, tests left out."""
    wanted = _CAMPAIGNS.where(*conditions)
    return Listing("campaigns", _l("Campaigns"), CAMPAIGN_COLUMNS, wanted, Campaign.id, as_they_are)


def _state(row: Record) -> str:
    if not row.active:
        return _("Retired")
    return _("Paused") if row.paused_at is not None else _("Active")


def _yes_or_no(given: bool) -> str:
    return _("yes") if given else _("no")


_SOURCES: Wanted = (
    select(
        Source.code,
        Source.name,
        Source.kind,
        Source.country,
        Source.language,
        Source.active,
        Source.paused_at,
        Source.solicited,
        Source.tells_customer,
        _market.name.label("market"),
        _campaign.name.label("campaign"),
        _brand.name.label("brand"),
    )
    .join(_market, _market.id == Source.market_id)
    .outerjoin(_campaign, _campaign.id == Source.campaign_id)
    .outerjoin(_brand, _brand.id == Source.brand_id)
)

_CAMPAIGNS: Wanted = (
    select(
        Campaign.id,
        Campaign.code,
        Campaign.name,
        Campaign.utm_source,
        Campaign.utm_medium,
        Campaign.utm_campaign,
        Campaign.platform_ids,
        Campaign.starts_on,
        Campaign.ends_on,
        Campaign.cost,
        Campaign.currency,
        _market.name.label("market"),
        _brand.name.label("brand"),
        select(func.count())
        .where(Lead.campaign_id == Campaign.id, ~Lead.test)
        .correlate(Campaign)
        .scalar_subquery()
        .label("leads"),
    )
    .join(_market, _market.id == Campaign.market_id)
    .outerjoin(_brand, _brand.id == Campaign.brand_id)
)

SOURCE_COLUMNS: tuple[Column[Record], ...] = (
    Column(_l("Source's code"), lambda row: row.code),
    Column(_l("Source"), lambda row: row.name),
    Column(_l("Channel"), lambda row: label("channel", row.kind)),
    Column(_l("State"), _state),
    Column(_l("Market"), lambda row: row.market),
    Column(_l("Campaign"), lambda row: row.campaign),
    Column(_l("Brand"), lambda row: row.brand),
    Column(_l("Country"), lambda row: row.country),
    Column(_l("Language"), lambda row: row.language),
    Column(_l("People did not ask"), lambda row: _yes_or_no(row.solicited)),
    Column(_l("Customers get mail"), lambda row: _yes_or_no(row.tells_customer)),
)

CAMPAIGN_COLUMNS: tuple[Column[Record], ...] = (
    Column(_l("Campaign's code"), lambda row: row.code),
    Column(_l("Campaign"), lambda row: row.name),
    Column(_l("Market"), lambda row: row.market),
    Column(_l("Brand"), lambda row: row.brand),
    Column(_l("Starts on"), lambda row: row.starts_on),
    Column(_l("Ends on"), lambda row: row.ends_on),
    Column(_l("utm_source"), lambda row: row.utm_source),
    Column(_l("utm_medium"), lambda row: row.utm_medium),
    Column(_l("utm_campaign"), lambda row: row.utm_campaign),
    Column(_l("Numbers of platforms"), lambda row: ", ".join(row.platform_ids)),
    Column(_l("Cost"), lambda row: row.cost),
    Column(_l("Currency"), lambda row: row.currency),
    Column(_l("Leads"), lambda row: row.leads),
)
