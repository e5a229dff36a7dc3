"""How headquarters keeps the catalogue: brands, their models, and what people write for them.

Brands and models are shared by all markets, so they are the centre's to change; a market's own
words for a model are its headquarters'. Each verb notes who changed what, and commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.dealerchanges import BadValues, NotNow
from lmt.i18n import gettext as _
from lmt.ingest.catalogue import folded_words
from lmt.models import Brand, Competence, Lead, Market, Source, VehicleModel, note_change
from lmt.scope import Actor, as_system

log = structlog.get_logger(__name__)

PERMISSION = "market.edit"
BRAND, MODEL, ALIASES = "brand", "model", "market_aliases"
"""Kinds of the history: a brand by code, a model by `brand/model`, a market's own words for a
model by `MARKET/brand/model`."""
LONGEST_NAME = 100
MOST_ALIASES = 100
_CODE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """`market_aliases`: code of a market → what it is called there besides; `markets` that sell
    it, empty for all of them."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    market_aliases: Mapping[str, Sequence[str]] | None = None
    markets: tuple[str, ...] = ()


def may_edit(actor: Actor) -> bool:
    """The catalogue is the centre's and the administrator's."""
    return actor.whole_markets(PERMISSION) is None


def brand_of(session: Session, code: str) -> Brand:
    """Raises LookupError."""
    found = session.scalars(select(Brand).where(Brand.code == code)).first()
    if found is None:
        raise LookupError(f"no brand {code}")
    return found


def model_of(session: Session, brand_code: str, code: str) -> VehicleModel:
    """Raises LookupError."""
    found = session.scalars(
        select(VehicleModel)
        .join(Brand, Brand.id == VehicleModel.brand_id)
        .where(Brand.code == brand_code, VehicleModel.code == code)
    ).first()
    if found is None:
        raise LookupError(f"no model {brand_code}/{code}")
    return found


def save_brand(
    session: Session,
    old_code: str | None,
    code: str,
    name: str,
    aliases: Sequence[str],
    *,
    at: datetime,
    actor: Actor,
) -> bool:
    """A new brand (`old_code` None), or one changed; False where nothing differs.

    A code that leads, sources or competences go by stays. Raises BadValues, LookupError.
    """
    _centre(actor)
    row = None if old_code is None else _locked_brand(session, old_code)
    problems = _named(code, name) | _listed("aliases", aliases)
    if row is not None and code != row.code and is_brand_used(session, row.id):
        problems["code"] = _("Leads or dealers go by this code, so it stays.")
    if not problems:
        problems = _brand_clash(session, row, code, name, aliases)
    if problems:
        raise BadValues(problems)
    before = {} if row is None else _brand_told(row)
    after = {"code": code, "name": name, "aliases": list(aliases)}
    if before == after:
        session.rollback()
        return False
    if row is None:
        made = insert(Brand).values(after).on_conflict_do_nothing().returning(Brand.id)
        if session.scalar(made) is None:
            raise BadValues({"code": _("This code is taken.")})
    else:
        row.code, row.name, row.aliases = code, name, list(aliases)
    _note(session, BRAND, code, before, after, at, actor)
    session.commit()
    log.info("brand.saved", brand=code, by=actor.user_id)
    return True


