"""How a change of settings is taken back, kind by kind: what stands now, and the verb that sets it.

What is set goes through the same verb as on its own page: checked, noted, and told to whoever
must know. A kind that isn't here can't be taken back, or only on its own page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.support import LazyProxy
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import (
    brands,
    campaigning,
    competences,
    customfields,
    dealergroups,
    dealers,
    markets,
    marketstatuses,
    plans,
    replytemplates,
    ruleedit,
    slotterms,
    sources,
)
from lmt.dealerchanges import mark_of
from lmt.forms.fields import FieldDefinition
from lmt.i18n import country_name
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Brand, CustomField, MarketStatus, SettingChange, VehicleModel
from lmt.scope import Actor

Values = dict[str, Any]


class CantUndo(ValueError):
    """The change can't be taken back; its text, in the reader's words, says why."""


@dataclass(frozen=True, slots=True)
class How:
    """`present` values of a subject as the history tells them, and what writes all of them.

    Both raise LookupError for what isn't there, or isn't the actor's. `mark` is the name that only
    the change has which made the thing, or deleted it.
    """

    present: Callable[[Session, str, datetime, Actor], Values]
    write: Callable[[Session, str, Values, datetime, Actor], object]
    mark: str = "code"
    names: frozenset[str] | None = None
    """Names that can be set so; None for all."""
    refusal: Callable[[Values, Values], str] = lambda _before, _after: ""
    """Why a change from the first to the second can't be taken back here; "" where it can."""


