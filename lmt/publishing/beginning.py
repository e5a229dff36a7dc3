"""How forms begin: from the market's ready-made questions, from another form, or from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.forms.fields import FieldDefinition
from lmt.forms.systemfields import SYSTEM_FIELDS, BrandModels, market_fields
from lmt.i18n import gettext as _
from lmt.models import Brand, Form, Market, Source, VehicleModel, note_change
from lmt.publishing.access import BadSettings, edited_markets, locked_form, note
from lmt.publishing.settings import kept_draft, setting_problems
from lmt.scope import Actor

log = structlog.get_logger(__name__)


def form_source(session: Session, market_id: int, at: datetime, actor: Actor) -> Source:
    """The market's first source of forms that runs; made where it has none yet.

    Does not commit: what is made belongs to the form that follows. Raises LookupError for another's
    market.
    """
    own = edited_markets(actor)
    # Of two who begin the market's first form at once, one makes the source for both.
    market = session.get(Market, market_id, with_for_update={"key_share": True})
    if market is None or not (own is None or market_id in own):
        raise LookupError(f"no market {market_id}")
    wanted = select(Source).where(
        Source.market_id == market_id, Source.kind == "form", Source.active
    )
    if found := session.scalars(wanted.order_by(Source.id).limit(1)).first():
        return found
    code = _free_source_code(session, f"{market.code.lower()}-form")
    source = Source(
        code=code,
        kind="form",
        name=f"{market.name}: Web",
        market_id=market_id,
        language=market.default_language,
    )
    session.add(source)
    session.flush()
    told = {"kind": "form", "name": source.name, "market_id": market_id}
    note_change(session, "source", code, at=at, user_id=actor.user_id, before={}, after=told)
    return source


def _free_source_code(session: Session, wanted: str) -> str:
    taken = set(session.scalars(select(Source.code).where(Source.code.startswith(wanted))))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(code for code in (wanted, *numbered) if code not in taken)


def create_form(
    session: Session,
    source: Source,
    code: str,
    name: str,
    definition: Mapping[str, Any] | None = None,
    *,
    at: datetime,
    actor: Actor,
) -> Form:
    """A form with a draft and no version yet; without a `definition` one step that asks nothing,
    in the market's languages.

    Raises BadSettings naming the fields, LookupError for a source of another's market or of
    another kind.
    """
    own = edited_markets(actor)
    if source.kind != "form" or not (own is None or source.market_id in own):
        raise LookupError(f"no source of forms {source.code}")
    problems = setting_problems(code, name)
    if problems:
        raise BadSettings(problems)
    if definition is None:
        definition = _blank(session.get_one(Market, source.market_id), name)
    values = {
        "code": code,
        "name": name,
        "source_id": source.id,
        "draft": kept_draft(code, definition),
        "draft_number": 1,
        "drafted_at": at,
        "drafted_by": actor.user_id,
        "origins": [],
        "active": True,
    }
    # Of two people who choose the same code one must be told, whoever commits first.
    made = session.scalar(
        insert(Form)
        .values(values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Form.id)
    )
    if made is None:
        raise BadSettings({"code": _("This code is taken.")})
    note(session, code, at, actor, {}, {"name": name, "source": source.code})
    session.commit()
    log.info("form.created", form=code, by=actor.user_id)
    return session.get_one(Form, made)


def duplicate(
    session: Session, form: Form, code: str, name: str, *, at: datetime, actor: Actor
) -> Form:
    """A new form with the draft of this one, of the same source; published by nobody yet, and to
    be embedded nowhere. Raises BadSettings, LookupError."""
    row = locked_form(session, form, actor)
    return create_form(session, row.source, code, name, row.draft, at=at, actor=actor)


def ready_fields(session: Session, market_id: int) -> tuple[FieldDefinition, ...]:
    """The system's questions as this market asks them, with its models and countries."""
    countries, brands = market_facts(session, market_id)
    return (*SYSTEM_FIELDS, *market_fields(countries, brands))


def market_facts(session: Session, market_id: int) -> tuple[list[str], list[BrandModels]]:
    """The market's countries, and what is sold there: brands by name, with their models."""
    market = session.get_one(Market, market_id)
    models = session.execute(
        select(Brand.code, Brand.name, VehicleModel.code, VehicleModel.name)
        .outerjoin(VehicleModel, and_(VehicleModel.brand_id == Brand.id, _sold_in(market.code)))
        .order_by(Brand.name, VehicleModel.name)
    )
    brands: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for code, name, model_code, model_name in models:
        known = brands.setdefault((code, name), [])
        if model_code is not None:
            known.append((model_code, model_name))
    countries = sorted(each.country for each in market.countries)
    return countries, [BrandModels(code, name, each) for (code, name), each in brands.items()]


def _sold_in(market: str) -> ColumnElement[bool]:
    return or_(VehicleModel.markets == [], VehicleModel.markets.any_() == market)


def _blank(market: Market, name: str) -> dict[str, Any]:
    language = market.default_language
    return {
        "title": {language: name},
        "languages": [language, *(each for each in market.languages if each != language)],
        "default_language": language,
        "steps": [{"key": "step1", "title": {}, "fields": []}],
    }
