"""How headquarters writes a market's qualification rules, and tries them on leads before.

A set of rules is published whole, in its order, in one transaction; its author is noted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import Session, joinedload

from lmt.dealerchanges import BadValues, NotNow
from lmt.i18n import gettext as _
from lmt.ingest.requesttypes import is_slug, request_type
from lmt.markets import PERMISSION, edited_market
from lmt.models import Lead, Market, Rule, note_change
from lmt.qualify.classify import BadRule, Qualification, RuleSpec, qualify
from lmt.qualify.service import facts_of
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "rules"
EVERYWHERE = "*"
"""In the place of a market's code: the default set, for markets without rules of their own."""
MOST_RULES = 200
MOST_CONDITIONS = 20
MOST_VALUES = 200
MOST_VALUES_IN_ALL = 5_000
"""Each lead is compared with all of a set's values as it arrives."""
LONGEST_NAME = 100
LONGEST_VALUE = 200
MOST_POINTS = 1_000
TRIED_LEADS = 200


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """One rule as it is edited: see `RuleSpec`."""

    name: str
    when: tuple[Mapping[str, Any], ...]
    then: Mapping[str, Any]
    active: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "when": [dict(each) for each in self.when],
            "then": dict(self.then), "active": self.active,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RuleTerms:
        return cls(data["name"], tuple(data["when"]), data["then"], data["active"])


