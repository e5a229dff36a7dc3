"""What customers answered beyond a lead's own columns: their custom fields, in a reader's words."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from babel.lists import format_list
from babel.units import format_unit
from sqlalchemy import ColumnElement, TextClause, column, func, or_, select, text, true, union_all
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.fields import CLICK_KEYS, FieldDefinition, field_from, in_words
from lmt.i18n import country_name, format_date, format_number, reader
from lmt.i18n import gettext as _
from lmt.models import CustomField, Dealer, FormFile, FormVersion, Inquiry, Lead, Market
from lmt.models.lead import ATTRIBUTE_WORDS, ATTRIBUTED
from lmt.scope import as_system

LONGEST_VALUE = 2_000
SHORTEST_LABEL = 2
MOST_OPTIONS = 50
_MEGABYTE = 1_000_000
_OPTIONS = (
    func.jsonb_path_query(CustomField.definition, text("'$.options[*]'"), type_=JSONB)
    .table_valued(column("option", JSONB), name="options")
    .render_derived()
    .lateral()
)
_LABELS = (
    func.jsonb_each_text(_OPTIONS.c.option["label"])
    .table_valued("language", "label", name="labels")
    .render_derived()
    .lateral()
)
_OF_MACHINES = frozenset(
    {*CLICK_KEYS, "adf", "provider", "vendor", "vendor_ids", "phone_type", "other_phones"}
)
"""Attributes that were kept for other programs, and tell a person nothing; unless one is asked."""


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a lead, to be had by its id; `size` is in words."""

    id: uuid.UUID
    name: str
    size: str


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer in the reader's words; `value` is "" where a file is the answer."""

    label: str
    value: str
    file: ShownFile | None = None


def answers_shown(
    session: Session,
    market_id: int,
    given: Mapping[str, Any],
    where: str,
    *,
    form_version_id: int | None = None,
) -> list[ShownAnswer]:
    """The attributes of a lead (`given` as it is stored) as `where` (desk, exports) shows them.

    The market's custom fields say what they are called, else the form that was filled in, else the
    attribute's own key; in the order of the form, then of the fields, then as given.
    """
    if not _attributes_of(given):
        return []
    forms = _fields_of_forms(session, {form_version_id})
    custom = custom_fields(session, {market_id})
    return _in_order(given, forms.get(form_version_id, ()), custom, where)


def answers_of_all(
    session: Session, market_id: int, asked: Iterable[Lead | Inquiry], where: str
) -> dict[uuid.UUID, list[ShownAnswer]]:
    """The same of a lead and all that its customer asked again, by id, in two queries."""
    with_answers = [each for each in asked if _attributes_of(each.given)]
    if not with_answers:
        return {}
    forms = _fields_of_forms(session, {each.form_version_id for each in with_answers})
    custom = custom_fields(session, {market_id})
    return {
        each.id: _in_order(each.given, forms.get(each.form_version_id, ()), custom, where)
        for each in with_answers
    }


def _in_order(
    given: Mapping[str, Any],
    of_form: Iterable[FieldDefinition],
    custom: Iterable[FieldDefinition],
    where: str,
) -> list[ShownAnswer]:
    attributes = _attributes_of(given)
    known = {item.key: item for item in (*of_form, *custom)}
    order = {key: place for place, key in enumerate(known)}
    shown = []
    for key in sorted(attributes, key=lambda key: order.get(key, len(order))):
        asked = known.get(key)
        if key in _OF_MACHINES if asked is None else where not in asked.shows:
            continue
        answer = _shown(key, asked, attributes[key])
        if answer is not None:
            shown.append(answer)
    return shown


def _attributes_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = given.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


def keys_kept_back(
    session: Session, homes: Collection[tuple[int, int | None]], where: str
) -> dict[tuple[int, int | None], frozenset[str]]:
    """The keys of answers that `where` doesn't show, by the market and form version of a lead; in
    a fixed number of queries a market."""
    forms = _fields_of_forms(session, {version for _market, version in homes})
    own = {market: custom_fields(session, {market}) for market, _version in homes}
    found = {}
    for market, version in homes:
        known = {item.key: item for item in (*forms.get(version, ()), *own[market])}
        found[market, version] = frozenset(
            k for k, item in known.items() if where not in item.shows
        )
    return found


