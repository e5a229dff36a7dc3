"""Two customers who may be one: a person of headquarters sees them side by side and says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, exists, func, select, tuple_
from sqlalchemy.orm import Session

from lmt import customers as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.i18n import country_name, language_name
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Customer, CustomerKey, DuplicateSuggestion, Lead

PAGE_ROWS = 20
MOST_KEYS = 10

REASONS = {
    "phone": _l("Same phone"),
    "email": _l("Same mail address"),
    "shared_email": _l("Same mail address of a company"),
    "address": _l("Same address"),
    "postcode": _l("Same postcode"),
    "city": _l("Same city"),
    "company_agrees": _l("Same company"),
    "company_differs": _l("Different companies"),
    "name_same": _l("Same name, spelling aside"),
    "name_given": _l("Same given name; one gave no family name"),
    "name_initial": _l("Same family name; an initial that fits"),
    "name_family": _l("Same family name; one gave no given name"),
    "name_married": _l("Same given name, different family names"),
    "name_partly": _l("Names that agree in part"),
    "name_unknown": _l("Names that can't be compared"),
    "name_household": _l("Same family name, different given names"),
    "name_other": _l("Different names"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the comparison. `agrees` is None where one of the two said nothing."""

    words: str
    newer: tuple[str, ...]
    older: tuple[str, ...]
    agrees: bool | None
    ltr: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A customer as the reader sees them: how many leads in their part, the last one when."""

    customer: Customer
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    leads: int
    last_at: datetime | None

    @property
    def name(self) -> str:
        return self.customer.full_name or self.customer.company or _("No name given")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, with the two beside each other and the score in words."""

    asked: DuplicateSuggestion
    newer: Side
    older: Side
    facts: Sequence[Fact]
    reasons: Sequence[str]
    sureness: str


@blueprint.get("/duplicates")
@web.require(verbs.PERMISSION)
def duplicates() -> ResponseReturnValue:
    session = web.db()
    after = _position(request.args.get("after", ""))
    found = open_suggestions(session, after=after)
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    last = rows[-1] if rows else None
    place = f"{last.at.isoformat()}~{last.customer_id}~{last.other_id}" if last and more else ""
    return render_template(
        "hq/duplicates.html",
        pairs=pairs_of(session, rows),
        next_address=url_for("hq.duplicates", after=place) if place else "",
        first_address=url_for("hq.duplicates") if after else "",
    )


@blueprint.post("/duplicates/<int:newer>/<int:older>")
@web.require(verbs.PERMISSION)
def answer_duplicate(newer: int, older: int) -> ResponseReturnValue:
    session, answer = web.db(), request.form.get("answer", "")
    if answer not in ("same", "different"):
        abort(400)
    try:
        verbs.answer_suggestion(session, newer, older, answer, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.NotNow:
        session.rollback()
        flash(_("Somebody has answered this already."), "info")
        return redirect(url_for("hq.duplicates"))
    if answer == "same":
        flash(_("The two are one customer now. You can undo this on their page."), "success")
        return redirect(url_for("hq.customer", customer_id=older))
    flash(_("They stay two. Nobody will be asked again."), "success")
    return redirect(url_for("hq.duplicates"))


def open_suggestions(
    session: Session, *, after: tuple[datetime, int, int] | None = None
) -> Sequence[DuplicateSuggestion]:
    """The newest first, one more than a page where there are more."""
    asked = DuplicateSuggestion
    wanted = (
        select(asked)
        .where(is_open())
        .order_by(asked.at.desc(), asked.customer_id.desc(), asked.other_id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(asked.at, asked.customer_id, asked.other_id) < tuple_(*after))
    return session.scalars(wanted).all()


def is_open() -> ColumnElement[bool]:
    """Nobody has answered, and neither of the two was joined to somebody else meanwhile."""
    asked = DuplicateSuggestion
    gone = exists().where(
        Customer.id.in_((asked.customer_id, asked.other_id)), Customer.merged_into_id.is_not(None)
    )
    return and_(asked.answered_at.is_(None), ~gone)


def pairs_of(session: Session, rows: Sequence[DuplicateSuggestion]) -> list[Pair]:
    """The questions with their people, in three more queries."""
    sides = sides_of(session, {id for row in rows for id in (row.customer_id, row.other_id)})
    return [
        Pair(
            asked=row,
            newer=sides[row.customer_id],
            older=sides[row.other_id],
            facts=_facts(sides[row.customer_id], sides[row.other_id]),
            reasons=[str(REASONS[code]) for code in row.reasons if code in REASONS],
            sureness=_sureness(row.score),
        )
        for row in rows
        if row.customer_id in sides and row.other_id in sides
    ]


def sides_of(session: Session, ids: Collection[int]) -> Mapping[int, Side]:
    """The customers, by id, as far as the actor sees them."""
    people = session.scalars(select(Customer).where(Customer.id.in_(ids))).all()
    keys: dict[tuple[int, str], list[str]] = {}
    for key in session.scalars(
        select(CustomerKey)
        .where(CustomerKey.customer_id.in_(ids), CustomerKey.kind.in_(("phone", "email")))
        .order_by(CustomerKey.value)
    ):
        keys.setdefault((key.customer_id, key.kind), []).append(key.value)
    counted = session.execute(
        select(Lead.customer_id, func.count(), func.max(Lead.created_at))
        .where(Lead.customer_id.in_(ids))
        .group_by(Lead.customer_id)
    )
    leads = {id: (number, last_at) for id, number, last_at in counted}
    return {
        person.id: Side(
            person,
            tuple(keys.get((person.id, "phone"), [])[:MOST_KEYS]),
            tuple(keys.get((person.id, "email"), [])[:MOST_KEYS]),
            *leads.get(person.id, (0, None)),
        )
        for person in people
    }


def _facts(newer: Side, older: Side) -> list[Fact]:
    one, other = newer.customer, older.customer
    plain = [
        (_("Company"), one.company, other.company),
        (_("Street"), one.street, other.street),
        (_("Postcode"), one.postcode, other.postcode),
        (_("City"), one.city, other.city),
        (_("Country"), _country(one), _country(other)),
        (_("Language"), _language(one), _language(other)),
    ]
    keyed = [(_("Phone"), newer.phones, older.phones), (_("Mail"), newer.emails, older.emails)]
    facts = [
        Fact(words, a, b, bool(set(a) & set(b)) if a and b else None, ltr=True)
        for words, a, b in keyed
    ]
    facts += [
        Fact(words, (a,) if a else (), (b,) if b else (), _alike(a, b)) for words, a, b in plain
    ]
    return [fact for fact in facts if fact.newer or fact.older]


def _alike(a: str, b: str) -> bool | None:
    return a.casefold() == b.casefold() if a and b else None


def _country(customer: Customer) -> str:
    return country_name(customer.country) if customer.country else ""


def _language(customer: Customer) -> str:
    return language_name(customer.language) if customer.language else ""


def _sureness(score: float) -> str:
    if score >= 0.8:
        return _("Very likely one person")
    return _("Probably one person") if score >= 0.65 else _("Perhaps one person")


def _position(text: str) -> tuple[datetime, int, int] | None:
    """A place that an earlier page named; nonsense is ignored."""
    try:
        moment, newer, older = text.split("~")
        return datetime.fromisoformat(moment), int(newer), int(older)
    except ValueError:
        return None
