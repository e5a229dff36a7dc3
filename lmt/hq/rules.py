"""Headquarters' qualification rules: their order, an editor, and a try on the latest leads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from babel.support import LazyProxy
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import markets, web
from lmt import ruleedit as verbs
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import choices, label
from lmt.models import Market
from lmt.qualify.classify import FACTS

NEW = "new"
"""In the place of a rule's number: the editor of a new one, at the end."""
BLANK_ROWS = 1
MOST_SHOWN = 25
NAMED_VALUES = 3
OPERATOR_WORDS: Mapping[str, LazyProxy] = {
    "is": _l("is"),
    "in": _l("is one of"),
    "contains": _l("contains one of"),
    "given": _l("is given"),
    "not_given": _l("is not given"),
}
FACT_WORDS: Mapping[str, LazyProxy] = {
    "request_type": _l("Request type"),
    "comments": _l("Comments"),
    "brand": _l("Code of the brand"),
    "model": _l("Model"),
    "channel": _l("Channel"),
    "source": _l("Code of the source"),
    "campaign": _l("Code of the campaign"),
    "timeframe": _l("When they want to buy"),
    "condition": _l("Condition of the vehicle"),
    "trade_in": _l("Trade-in"),
    "company": _l("Company"),
    "email": _l("Mail address"),
    "phone": _l("Phone"),
    "language": _l("Language"),
    "country": _l("Country"),
    "preferred_dealer": _l("Chosen dealer"),
    "repeated": _l("Asked again"),
}


@blueprint.get("/rules")
@web.require(markets.PERMISSION)
def rules() -> ResponseReturnValue:
    own = markets.edited_markets(web.db(), web.actor())
    code = request.args.get("market", "") or (own[0].code if own else verbs.EVERYWHERE)
    market = _home(code)
    found = verbs.rules_of(web.db(), market.id if market else None)
    return render_template(
        "hq/rules.html",
        code=code,
        market=market,
        markets=_homes(own),
        everywhere=verbs.EVERYWHERE,
        new=NEW,
        found=found,
        condition_words=condition_words,
        effect_words=effect_words,
    )


@blueprint.post("/rules/<code>")
@web.require(markets.PERMISSION)
def arrange_rules(code: str) -> ResponseReturnValue:
    """The button pressed says what is done: `up:3`, `down:3`, `on:3`, `off:3`, `delete:3`, and for
    the whole set `own` (a copy of the default set) or `default` (give way to it)."""
    market = _home(code)
    present = verbs.rules_of(web.db(), market.id if market else None)
    wanted = list(present.rules)
    what, _colon, typed = request.form.get("do", "").partition(":")
    place = int(typed) if typed.isdecimal() and len(typed) < 4 else -1
    if what == "default":
        wanted = []
    elif what == "own":
        pass
    elif not 0 <= place < len(wanted):
        abort(404)
    elif what in {"up", "down"}:
        other = place + (-1 if what == "up" else 1)
        if 0 <= other < len(wanted):
            wanted[place], wanted[other] = wanted[other], wanted[place]
    elif what in {"on", "off"}:
        wanted[place] = replace(wanted[place], active=what == "on")
    elif what == "delete":
        del wanted[place]
    return _publish(code, wanted) or redirect(url_for("hq.rules", market=code))


@blueprint.get("/rules/<code>/<place>")
@web.require(markets.PERMISSION)
def rule(code: str, place: str) -> ResponseReturnValue:
    _market, present, number = _at(code, place)
    given = _filled_in(present.rules[number]) if number is not None else {"active": "yes"}
    return _page(code, place, given | {"seen": present.mark})


@blueprint.post("/rules/<code>/<place>")
@web.require(markets.PERMISSION)
def save_rule(code: str, place: str) -> ResponseReturnValue:
    """The button pressed says what is done: publish, try it, or one more condition."""
    market, present, number = _at(code, place)
    given = {name: value.strip() for name, value in request.form.items()}
    do = given.get("do", "publish")
    if do == "more":
        return _page(code, place, given, blank=BLANK_ROWS + 1)
    edited, problems = _typed(given)
    wanted = list(present.rules)
    if number is None:
        wanted.append(edited)
    else:
        wanted[number] = edited
    others = [each for each in wanted if each is not edited]
    problems = {**verbs.rule_problems(edited, others), **problems}
    if problems:
        return _page(code, place, given, problems), 422
    if do == "try":
        tried = verbs.trial(
            web.db(), market, wanted, edited, given.get("reference", "").strip().upper()
        )
        return _page(code, place, given, tried=tried)
    refused = _publish(code, wanted, lambda told: _page(code, place, given, told))
    return refused or redirect(url_for("hq.rules", market=code))


def _publish(
    code: str, wanted: Sequence[verbs.RuleTerms], page: Any = None
) -> ResponseReturnValue | None:
    """None where it went well. `page` shows problems by field; else they are told as a notice."""
    session = web.db()
    try:
        changed = verbs.publish(
            session, code, wanted, seen=request.form.get("seen", ""),
            at=web.at(), actor=web.actor(),
        )  # fmt: skip
    except BadValues as bad:
        session.rollback()
        if page is not None:
            return page(bad.problems), 422
        flash(" ".join(bad.problems.values()), "warning")
        return None
    except NotNow as refused:
        session.rollback()
        if page is not None:
            return page({"": str(refused)}), 409
        flash(str(refused), "warning")
        return None
    except LookupError:
        abort(404)
    flash_saved(verbs.KIND, code, changed)
    return None


