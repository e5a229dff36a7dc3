"""The dealer picker of a form: who is near the visitor, open now or when, and who can't take it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import i18n, web
from lmt.embed.blueprint import blueprint
from lmt.embed.dealerwords import dealers_in_words, place_problem
from lmt.embed.origins import allowed_origin
from lmt.embed.shown import ShownForm, asked_language, asked_version, shown_form
from lmt.forms.answers import Answers, given_answers
from lmt.forms.dealerlist import DealerList
from lmt.forms.fields import FieldDefinition
from lmt.forms.lead import lead_of
from lmt.forms.page import rendered
from lmt.forms.rules import problems
from lmt.ingest import machines
from lmt.models import Brand
from lmt.nearby import Nearby, Place, UnknownPlace, Wanted, nearby
from lmt.qualify.classify import FACTS

FIND_FIELD = "find"
"""The button that looks for dealers: the field's key, or `key:place` for another place."""


def listed(
    session: Session,
    shown: ShownForm,
    answers: Answers,
    language: str,
    at: datetime,
    item: FieldDefinition | None = None,
) -> Nearby:
    """The dealers around the place that the answers of the picker (`item`; None: the first one)
    tell, for the request that all the answers make. Raises UnknownPlace."""
    item = item or _pickers(shown)[0]
    lat, lon = _degrees(answers, f"{item.key}-lat", 90), _degrees(answers, f"{item.key}-lon", 180)
    lead = lead_of(shown.definition, _settled(shown, answers, at), language=language)
    place = Place(
        text=answers.get(f"{item.key}-place", ""),
        lat=lat if lon is not None else None,
        lon=lon if lat is not None else None,
        country=str(lead["address"].get("country") or ""),
    )
    wanted = _wanted(session, shown, lead, language)
    return nearby(session, shown.form.source.market_id, wanted, place, at)


def dealer_lists(
    session: Session, shown: ShownForm, answers: Answers, language: str, at: datetime, find: str
) -> dict[str, DealerList]:
    """What to show in each picker of the form, by its key: of those that name a place, and the one
    whose button (`find`, the value of FIND_FIELD) was pressed."""
    answers = with_place_found(answers, find)
    pressed = find.partition(":")[0]
    return {
        item.key: dealer_list(session, shown, answers, language, at, item)
        for item in _pickers(shown)
        if item.key == pressed or answers.get(f"{item.key}-place") or answers.get(f"{item.key}-lat")
    }


def with_place_found(answers: Answers, find: str) -> Answers:
    """The answers, with the place of the button that was pressed where it names another one."""
    key, _separator, place = find.partition(":")
    if not place:
        return answers
    return {**answers, f"{key}-place": place, f"{key}-lat": "", f"{key}-lon": ""}


def dealer_list(
    session: Session,
    shown: ShownForm,
    answers: Answers,
    language: str,
    at: datetime,
    item: FieldDefinition,
) -> DealerList:
    """`listed` in words of `language`, or what kept it from being found."""
    typed = answers.get(f"{item.key}-place", "")
    try:
        found = listed(session, shown, answers, language, at, item)
    except UnknownPlace as problem:
        with i18n.reading(language):
            return DealerList(typed=typed, problem=place_problem(problem.code, typed))
    with i18n.reading(language):
        return dealers_in_words(found, typed, at)


@blueprint.get("/embed/<code>/dealers")
@web.limiter.limit("120 per minute")
def dealers(code: str) -> ResponseReturnValue:
    """The list for a place, while the visitor is still filling the form: `place` or `lat` and
    `lon`, and the answers by their names. `as=html` answers with the list alone."""
    session = machines.system_session()
    shown = shown_form(session, code, asked_version())
    language = asked_language(shown.definition)
    pickers = _pickers(shown)
    item = next((each for each in pickers if each.key == request.args.get("field")), None)
    item = item or next(iter(pickers), None)
    if item is None:
        return _readable(shown, jsonify(errors={})), 404
    answers = given_answers(shown.definition, request.args.getlist)
    for part in ("place", "lat", "lon"):
        if part in request.args:
            answers[f"{item.key}-{part}"] = request.args[part]
    found = dealer_list(session, shown, answers, language, web.at(), item)
    status = 422 if found.problem else 200
    if request.args.get("as") == "html":
        return _readable(shown, Response(_html(shown, item, found, answers, language))), status
    if found.problem:
        return _readable(shown, jsonify(errors={f"{item.key}-place": found.problem})), status
    data = {
        "place": found.place,
        "summary": found.summary,
        "hint": found.hint,
        "alternatives": list(found.alternatives),
        "dealers": [asdict(row) for row in found.rows],
        "html": _html(shown, item, found, answers, language),
    }
    return _readable(shown, jsonify(data)), status


def _pickers(shown: ShownForm) -> list[FieldDefinition]:
    return [item for item in shown.definition.fields if item.type == "dealer"]


def _settled(shown: ShownForm, answers: Answers, at: datetime) -> Answers:
    """The answers without those that can't be taken, as a form half filled is asked about, too;
    and without the pickers', which say whom the request goes to and not what it is."""
    wrong = set(problems(shown.definition, answers, at.date()))
    wrong.update(name for item in _pickers(shown) for name in item.inputs)
    return {name: "" if name in wrong else answer for name, answer in answers.items()}


def _wanted(
    session: Session, shown: ShownForm, lead: Mapping[str, Mapping[str, object]], language: str
) -> Wanted:
    """The request, and what the market's rules may ask of it (`lmt.qualify.service`)."""
    source = shown.form.source
    said = {
        name: str(value)
        for section in ("customer", "address", "request", "vehicle")
        for name, value in lead[section].items()
        if value and name in FACTS
    }
    brand = session.get(Brand, source.brand_id) if source.brand_id else None
    return Wanted(
        brand=said.get("brand") or (brand.code if brand else ""),
        model=said.get("model", ""),
        request_type=str(lead["request"].get("type") or ""),
        language=language,
        facts={
            **said,
            "channel": source.kind,
            "source": source.code,
            "campaign": str(lead["campaign"].get("code") or ""),
        },
    )


def _degrees(answers: Answers, name: str, most: int) -> float | None:
    try:
        degrees = float(answers.get(name, ""))
    except ValueError:
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= most else None


def _html(
    shown: ShownForm, item: FieldDefinition, found: DealerList, answers: Answers, language: str
) -> str:
    return rendered(
        "dealerlist.html",
        shown.definition,
        language,
        found=found,
        key=item.key,
        chosen=answers.get(item.key, ""),
    )


def _readable(shown: ShownForm, response: Response) -> Response:
    """Pages of the form's origins may read the answer; nobody keeps where a visitor looked."""
    origin = request.headers.get("Origin", "")
    if allowed_origin(shown.form, origin, web.settings().base_url):
        response.headers["Access-Control-Allow-Origin"] = origin
    response.vary.add("Origin")
    response.headers["Cache-Control"] = "no-store"
    return response
