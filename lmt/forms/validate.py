"""Are the answers to a form good enough to be a lead? Each problem in the customer's words."""

from __future__ import annotations

from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email

from lmt.forms.definition import WITH_OPTIONS, FieldDefinition, FormDefinition
from lmt.i18n import gettext as _
from lmt.i18n import reading

FEWEST_PHONE_DIGITS = 6
MOST_PHONE_DIGITS = 20
_ONE_LINE = frozenset({"text", "name", "email", "phone", "postcode", "city", "hidden"})


def check(definition: FormDefinition, answers: Mapping[str, str], language: str) -> dict[str, str]:
    """What is wrong, field by field, in the form's order and `language`; empty when all is well.

    A way to reach the person is always asked for: a form with a phone and a mail field, neither
    of them required, still needs one of the two.
    """
    with reading(definition.language(language)):
        problems: dict[str, str] = {}
        for item in definition.fields:
            problem = _problem(item, answers.get(item.key) or "")
            if problem:
                problems[item.key] = problem
        ways = [item.key for item in definition.fields if item.type in {"phone", "email"}]
        answered = any((answers.get(key) or "").strip() for key in ways)
        if ways and not answered and not problems.keys() & set(ways):
            problems[ways[0]] = (
                _("Give a phone number or a mail address, so that we can answer you.")
                if len(ways) > 1
                else _("Please fill this in.")
            )
        order = [item.key for item in definition.fields]
        return {key: problems[key] for key in order if key in problems}


def _problem(item: FieldDefinition, given: str) -> str:
    answer = given.strip()
    if not answer:
        return _missing(item) if item.required else ""
    if item.type in WITH_OPTIONS:
        return "" if item.option(answer) else _("Choose one of the options.")
    if item.type == "consent":
        return ""
    if len(answer) > item.max_length:
        return _("Shorten this to %(most)s characters or fewer.", most=item.max_length)
    if item.type in _ONE_LINE and any(letter in answer for letter in "\r\n\0"):
        return _("Write this in one line.")
    if item.type == "email":
        return "" if _is_email(answer) else _("Write a mail address such as name@example.com.")
    if item.type == "phone":
        digits = sum(letter.isdecimal() for letter in answer)
        if not FEWEST_PHONE_DIGITS <= digits <= MOST_PHONE_DIGITS:
            return _("Write a phone number with its area code.")
    return ""


def _missing(item: FieldDefinition) -> str:
    if item.type in WITH_OPTIONS:
        return _("Choose one of the options.")
    if item.type == "consent":
        return _("We need your consent to answer you.")
    return _("Please fill this in.")


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True