def _market(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    return markets.plain(markets.terms_of(markets.edited_market(session, code, actor)))


def _set_market(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    terms = markets.terms_from(values)
    gone = {*_market(session, code, at, actor)["countries"]} - {*terms.countries}
    for country in sorted(gone):
        if home := _home_before(session, code, country):
            raise CantUndo(
                _(
                    "%(country)s came from %(market)s. Undo the change of that market: it takes the"
                    " country back.",
                    country=country_name(country),
                    market=home,
                )
            )
    return markets.change_market(session, code, terms, move_countries=True, at=at, actor=actor)


def _home_before(session: Session, code: str, country: str) -> str:
    """The market that this one took the country from; "" where it came from none."""
    moves = session.scalars(
        select(SettingChange)
        .where(
            SettingChange.kind == "market",
            SettingChange.before["countries"].contains([country])
            != SettingChange.after["countries"].contains([country]),
        )
        .order_by(SettingChange.id.desc())
        .limit(2)
    ).all()
    # Taking one is noted of both markets, of the one that lost it first.
    lost = next((each for each in moves if each.subject != code), None)
    if lost is None or len(moves) < 2 or moves[0].at != moves[1].at:
        return ""
    return lost.subject if country in lost.before["countries"] else ""


def _brand(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    row: Brand = brands.brand_of(session, code)
    return {"code": row.code, "name": row.name, "aliases": list(row.aliases)}


def _set_brand(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    return brands.save_brand(
        session, code, values["code"], values["name"], values["aliases"], at=at, actor=actor
    )


def _model(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    row: VehicleModel = brands.model_of(session, *subject.split("/", 1))
    return brands.model_told(row)


def _set_model(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    brand, code = subject.split("/", 1)
    terms = brands.ModelTerms(**values)
    return brands.save_model(session, brand, code, terms, at=at, actor=actor)


def _aliases(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    market, brand, code = subject.split("/", 2)
    row = brands.model_of(session, brand, code)
    return {"aliases": list(row.market_aliases.get(market, ()))}


def _set_aliases(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    market, brand, code = subject.split("/", 2)
    words = values["aliases"]
    return brands.save_market_aliases(session, market, brand, code, words, at=at, actor=actor)


def _status(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    market, code = subject.split("/", 1)
    row: MarketStatus = marketstatuses.status_of(session, market, code, actor)
    return marketstatuses.told(row)


def _set_status(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    market, code = subject.split("/", 1)
    return marketstatuses.change_status(session, market, code, values, at=at, actor=actor)


def _group(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    return dealergroups.told(session, dealergroups.edited_group(session, code, actor))


def _set_group(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    return dealergroups.change_group(
        session, code, values["name"], values["dealers"], at=at, actor=actor
    )


_DEALER_TERMS = tuple(dealers.Terms.__dataclass_fields__)


def _dealer_refusal(before: Values, after: Values) -> str:
    if {"closed", "special_days"} & {*before, *after}:
        return _("Days that differ are entered and taken back on the dealer's own page.")
    if isinstance(before.get("paused"), str) or isinstance(after.get("paused"), str):
        return _("A pause that ends by itself is set, and ended, on the dealer's own page.")
    return ""


def _dealer(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    dealer = dealers.edited_dealer(session, code, actor)
    terms = dealers.terms_now(session, dealer.id, at)
    if terms is None:
        raise LookupError(f"no terms of {code}")
    held = competences.competences_of(session, dealer.id, at)
    values: Values = {name: getattr(terms, name) for name in _DEALER_TERMS}
    return {**values, competences.FIELD: competences.told(held)}


def _set_dealer(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    dealer = dealers.edited_dealer(session, code, actor)
    present = _dealer(session, code, at, actor)
    if values[competences.FIELD] != present[competences.FIELD]:
        if any(values[name] != present[name] for name in _DEALER_TERMS):
            raise CantUndo(_("This changed several things at once. Set them on the dealer's page."))
        seen = competences.mark_of(competences.competences_of(session, dealer.id, at))
        wanted = competences.from_told(values[competences.FIELD])
        return competences.set_competences(session, code, wanted, seen=seen, at=at, actor=actor)
    now = dealers.terms_now(session, dealer.id, at)
    assert now is not None
    terms = dealers.Terms(**{name: values[name] for name in _DEALER_TERMS})
    return dealers.edit_terms(session, code, terms, seen=mark_of(now), at=at, actor=actor)


def _rules(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    market = ruleedit.home_of(session, code, actor)
    return ruleedit.told(ruleedit.rules_of(session, market.id if market else None))


def _set_rules(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    market = ruleedit.home_of(session, code, actor)
    seen = ruleedit.rules_of(session, market.id if market else None).mark
    rules = [ruleedit.RuleTerms.from_json(each) for each in values["rules"]]
    return ruleedit.publish(session, code, rules, seen=seen, at=at, actor=actor)


def _campaign(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    row = campaigning.kept_campaign(session, code, actor)
    values = {name: getattr(row, name) for name in campaigning.CampaignTerms.__dataclass_fields__}
    return {
        name: str(value) if isinstance(value, date | Decimal) else value
        for name, value in values.items()
        if value not in ("", None, [])
    }


def _set_campaign(
    session: Session, code: str, values: Values, at: datetime, actor: Actor
) -> object:
    row = campaigning.kept_campaign(session, code, actor)
    given = {"brand_id": None, "ends_on": None, **values}
    for name in ("starts_on", "ends_on"):
        given[name] = date.fromisoformat(given[name]) if given.get(name) else None
    if given.get("cost") is not None:
        given["cost"] = Decimal(given["cost"])
    given["platform_ids"] = tuple(given.get("platform_ids", ()))
    terms = campaigning.CampaignTerms(**given)
    return campaigning.change_campaign(session, row, terms, at, actor)


_SOURCE = frozenset({*sources.TERMS, "mapping", "state"})


def _source(session: Session, code: str, at: datetime, actor: Actor) -> Values:
    row = sources.edited_source(session, code, actor)
    state = "retired" if not row.active else "runs" if row.paused_at is None else "paused"
    return {name: getattr(row, name) for name in (*sources.TERMS, "mapping")} | {"state": state}


def _set_source(session: Session, code: str, values: Values, at: datetime, actor: Actor) -> object:
    row = sources.edited_source(session, code, actor)
    wanted = {name: value for name, value in values.items() if name != "state"}
    if values["state"] == _source(session, code, at, actor)["state"]:
        return sources.change_source(session, row, wanted, at, actor)
    verbs = {"runs": sources.resume, "paused": sources.pause, "retired": sources.retire}
    return verbs[values["state"]](session, row, at, actor)


def _field(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    row = _field_row(session, subject, actor)
    told = {name: each for name, each in row.definition.items() if name not in {"key", "prefill"}}
    told["options"] = {each["id"]: each["label"] for each in row.definition.get("options", ())}
    return {**told, "state": "offered" if row.active else "retired"}


def _set_field(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    row = _field_row(session, subject, actor)
    if values["state"] != ("offered" if row.active else "retired"):
        offer = values["state"] == "offered"
        verb = customfields.restore_field if offer else customfields.retire_field
        return verb(session, row, at=at, actor=actor)
    # The history keeps options without their order, so they stay as they are.
    told = {name: each for name, each in values.items() if name not in {"state", "options"}}
    return customfields.save_field(session, row, {**row.definition, **told}, at=at, actor=actor)


def _field_row(session: Session, subject: str, actor: Actor) -> CustomField:
    market, key = subject.split("/", 1)
    home = (
        CustomField.market_id.is_(None) if market == "*" else CustomField.market_id == int(market)
    )
    row = session.scalars(select(CustomField).where(home, CustomField.key == key)).first()
    if row is None or not customfields.may_edit(row.market_id, actor):
        raise LookupError(f"no field {subject}")
    return row


_FIELD = frozenset({*FieldDefinition.__dataclass_fields__, "state"} - {"options", "key", "prefill"})


def _slot_terms(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    code, kind = subject.split("/", 1)
    dealer = dealers.edited_dealer(session, code, actor)
    return dict(slotterms.slot_terms(session, dealer.id)[kind])


def _set_slot_terms(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    code, kind = subject.split("/", 1)
    dealer = dealers.edited_dealer(session, code, actor)
    return slotterms.set_slot_terms(session, dealer.id, kind, values, at=at, actor=actor)


def _reply_template(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    row = replytemplates.kept_template(session, int(subject), actor)
    return {name: getattr(row, name) for name in replytemplates.Terms.__dataclass_fields__}


def _set_reply_template(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    row = replytemplates.kept_template(session, int(subject), actor)
    terms = replytemplates.Terms(**values)
    return replytemplates.change_template(session, row, terms, at, actor)


def _targets(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    return {**plans.told(session, plans.KIND, subject, actor)}


def _set_targets(
    session: Session, subject: str, values: Values, at: datetime, actor: Actor
) -> object:
    wanted = plans.read_back(values, plans.KIND)
    return plans.set_month(session, subject, wanted, at=at, actor=actor)


def _rate(session: Session, subject: str, at: datetime, actor: Actor) -> Values:
    return {**plans.told(session, plans.RATE_KIND, subject, actor)}


def _set_rate(session: Session, subject: str, values: Values, at: datetime, actor: Actor) -> object:
    wanted = plans.read_back(values, plans.RATE_KIND)
    return plans.set_month(session, subject, wanted, at=at, actor=actor)


HOW: Mapping[str, How] = {
    "market": How(_market, _set_market),
    brands.BRAND: How(_brand, _set_brand),
    brands.MODEL: How(_model, _set_model),
    brands.ALIASES: How(_aliases, _set_aliases),
    marketstatuses.KIND: How(_status, _set_status),
    dealergroups.KIND: How(_group, _set_group),
    "dealer": How(
        _dealer,
        _set_dealer,
        names=frozenset({*_DEALER_TERMS, competences.FIELD}),
        refusal=_dealer_refusal,
    ),
    ruleedit.KIND: How(_rules, _set_rules),
    plans.KIND: How(_targets, _set_targets),
    plans.RATE_KIND: How(_rate, _set_rate),
    "slot_terms": How(_slot_terms, _set_slot_terms),
    replytemplates.CHANGE_KIND: How(_reply_template, _set_reply_template, mark="kind"),
    "campaign": How(_campaign, _set_campaign),
    "custom_field": How(_field, _set_field, mark="type", names=_FIELD),
    "source": How(_source, _set_source, mark="kind", names=_SOURCE),
}

WHY_NOT: Mapping[str, LazyProxy] = {
    "dealer_system": _l("Its secrets aren't kept in the history. Set it up anew on its own page."),
    "consent_text": _l("What customers agreed to stays. Add a new version instead."),
    "form": _l("Roll back on the form's own page."),
    "form_draft": _l("Drafts keep no history. Publish or roll back on the form's own page."),
    "mail_text": _l("Roll back on the page of the mail's texts."),
    "import": _l("Take an import back on its own page."),
    "sales_file": _l("Take a file of sales back on its own page."),
    "export": _l("A list that was taken away can't be brought back."),
    "user": _l("Change the person on their own page."),
    "account": _l("Change the person on their own page."),
    "role": _l("Change the role on its own page."),
}