def custom_fields(
    session: Session, market_ids: Collection[int], *, active_only: bool = False
) -> list[FieldDefinition]:
    """The custom fields of these markets and the general ones; retired ones as well, since leads
    have them still. One of each key, a market's own before the general one."""
    rows = session.execute(
        select(CustomField.key, CustomField.definition)
        .where(
            or_(CustomField.market_id.in_(market_ids), CustomField.market_id.is_(None)),
            CustomField.active if active_only else true(),
        )
        .order_by(CustomField.market_id.asc().nulls_last(), CustomField.id)
    )
    found: dict[str, FieldDefinition] = {}
    for key, definition in rows:
        if key not in found:
            try:
                found[key] = replace(field_from(definition), key=key)
            except (BadForm, KeyError, TypeError):
                continue
    return list(found.values())


def fields_at_hand(session: Session, market: str = "") -> list[FieldDefinition]:
    """The custom fields of the markets whose dealers the session's actor sees; `market` is the code
    of the one that is asked for, "" for all."""
    seen = select(Dealer.market_id).distinct()
    if market:
        seen = seen.join(Market, Market.id == Dealer.market_id).where(Market.code == market)
    return custom_fields(session, set(session.scalars(seen)))


def field_label(item: FieldDefinition) -> str:
    """What the field is called in the reader's language; its key where it has no name."""
    return in_words(item.label, reader().locale) or item.key


def option_label(item: FieldDefinition, id: str) -> str:
    """An option in the reader's language; its id where the field no longer has it."""
    option = item.option(id)
    if option is not None:
        return in_words(option.label, reader().locale) or id
    return country_name(id) if item.type == "country" else id


def in_plain_words(item: FieldDefinition | None, value: Any) -> str:
    """A value as a person reads it; "" for what isn't a text, a number or a list of them."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        # An unknown number may be a customer's, or a year: it gets no thousands.
        return format_number(value) if item is not None else str(value)
    if isinstance(value, list):
        parts = [in_plain_words(item, part) for part in value if not isinstance(part, list)]
        return str(format_list([p for p in parts if p], "standard", locale=reader().locale))
    if not isinstance(value, str):
        return ""
    if item is not None and item.type == "date":
        try:
            return format_date(date.fromisoformat(value))
        except ValueError:
            return value
    known = item is not None and item.options
    return option_label(item, value) if item is not None and known else value[:LONGEST_VALUE]


def raw_value(value: Any) -> str | int | float:
    """A value as another program reads it: options by their ids, a file by its name."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        return "; ".join(str(raw_value(part)) for part in value)
    if isinstance(value, Mapping) and "file" in value:
        return str(value.get("name") or value["file"])
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def says(words: str) -> ColumnElement[bool]:
    """The condition of a Lead among whose answers all of `words` are, in any script; the last one
    may be the beginning of a word. Or that of an option as it is called in any language."""
    # In a query of its own, as its index would not serve beside the other ways of an OR; literal,
    # as the planner must see the index's expression in it.
    matched = text(
        f"{ATTRIBUTE_WORDS} @@"
        " (nullif(plainto_tsquery('simple', :attribute_words)::text, '') || ':*')::tsquery"
    )
    said = _among(matched.bindparams(attribute_words=words))
    return or_(said, _chosen(words)) if len(words.strip()) >= SHORTEST_LABEL else said


