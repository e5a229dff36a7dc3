"""What a dealer is good at: brand, service and models, from now on.

What held before stays in rows of its own, so that past decisions can be replayed. All processes
read the dealer anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from lmt.dealerchanges import BadValues, NotNow, locked_terms, resumption
from lmt.dealers import edited_dealer, terms_now
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.models import (
    Brand,
    Competence,
    Dealer,
    DealerTerms,
    Lead,
    VehicleModel,
    note_change,
)
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "dealer"
FIELD = "competences"
"""A change is noted as lists of dealers note theirs."""
LOOKED_AT_DAYS = 30
MOST = 300

Offered = tuple[str, str, tuple[str, ...]]
"""Code of the brand, service, and the codes of the models, sorted; none of them for all."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Leads of the last days that asked for this, and those which nobody else could serve."""

    leads: int
    only_this: int


def competences_of(session: Session, dealer_id: int, at: datetime) -> frozenset[Offered]:
    """Those that hold at `at`."""
    return frozenset(offered for _row, offered in _held(session, dealer_id, at))


def mark_of(offered: Iterable[Offered]) -> str:
    """Tells whether competences are still those that a page was made of."""
    return str(sorted(offered))


def set_competences(
    session: Session,
    code: str,
    wanted: frozenset[Offered],
    *,
    seen: str,
    at: datetime,
    actor: Actor,
) -> bool:
    """The dealer offers these from `at` on, until a planned end where there is one; what stays the
    same keeps its rows. False where nothing differs.

    `seen` is the `mark_of` what was edited. Raises BadValues, NotNow where the dealer has ended or
    was changed meanwhile, LookupError for another's dealer.
    """
    dealer = edited_dealer(session, code, actor)
    # Edits of one dealer wait for each other at its terms, whatever they edit.
    terms = locked_terms(session, dealer.id, at)
    held = _held(session, dealer.id, at)
    before = frozenset(offered for _row, offered in held)
    if mark_of(before) != seen:
        raise NotNow(_("Somebody changed this dealer meanwhile. Look at it again."))
    brands = _checked(session, wanted)
    if wanted == before:
        session.rollback()
        return False
    for row, offered in held:
        if offered not in wanted:
            row.end(at)
    follows = resumption(session, terms)
    span = Range(at, (follows or terms).valid.upper, bounds="[)")
    session.add_all(
        Competence(
            dealer_id=dealer.id,
            brand_id=brands[brand],
            service=service,
            models=list(models),
            valid=span,
        )
        for brand, service, models in sorted(wanted - before)
    )
    dealers_changed(session, at, [dealer.id])
    note_change(
        session, KIND, code, at=at, user_id=actor.user_id,
        before={FIELD: told(before)}, after={FIELD: told(wanted)},
    )  # fmt: skip
    session.commit()
    log.info("dealer.competences_changed", dealer=code, by=actor.user_id)
    return True


def told(offered: Iterable[Offered]) -> list[list[object]]:
    """As the history keeps it."""
    return [[brand, service, list(models)] for brand, service, models in sorted(offered)]


def from_told(kept: Iterable[Sequence[object]]) -> frozenset[Offered]:
    """Back from `told`."""
    found = set()
    for brand, service, models in kept:
        codes = models if isinstance(models, list) else []
        found.add((str(brand), str(service), tuple(sorted(str(each) for each in codes))))
    return frozenset(found)


def effects_of(
    session: Session, dealer: Dealer, offered: Iterable[Offered], at: datetime
) -> dict[Offered, Effect]:
    """By brand, service and model alone: distance, hours and caps are no part of it."""
    offered = list(offered)
    asked = _asked_of(session, dealer.market_id, {service for _b, service, _m in offered}, at)
    rivals = _rivals_of(session, dealer, at)
    effects = {}
    for brand, service, models in offered:
        leads = only = 0
        for of_brand, of_service, model, count in asked:
            if (of_brand, of_service) != (brand, service):
                continue
            if models and model and model not in models:
                continue
            leads += count
            served = any(
                (b, s) == (brand, service) and (not m or not model or model in m)
                for b, s, m in rivals
            )
            only += 0 if served else count
        effects[brand, service, models] = Effect(leads, only)
    return effects


def _asked_of(
    session: Session, market_id: int, services: set[str], at: datetime
) -> Sequence[Row[str, str, str, int]]:
    """(brand, service, code of the model or "", number) of the market's recent leads."""
    model = func.coalesce(VehicleModel.code, "")
    return session.execute(
        select(Brand.code, Lead.service, model, func.count())
        .join(Brand, Brand.id == Lead.brand_id)
        .outerjoin(VehicleModel, VehicleModel.id == Lead.model_id)
        .where(
            Lead.market_id == market_id,
            Lead.created_at >= at - timedelta(days=LOOKED_AT_DAYS),
            Lead.service.in_(services),
            ~Lead.test,
        )
        .group_by(Brand.code, Lead.service, model)
    ).all()


def _rivals_of(session: Session, dealer: Dealer, at: datetime) -> frozenset[Offered]:
    """What the market's other active dealers offer."""
    rows = session.execute(
        select(Brand.code, Competence.service, Competence.models)
        .join(Brand, Brand.id == Competence.brand_id)
        .join(Dealer, Dealer.id == Competence.dealer_id)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(
            Dealer.market_id == dealer.market_id,
            Dealer.id != dealer.id,
            Competence.holds_at(at),
            DealerTerms.holds_at(at),
            DealerTerms.active,
        )
        .distinct()
    )
    return frozenset((brand, service, tuple(sorted(models))) for brand, service, models in rows)


def _held(session: Session, dealer_id: int, at: datetime) -> list[tuple[Competence, Offered]]:
    rows = session.execute(
        select(Competence, Brand.code)
        .join(Brand, Brand.id == Competence.brand_id)
        .where(Competence.dealer_id == dealer_id, Competence.holds_at(at))
        .order_by(Brand.code, Competence.service, Competence.id)
    )
    return [(row, (brand, row.service, tuple(sorted(row.models)))) for row, brand in rows]


def _checked(session: Session, wanted: frozenset[Offered]) -> dict[str, int]:
    """Ids of the brands by code. Raises BadValues for what isn't there, or is there twice."""
    brands = dict(session.execute(select(Brand.code, Brand.id)).all())
    models: dict[str, set[str]] = {}
    known = select(Brand.code, VehicleModel.code).join(Brand, Brand.id == VehicleModel.brand_id)
    for brand, model in session.execute(known):
        models.setdefault(brand, set()).add(model)
    problems = {}
    if len(wanted) > MOST:
        problems["brand"] = _("These are too many.")
    for brand, service, codes in wanted:
        if brand not in brands:
            problems["brand"] = _("Choose one of these.")
        elif service not in LABELS["service"]:
            problems["service"] = _("Choose one of these.")
        elif not set(codes) <= models.get(brand, set()):
            problems["models"] = _("Choose models of this brand.")
    if problems:
        raise BadValues(problems)
    return brands


__all__ = [
    "FIELD",
    "KIND",
    "LOOKED_AT_DAYS",
    "Effect",
    "Offered",
    "competences_of",
    "edited_dealer",
    "effects_of",
    "from_told",
    "mark_of",
    "set_competences",
    "terms_now",
    "told",
]
