"""What an answer must be to become part of a lead: one set of rules, which static/rules.js repeats.

Both sides are compared for generated forms and answers; nothing here may lean on what only one
language has, as its own notion of a blank, a letter or a case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from lmt.forms.answers import Answers, cleaned, given_answers, shown_fields
from lmt.forms.countryaddresses import address_parts
from lmt.forms.definition import FormDefinition
from lmt.forms.digits import NUMBER, count_of_digits
from lmt.forms.emailrule import is_email
from lmt.forms.fields import MOST_FILE_MB, WITH_OPTIONS, FieldDefinition

FEWEST_PHONE_DIGITS = 6
MOST_PHONE_DIGITS = 20
CONSENTED = "yes"
"""What a ticked consent sends; anything else is no consent."""
BYTES_PER_MB = 1024 * 1024
FILE_NAME = r"\.(jpg|jpeg|png|webp|heic|pdf)"
DEALER_CODE = r"[A-Za-z0-9_-]{1,60}"
DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,20})?"
ONE_LINE = frozenset({"text", "name", "email", "phone", "postcode", "city", "hidden"})

_FILE_NAME = re.compile(FILE_NAME + r"\Z", re.IGNORECASE | re.ASCII)
_DEALER_CODE = re.compile(DEALER_CODE)
_DEGREES = re.compile(DEGREES)
_SIZE = re.compile(r"[0-9]{1,15}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer can't be taken: a code, and the numbers or days that its sentence names.

    missing, choose, consent: there is no answer; reach: neither phone nor mail. too_long(most),
    one_line, email, phone, number, too_small(least), too_big(most), date, too_early(least),
    too_late(most), too_many(most), postcode, place, file_type, file_size(most_mb),
    unknown_option. `least` and `most` of a date are days in ISO 8601.
    """

    code: str
    facts: Mapping[str, int | str] = field(default_factory=dict)


def problems(definition: FormDefinition, answers: Answers, today: date) -> dict[str, Problem]:
    """What is wrong by name of the input, in the form's order; empty when all is well.

    Only fields that are shown are asked. A way to reach the person always is: a form with a phone
    and a mail field, neither of them required, still needs one of the two. `today` is the day at
    the visitor's, which the bounds of dates are counted from.
    """
    given = given_answers(definition, lambda name: [answers.get(name, "")])
    asked = shown_fields(definition, given)
    found: dict[str, Problem] = {}
    for item in definition.fields:
        if item.key in asked:
            found |= _problems_of(item, given, today)
    if unreached := _unreached(definition, asked, given):
        way, problem = unreached
        found.setdefault(way, problem)
    order = [name for item in definition.fields for name in item.inputs]
    return {name: found[name] for name in order if name in found}


def day_bounds(item: FieldDefinition, today: date) -> tuple[str, str]:
    """The first and last day that a date may be, in ISO 8601; "" for no bound."""
    return _day_from(today, item.least), _day_from(today, item.most)


def most_mb(item: FieldDefinition) -> int:
    return item.most or MOST_FILE_MB


def _problems_of(item: FieldDefinition, given: Answers, today: date) -> dict[str, Problem]:
    if item.type == "section":
        return {}
    if item.type == "address":
        return dict(_address_problems(item, given))
    answer = given[item.key]
    problem: Problem | None
    if not answer:
        problem = _missing(item)
    elif item.type == "file":
        problem = _file_problem(item, answer, given[f"{item.key}-size"])
    else:
        problem = _problem(item, answer, today)
    found = {item.key: problem} if problem else {}
    if item.type == "dealer":
        found |= _place_problem(item, given)
    return found


def _missing(item: FieldDefinition) -> Problem | None:
    if not item.required or item.type == "hidden":
        return None
    if item.type in WITH_OPTIONS or item.type == "dealer":
        return Problem("choose")
    return Problem("consent" if item.type == "consent" else "missing")


def _problem(item: FieldDefinition, answer: str, today: date) -> Problem | None:
    if item.type == "choices":
        return _choices_problem(item, answer.split("\n"))
    if item.type in WITH_OPTIONS:
        return None if item.option(answer) else Problem("unknown_option")
    if item.type == "consent":
        return None if answer == CONSENTED else Problem("unknown_option")
    if item.type == "dealer":
        return None if _DEALER_CODE.fullmatch(answer) else Problem("unknown_option")
    if item.type == "number":
        return _number_problem(item, answer)
    if item.type == "date":
        return _date_problem(item, answer, today)
    return _text_problem(item, answer)