def save_model(
    session: Session,
    brand_code: str,
    old_code: str | None,
    terms: ModelTerms,
    *,
    at: datetime,
    actor: Actor,
) -> bool:
    """A new model (`old_code` None), or one changed; False where nothing differs.

    What two models would both be called is refused, by name. Raises BadValues, LookupError.
    """
    _centre(actor)
    brand = _locked_brand(session, brand_code)
    row = None if old_code is None else _locked_model(session, brand, old_code)
    problems = _named(terms.code, terms.name) | _listed("aliases", terms.aliases)
    by_market = {code: list(words) for code, words in (terms.market_aliases or {}).items() if words}
    for code, words in by_market.items():
        problems |= _listed(f"aliases.{code}", words)
    known = set(session.scalars(select(Market.code)))
    if not {*terms.markets, *by_market} <= known:
        problems["markets"] = _("Choose one of these.")
    if row is not None and terms.code != row.code and is_model_used(session, row):
        problems["code"] = _("Leads or dealers go by this code, so it stays.")
    if not problems:
        problems = _model_clash(
            session, brand, row, terms.code, terms.name, terms.aliases, by_market
        )
    if problems:
        raise BadValues(problems)
    before = {} if row is None else model_told(row)
    after = {
        "code": terms.code, "name": terms.name, "aliases": list(terms.aliases),
        "market_aliases": by_market, "markets": sorted(terms.markets),
    }  # fmt: skip
    if before == after:
        session.rollback()
        return False
    if row is None:
        values = {**after, "brand_id": brand.id}
        made = insert(VehicleModel).values(values).on_conflict_do_nothing()
        if session.scalar(made.returning(VehicleModel.id)) is None:
            raise BadValues({"code": _("This code is taken.")})
    else:
        for name, value in after.items():
            setattr(row, name, value)
    _note(session, MODEL, f"{brand.code}/{terms.code}", before, after, at, actor)
    session.commit()
    log.info("model.saved", brand=brand.code, model=terms.code, by=actor.user_id)
    return True


def save_market_aliases(
    session: Session,
    market_code: str,
    brand_code: str,
    code: str,
    aliases: Sequence[str],
    *,
    at: datetime,
    actor: Actor,
) -> bool:
    """What the model is called in one market besides. Raises BadValues at `aliases.<market>`,
    LookupError for another's market."""
    market = session.scalars(select(Market).where(Market.code == market_code)).first()
    own = actor.whole_markets(PERMISSION)
    if market is None or (own is not None and market.id not in own):
        raise LookupError(f"no market {market_code}")
    brand = _locked_brand(session, brand_code)
    row = _locked_model(session, brand, code)
    field = f"aliases.{market_code}"
    by_market = {name: list(words) for name, words in row.market_aliases.items()}
    before = {"aliases": by_market.pop(market_code, [])}
    after = {"aliases": list(aliases)}
    if aliases:
        by_market[market_code] = list(aliases)
    problems = _listed(field, aliases) or _model_clash(
        session, brand, row, row.code, row.name, row.aliases, by_market
    )
    if problems:
        raise BadValues(problems)
    if before == after:
        session.rollback()
        return False
    row.market_aliases = by_market
    _note(session, ALIASES, f"{market_code}/{brand_code}/{code}", before, after, at, actor)
    session.commit()
    return True


def delete_model(
    session: Session, brand_code: str, code: str, *, at: datetime, actor: Actor
) -> None:
    """Raises NotNow where leads or dealers go by it, LookupError."""
    _centre(actor)
    brand = _locked_brand(session, brand_code)
    row = _locked_model(session, brand, code)
    if is_model_used(session, row):
        raise NotNow(
            _("Leads or dealers go by this model. Choose the markets that still sell it instead.")
        )
    _note(session, MODEL, f"{brand_code}/{code}", model_told(row), {}, at, actor)
    session.delete(row)
    session.commit()


def is_brand_used(session: Session, brand_id: int) -> bool:
    """Does a lead, a source or a competence name it, whoever sees those?"""
    with as_system(session):
        return any(
            session.scalar(select(model.id).where(model.brand_id == brand_id).limit(1)) is not None
            for model in (Source, Competence, Lead)
        )


def is_model_used(session: Session, model: VehicleModel) -> bool:
    """Does a lead name it, or a competence?"""
    with as_system(session):
        held = select(Competence.id).where(
            Competence.brand_id == model.brand_id, Competence.models.contains([model.code])
        )
        asked = select(Lead.id).where(
            Lead.brand_id == model.brand_id,
            or_(Lead.model_id == model.id, Lead.model == model.name),
        )
        return any(session.scalar(each.limit(1)) is not None for each in (held, asked))