@dataclass(frozen=True, slots=True)
class Rules:
    """A set in its order. `own`: the market's; else the default set stands in for it."""

    own: bool
    rules: tuple[RuleTerms, ...]

    @property
    def mark(self) -> str:
        """Tells whether a set is still the one that a page was made of."""
        told = json.dumps([self.own, [each.to_json() for each in self.rules]], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Changed:
    """What a lead would be by the present rules, and by those that are tried."""

    reference: str
    before: Qualification
    after: Qualification


@dataclass(frozen=True, slots=True)
class Trial:
    """`leads` looked at, how many the rule `matches`, and those that would be `changed`."""

    leads: int
    matches: int
    changed: tuple[Changed, ...]


def home_of(session: Session, market_code: str, actor: Actor) -> Market | None:
    """The market whose set it is, None for the default set. Raises LookupError."""
    if market_code == EVERYWHERE:
        if actor.whole_markets(PERMISSION) is not None:
            raise LookupError("the default rules are the centre's")
        return None
    return edited_market(session, market_code, actor)


def rules_of(session: Session, market_id: int | None) -> Rules:
    """Of a market: its own, or the default set where it has none. Also those switched off."""
    rows = session.scalars(
        select(Rule)
        .where(or_(Rule.market_id == market_id, Rule.market_id.is_(None)))
        .order_by(Rule.position)
    ).all()
    own = [row for row in rows if row.market_id == market_id]
    shown = own or [row for row in rows if row.market_id is None]
    found = tuple(RuleTerms(row.name, tuple(row.when), row.then, row.active) for row in shown)
    return Rules(bool(own) or market_id is None, found)


def publish(
    session: Session,
    market_code: str,
    rules: Sequence[RuleTerms],
    *,
    seen: str,
    at: datetime,
    actor: Actor,
) -> bool:
    """The market's leads go by this set from now on; an empty one gives way to the default set.

    `seen` is the `mark` of the set that was edited. False where nothing differs. Raises BadValues,
    NotNow where the set was changed meanwhile, LookupError for another's market.
    """
    market = home_of(session, market_code, actor)
    market_id = None if market is None else market.id
    # Of two people who publish at once the second is told.
    lock = text("SELECT pg_advisory_xact_lock(hashtext('rules'), :id)")
    session.execute(lock, {"id": market_id or 0})
    present = rules_of(session, market_id)
    if seen != present.mark:
        raise NotNow(_("Somebody changed these rules meanwhile. Look at them again."))
    if len(rules) > MOST_RULES:
        raise BadValues({"": _("These are too many.")})
    if _values_of(rules) > MOST_VALUES_IN_ALL:
        raise BadValues({"": _("These are too many.")})
    if not rules and market is None:
        raise BadValues({"": _("The default set keeps one rule at least.")})
    for rule in rules:
        if problems := rule_problems(rule, others=[each for each in rules if each is not rule]):
            raise BadValues(problems)
    before = told(present)
    after = told(Rules(bool(rules) or market is None, tuple(rules)))
    if before == after:
        session.rollback()
        return False
    ours = Rule.market_id.is_(None) if market_id is None else Rule.market_id == market_id
    session.execute(delete(Rule).where(ours))
    session.add_all(
        Rule(market_id=market_id, position=place, **rule.to_json())
        for place, rule in enumerate(rules)
    )
    user_id = actor.user_id
    note_change(session, KIND, market_code, at=at, user_id=user_id, before=before, after=after)
    session.commit()
    log.info("rules.published", market=market_code, rules=len(rules), by=actor.user_id)
    return True


def _values_of(rules: Sequence[RuleTerms]) -> int:
    lists = (each.get("in", each.get("contains", ())) for rule in rules for each in rule.when)
    return sum(len(values) for values in lists)


def told(rules: Rules) -> dict[str, Any]:
    """Of a market that goes by the default set, that it has none of its own."""
    return {"rules": [each.to_json() for each in rules.rules] if rules.own else []}


def rule_problems(rule: RuleTerms, others: Sequence[RuleTerms] = ()) -> dict[str, str]:
    """What can't be so, by field: name, when.<number>, then.<effect>, or "" for the whole."""
    problems: dict[str, str] = {}
    if not rule.name:
        problems["name"] = _("Enter a name.")
    elif len(rule.name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    elif any(each.name.casefold() == rule.name.casefold() for each in others):
        problems["name"] = _("Another rule has this name.")
    if len(rule.when) > MOST_CONDITIONS:
        problems["when"] = _("These are too many.")
    for number, condition in enumerate(rule.when):
        if problem := _condition_problem(rule.name, condition):
            problems[f"when.{number}"] = problem
    kind = rule.then.get("request_type", "")
    if kind and not is_slug(kind):
        problems["then.request_type"] = _("Choose one of these.")
    if not -MOST_POINTS <= rule.then.get("points", 0) <= MOST_POINTS:
        problems["then.points"] = _("Enter a whole number, %(most)s at most.", most=MOST_POINTS)
    if any(len(tag) > LONGEST_NAME for tag in rule.then.get("tags", ())):
        problems["then.tags"] = _(
            "Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME
        )
    if not rule.then:
        problems["then"] = _("A rule without an effect does nothing. Give it one.")
    try:
        RuleSpec(rule.name, rule.when, rule.then)
    except BadRule:
        problems.setdefault("when", _("This rule can't be read. Look at its conditions again."))
    return problems


def _condition_problem(name: str, condition: Mapping[str, Any]) -> str:
    try:
        RuleSpec(name, (condition,), {})
    except BadRule:
        return _("Choose what is looked at, and how.")
    values = condition.get("in", condition.get("contains", [condition.get("is", "")]))
    if "given" in condition:
        return ""
    if not values or (not any(values) and "is" not in condition):
        return _("Enter what is looked for, one a line.")
    if len(values) > MOST_VALUES:
        return _("These are too many.")
    if any(len(str(value)) > LONGEST_VALUE for value in values):
        return _("Shorten this to %(most)s characters or fewer.", most=LONGEST_VALUE)
    return ""


def trial(
    session: Session,
    market: Market | None,
    rules: Sequence[RuleTerms],
    rule: RuleTerms,
    reference: str = "",
) -> Trial:
    """What `rules`, of which `rule` is one, would make of the latest leads, or of one of them.

    Facts are those of each lead's arrival: what the rules made of it since isn't asked again.
    """
    wanted = (
        select(Lead)
        .options(joinedload(Lead.brand), joinedload(Lead.source), joinedload(Lead.campaign))
        .order_by(Lead.created_at.desc())
        .limit(TRIED_LEADS)
    )
    if market is not None:
        wanted = wanted.where(Lead.market_id == market.id)
    else:
        own = select(Rule.market_id).where(Rule.market_id.is_not(None))
        wanted = wanted.where(Lead.market_id.not_in(own))
    if reference:
        wanted = wanted.where(Lead.reference == reference)
    leads = session.scalars(wanted).all()
    present: dict[int, list[RuleSpec]] = {}
    tried, only = _specs(rules), _specs([RuleTerms(rule.name, rule.when, rule.then)])
    matches, changed = 0, []
    for lead in leads:
        if lead.market_id not in present:
            present[lead.market_id] = _specs(rules_of(session, lead.market_id).rules)
        facts = facts_of(lead) | {"request_type": _asked(lead)}
        matches += bool(qualify(facts, only).rules)
        before, after = qualify(facts, present[lead.market_id]), qualify(facts, tried)
        if _effect(before) != _effect(after):
            changed.append(Changed(lead.reference, before, after))
    return Trial(len(leads), matches, tuple(changed))


def _specs(rules: Sequence[RuleTerms]) -> list[RuleSpec]:
    return [RuleSpec(each.name, each.when, each.then) for each in rules if each.active]


def _effect(result: Qualification) -> tuple[object, ...]:
    return result.request_type, result.service, result.tags, result.points, result.band


def _asked(lead: Lead) -> str:
    """The request type that the lead came with, before any rule."""
    given = str((lead.given.get("request") or {}).get("type") or "")
    return request_type(given) or (given if is_slug(given) else "")