def _home(code: str) -> Market | None:
    try:
        return verbs.home_of(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def _homes(own: Sequence[Market]) -> list[tuple[str, str]]:
    named = [(each.code, each.name) for each in own]
    if markets.may_create(web.actor()):
        named.append((verbs.EVERYWHERE, _("Default set")))
    return named


def _at(code: str, place: str) -> tuple[Market | None, verbs.Rules, int | None]:
    market = _home(code)
    present = verbs.rules_of(web.db(), market.id if market else None)
    if place == NEW:
        return market, present, None
    if not (place.isascii() and place.isdecimal() and int(place[:4]) < len(present.rules)):
        abort(404)
    return market, present, int(place[:4])


def _filled_in(rule: verbs.RuleTerms) -> dict[str, str]:
    given = {
        "name": label("rule", rule.name),
        "request_type": str(rule.then.get("request_type", "")),
        "service": str(rule.then.get("service", "")),
        "points": str(rule.then.get("points", "") or ""),
        "tags": ", ".join(rule.then.get("tags", ())),
        "active": "yes" if rule.active else "",
    }
    for number, condition in enumerate(rule.when):
        operator, value = next((k, v) for k, v in condition.items() if k != "field")
        if operator == "given":
            operator, value = ("given" if value else "not_given"), ""
        given[f"field.{number}"] = str(condition["field"])
        given[f"operator.{number}"] = operator
        values = value if isinstance(value, list) else [value]
        given[f"values.{number}"] = "\n".join(str(each) for each in values)
    return given


def _typed(given: Mapping[str, str]) -> tuple[verbs.RuleTerms, dict[str, str]]:
    """The rule, and what can't be read at all; everything else is the verbs' to judge."""
    problems: dict[str, str] = {}
    when: list[dict[str, Any]] = []
    for number in _rows(given):
        if field := given.get(f"field.{number}", ""):
            when.append(_condition(field, given, number))
    then: dict[str, Any] = {
        name: given[name] for name in ("request_type", "service") if given.get(name)
    }
    if tags := [tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()]:
        then["tags"] = list(dict.fromkeys(tags))
    points = given.get("points", "").replace("−", "-")
    if points:
        if re.fullmatch(r"[+-]?\d{1,6}", points):
            then["points"] = int(points)
        else:
            problems["then.points"] = _("Enter a whole number.")
    active = given.get("active") == "yes"
    return verbs.RuleTerms(_name(given.get("name", "")), tuple(when), then, active), problems


def _name(typed: str) -> str:
    """A shipped rule stays the one it is where its name stays as the reader is shown it."""
    shipped = ((name, words) for name, words in choices("rule") if words == typed)
    return next(shipped, (typed, typed))[0]


def _condition(field: str, given: Mapping[str, str], number: int) -> dict[str, Any]:
    operator = given.get(f"operator.{number}", "")
    lines = [line.strip() for line in given.get(f"values.{number}", "").splitlines()]
    values = [line for line in lines if line]
    if operator in {"given", "not_given"}:
        return {"field": field, "given": operator == "given"}
    if operator == "is":
        return {"field": field, "is": values[0] if values else ""}
    return {"field": field, operator: values}


def _rows(given: Mapping[str, str]) -> list[int]:
    numbers = [name.removeprefix("field.") for name in given if name.startswith("field.")]
    return sorted(int(each) for each in numbers if each.isdecimal() and len(each) < 3)


def _page(
    code: str,
    place: str,
    given: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    *,
    tried: verbs.Trial | None = None,
    blank: int = BLANK_ROWS,
) -> str:
    # Rows are numbered anew, as the verbs number the conditions.
    filled = [number for number in _rows(given) if given.get(f"field.{number}")]
    conditions = [
        {
            "field": given.get(f"field.{number}", ""),
            "operator": given.get(f"operator.{number}", ""),
            "values": given.get(f"values.{number}", ""),
        }
        for number in filled
    ]
    conditions += [{"field": "", "operator": "", "values": ""}] * max(
        0, min(blank, verbs.MOST_CONDITIONS - len(conditions))
    )
    return render_template(
        "hq/rule.html",
        code=code,
        place=place,
        new=NEW,
        market=_home(code),
        given=given,
        problems=problems or {},
        conditions=conditions,
        facts=[("", _("Choose…")), *((name, str(FACT_WORDS[name])) for name in FACTS)],
        operators=[(name, str(words)) for name, words in OPERATOR_WORDS.items()],
        request_types=[("", _("As it is")), *choices("request_type")],
        services=[("", _("As the request type has it")), *choices("service")],
        tried=tried,
        most_shown=MOST_SHOWN,
    )


def condition_words(condition: Mapping[str, Any]) -> str:
    """A condition in the reader's words, a few of its values named."""
    what = str(FACT_WORDS.get(condition["field"], condition["field"]))
    operator, value = next((k, v) for k, v in condition.items() if k != "field")
    if operator == "given":
        if value:
            return _("%(what)s is given", what=what)
        return _("%(what)s is not given", what=what)
    values = [str(each) for each in (value if isinstance(value, list) else [value])]
    if condition["field"] == "request_type":
        values = [label("request_type", each) for each in values]
    more = f" +{len(values) - NAMED_VALUES}" if len(values) > NAMED_VALUES else ""
    named = ", ".join(values[:NAMED_VALUES]) + more
    if operator == "contains":
        return _("%(what)s contains one of: %(values)s", what=what, values=named)
    if operator == "in":
        return _("%(what)s is one of: %(values)s", what=what, values=named)
    return _("%(what)s is: %(values)s", what=what, values=named)


def effect_words(then: Mapping[str, Any]) -> list[str]:
    words = []
    if then.get("request_type"):
        words.append(label("request_type", then["request_type"]))
    if then.get("service"):
        words.append(label("service", then["service"]))
    if then.get("points"):
        words.append(_("%(points)s points", points=f"{then['points']:+d}"))
    return [*words, *(f"#{tag}" for tag in then.get("tags", ()))]