def _chosen(words: str) -> ColumnElement[bool]:
    """The condition of a Lead with an option whose label begins with `words`."""
    label = _LABELS.c.label.istartswith(words.strip(), autoescape=True)
    values = (
        func.jsonb_build_object(CustomField.key, _OPTIONS.c.option["id"]),
        func.jsonb_build_object(CustomField.key, func.jsonb_build_array(_OPTIONS.c.option["id"])),
    )
    # One after the other, so that each is looked up in the index.
    options = union_all(
        *(
            select(value.label("wanted"), CustomField.market_id)
            .select_from(CustomField)
            .join(_OPTIONS, true())
            .join(_LABELS, true())
            .where(label)
            .limit(MOST_OPTIONS)
            .subquery()
            .select()
            for value in values
        )
    ).subquery()
    asked = select(Lead.id).where(
        text(ATTRIBUTED),
        text("given -> 'attributes' @> wanted"),
        or_(options.c.market_id.is_(None), options.c.market_id == Lead.market_id),
    )
    return Lead.id.in_(asked.select_from(Lead).join(options, true()).correlate(None))


def answered(key: str, value: str) -> ColumnElement[bool]:
    """The condition of a Lead whose answer to a custom field is `value`, or has it among others."""
    wanted: list[Any] = [value, [value]]
    if re.fullmatch(r"-?[0-9]{1,15}([.][0-9]{1,9})?", value):
        wanted.append(float(value))
    names = [f"attribute_value_{place}" for place in range(len(wanted))]
    held = " OR ".join(f"given -> 'attributes' @> CAST(:{name} AS jsonb)" for name in names)
    values = {name: json.dumps({key: each}) for name, each in zip(names, wanted, strict=True)}
    return _among(text(f"({held})").bindparams(**values))


def _among(condition: TextClause) -> ColumnElement[bool]:
    asked = select(Lead.id).where(text(ATTRIBUTED), condition)
    return Lead.id.in_(asked.correlate(None))


def file_of_lead(session: Session, lead_id: uuid.UUID, file_id: uuid.UUID) -> FormFile | None:
    """A file among the answers of a lead that the session's actor sees, or of what its customer
    asked again; None for any other."""
    lead = session.scalar(select(Lead).where(Lead.id == lead_id))
    if lead is None:
        return None
    again = session.scalars(select(Inquiry.given).where(Inquiry.lead_id == lead_id))
    if file_id not in {id for given in (lead.given, *again) for id in _files_in(given)}:
        return None
    with as_system(session):
        return session.scalar(select(FormFile).where(FormFile.id == file_id))


def _files_in(given: Mapping[str, Any]) -> Iterator[uuid.UUID]:
    for value in _attributes_of(given).values():
        file = _file(value)
        if file is not None:
            yield file.id


def _file(value: Any) -> ShownFile | None:
    if not isinstance(value, Mapping) or "file" not in value:
        return None
    try:
        id = uuid.UUID(str(value["file"]))
        size = float(value.get("size") or 0)
    except ValueError:
        return None
    return ShownFile(id, str(value.get("name") or _("File")), _size_words(size))


def _size_words(size_bytes: float) -> str:
    unit, amount = "digital-megabyte", size_bytes / _MEGABYTE
    if amount < 0.1:
        unit, amount = "digital-kilobyte", max(1, round(size_bytes / 1_000))
    return format_unit(amount, unit, length="short", format="#,##0.#", locale=reader().locale)


def _shown(key: str, item: FieldDefinition | None, value: Any) -> ShownAnswer | None:
    label = key if item is None else field_label(item)
    file = _file(value)
    if file is not None:
        return ShownAnswer(label, "", file)
    words = in_plain_words(item, value)
    return ShownAnswer(label, words) if words else None


def _fields_of_forms(
    session: Session, version_ids: Collection[int | None]
) -> dict[int | None, list[FieldDefinition]]:
    """The questions of these versions whose answers are attributes, in the form's order."""
    ids = [id for id in version_ids if id is not None]
    if not ids:
        return {}
    # A dealer sees no forms, only what was answered to one.
    with as_system(session):
        found = session.execute(
            select(FormVersion.id, FormVersion.definition).where(FormVersion.id.in_(ids))
        ).all()
    return {id: _asked_beside(definition) for id, definition in found}


def _asked_beside(definition: Mapping[str, Any]) -> list[FieldDefinition]:
    """None of a version that can't be read any more: its leads are read all the same."""
    try:
        return [item for item in FormDefinition.from_json(definition).fields if not item.place]
    except BadForm:
        return []
