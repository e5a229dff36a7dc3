"""What holds for every lead of a market, read once for a chunk of newcomers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.bulkroad.chunk import Newcomer
from lmt.models import Lead, Market, MarketCountry, VehicleModel
from lmt.qualify.classify import RuleSpec
from lmt.qualify.service import rules_of
from lmt.routing.candidate import LeadFacts
from lmt.routing.facts import facts_from, model_meant, policy_book_of
from lmt.routing.policybook import PolicyBook

_Model = tuple[str, str, list[str], list[str]]


@dataclass(slots=True)
class Books:
    """A market with its rules, its countries, its policy and the models of its leads' brands."""

    market: Market
    rules: Sequence[RuleSpec]
    countries: Sequence[str]
    policy_id: int | None
    book: PolicyBook
    models: dict[int, list[_Model]]
    _meant: dict[tuple[int | None, str], tuple[str, bool]] = field(default_factory=dict)

    def facts(self, newcomer: Newcomer) -> LeadFacts:
        """What routing may know of the lead, once it is qualified and located."""
        lead = newcomer.lead
        return facts_from(
            lead,
            brand=lead.brand.code if lead.brand else "",
            model=self._model(lead),
            customer_kind=newcomer.customer_kind,
            serving=newcomer.serving,
        )

    def _model(self, lead: Lead) -> tuple[str, bool]:
        key = (lead.brand_id, lead.model)
        if key not in self._meant:
            known = self.models.get(lead.brand_id, []) if lead.brand_id is not None else []
            self._meant[key] = model_meant(lead.model, known, self.market.code)
        return self._meant[key]


def books_of(session: Session, market_id: int, leads: Iterable[Lead], at: datetime) -> Books:
    """What holds for these leads of the market. PolicyError where its policy can't be read."""
    brands = {each.brand_id for each in leads if each.model and each.brand_id is not None}
    models: dict[int, list[_Model]] = {}
    if brands:
        known = select(VehicleModel).where(VehicleModel.brand_id.in_(brands))
        for each in session.scalars(known.order_by(VehicleModel.code)):
            row = (each.code, each.name, list(each.aliases), list(each.markets))
            models.setdefault(each.brand_id, []).append(row)
    policy, book = policy_book_of(session, market_id, at)
    countries = select(MarketCountry.country).where(MarketCountry.market_id == market_id)
    return Books(
        market=session.get_one(Market, market_id),
        rules=rules_of(session, market_id),
        countries=session.scalars(countries).all(),
        policy_id=None if policy is None else policy.id,
        book=book,
        models=models,
    )