def _text_problem(item: FieldDefinition, answer: str) -> Problem | None:
    if item.type == "hidden" and answer == cleaned(item.value):
        return None
    if item.type in ONE_LINE and (problem := _line_problem(answer, item.max_length)):
        return problem
    if len(answer) > item.max_length:
        return Problem("too_long", {"most": item.max_length})
    if item.type == "email" and not is_email(answer):
        return Problem("email")
    if item.type == "phone":
        digits = count_of_digits(answer)
        if not FEWEST_PHONE_DIGITS <= digits <= MOST_PHONE_DIGITS:
            return Problem("phone")
    return None


def _line_problem(answer: str, most: int) -> Problem | None:
    if len(answer) > most:
        return Problem("too_long", {"most": most})
    return Problem("one_line") if "\n" in answer or "\0" in answer else None


def _choices_problem(item: FieldDefinition, chosen: list[str]) -> Problem | None:
    if len(set(chosen)) < len(chosen) or not all(item.option(each) for each in chosen):
        return Problem("unknown_option")
    if item.most is not None and len(chosen) > item.most:
        return Problem("too_many", {"most": item.most})
    return None


def _number_problem(item: FieldDefinition, answer: str) -> Problem | None:
    if not NUMBER.fullmatch(answer):
        return Problem("number")
    if item.least is not None and float(answer) < item.least:
        return Problem("too_small", {"least": item.least})
    if item.most is not None and float(answer) > item.most:
        return Problem("too_big", {"most": item.most})
    return None


def _date_problem(item: FieldDefinition, answer: str, today: date) -> Problem | None:
    if not _is_day(answer):
        return Problem("date")
    earliest, latest = day_bounds(item, today)
    if earliest and answer < earliest:
        return Problem("too_early", {"least": earliest})
    if latest and answer > latest:
        return Problem("too_late", {"most": latest})
    return None


def _is_day(answer: str) -> bool:
    parts = _DATE.fullmatch(answer)
    try:
        return bool(parts and date(*map(int, parts.groups())))
    except ValueError:
        return False


def _day_from(today: date, days: int | None) -> str:
    if days is None:
        return ""
    try:
        return (today + timedelta(days=days)).isoformat()
    except OverflowError:
        return (date.max if days > 0 else date.min).isoformat()


def _file_problem(item: FieldDefinition, name: str, size: str) -> Problem | None:
    """By what the browser says of it; its bytes are looked at where it arrives."""
    if not _FILE_NAME.search(name):
        return Problem("file_type")
    most = most_mb(item)
    if size and not (_SIZE.fullmatch(size) and int(size) <= most * BYTES_PER_MB):
        return Problem("file_size", {"most_mb": most})
    return None


def _place_problem(item: FieldDefinition, given: Answers) -> dict[str, Problem]:
    """Where a dealer is looked for: told beside the input that is seen."""
    name = f"{item.key}-place"
    if problem := _line_problem(given[name], item.max_length):
        return {name: problem}
    for axis, most in (("lat", 90), ("lon", 180)):
        degrees = given[f"{item.key}-{axis}"]
        if degrees and not (_DEGREES.fullmatch(degrees) and abs(float(degrees)) <= most):
            return {name: Problem("place")}
    return {}


def _address_problems(item: FieldDefinition, given: Answers) -> Iterator[tuple[str, Problem]]:
    """The country decides which parts there are and what they look like; while none is chosen,
    it alone is asked for."""
    name = f"{item.key}-country"
    country = given[name]
    known = country in item.countries
    if not country and item.required:
        yield name, Problem("choose")
    elif country and not known:
        yield name, Problem("unknown_option")
    parts = {part.part: part for part in address_parts(country)} if known else {}
    for which in ("region", "city", "postcode", "street"):
        name = f"{item.key}-{which}"
        part, answer = parts.get(which), given[name]
        if problem := _line_problem(answer, item.max_length):
            yield name, problem
        elif part is None:
            continue
        elif not answer:
            if item.required and part.required:
                yield name, Problem("choose" if part.areas else "missing")
        elif part.areas and answer not in {value for value, _words in part.areas}:
            yield name, Problem("unknown_option")
        elif part.pattern and not _fits(part.pattern, answer):
            yield name, Problem("postcode")


def _fits(pattern: str, answer: str) -> bool:
    return bool(re.fullmatch(pattern, answer, re.IGNORECASE | re.ASCII))


def _unreached(
    definition: FormDefinition, asked: frozenset[str], given: Answers
) -> tuple[str, Problem] | None:
    """Told in the last step that asks for a way, as only there both were seen."""
    steps = [
        [item for item in step.fields if item.key in asked and item.type in {"phone", "email"}]
        for step in definition.steps
    ]
    ways = [item.key for step in steps for item in step]
    if not ways or any(given[key] for key in ways):
        return None
    last = next(step for step in reversed(steps) if step)
    return last[0].key, Problem("reach" if len(ways) > 1 else "missing")