def folded(text: str) -> str:
    """What two writings have in common where the catalogue takes them for one."""
    return "".join(folded_words(text))


def _centre(actor: Actor) -> None:
    if not may_edit(actor):
        raise LookupError("the catalogue is the centre's")


def _locked_brand(session: Session, code: str) -> Brand:
    """Models of one brand are changed one after the other, so that no two take the same word."""
    found = session.scalars(
        select(Brand)
        .where(Brand.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no brand {code}")
    return found


def _locked_model(session: Session, brand: Brand, code: str) -> VehicleModel:
    found = session.scalars(
        select(VehicleModel)
        .where(VehicleModel.brand_id == brand.id, VehicleModel.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no model {brand.code}/{code}")
    return found


def _named(code: str, name: str) -> dict[str, str]:
    problems = {}
    if not _CODE.fullmatch(code):
        problems["code"] = _("Use small letters, digits, hyphens and underscores, 40 at most.")
    if not name:
        problems["name"] = _("Enter a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    elif not folded(name):
        problems["name"] = _("“%(alias)s” has no letter or digit.", alias=name)
    return problems


def _listed(field: str, aliases: Sequence[str]) -> dict[str, str]:
    if len(aliases) > MOST_ALIASES:
        return {field: _("These are too many.")}
    for alias in aliases:
        if len(alias) > LONGEST_NAME:
            most = LONGEST_NAME
            return {field: _("Shorten this to %(most)s characters or fewer.", most=most)}
        if not folded(alias):
            return {field: _("“%(alias)s” has no letter or digit.", alias=alias)}
    return {}


def _brand_clash(
    session: Session, row: Brand | None, code: str, name: str, aliases: Sequence[str]
) -> dict[str, str]:
    """Where another brand is called the same."""
    others = session.scalars(select(Brand).where(Brand.id != (row.id if row else 0))).all()
    taken = {folded(text): b.name for b in others for text in (b.name, b.code, *b.aliases)}
    return _clash(taken, [("code", [code]), ("name", [name]), ("aliases", aliases)])


def _model_clash(
    session: Session,
    brand: Brand,
    row: VehicleModel | None,
    code: str,
    name: str,
    aliases: Iterable[str],
    by_market: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Where another model of the brand is called the same, everywhere or in the same market."""
    others = session.scalars(
        select(VehicleModel).where(
            VehicleModel.brand_id == brand.id, VehicleModel.id != (row.id if row else 0)
        )
    ).all()
    taken = {folded(text): m.name for m in others for text in (m.name, m.code, *m.aliases)}
    own = {
        market: {folded(t): m.name for m in others for t in m.market_aliases.get(market, ())}
        for market in by_market
    }
    problems = _clash(taken, [("code", [code]), ("name", [name]), ("aliases", aliases)])
    for market, words in by_market.items():
        problems |= _clash({**taken, **own[market]}, [(f"aliases.{market}", words)])
    return problems


def _clash(taken: Mapping[str, str], wanted: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    return {
        field: _("“%(text)s” already means %(name)s.", text=text, name=taken[folded(text)])
        for field, texts in wanted
        for text in texts
        if folded(text) in taken
    }


def _brand_told(row: Brand) -> dict[str, Any]:
    return {"code": row.code, "name": row.name, "aliases": list(row.aliases)}


def model_told(row: VehicleModel) -> dict[str, Any]:
    return {
        "code": row.code, "name": row.name, "aliases": list(row.aliases),
        "market_aliases": {market: list(words) for market, words in row.market_aliases.items()},
        "markets": sorted(row.markets),
    }  # fmt: skip


def _note(
    session: Session,
    kind: str,
    subject: str,
    before: dict[str, Any],
    after: dict[str, Any],
    at: datetime,
    actor: Actor,
) -> None:
    note_change(session, kind, subject, at=at, user_id=actor.user_id, before=before, after=after)
