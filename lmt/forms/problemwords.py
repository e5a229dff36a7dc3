"""What a visitor is told about an answer that can't be taken, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.rules import Problem
from lmt.i18n import format_date, reading
from lmt.i18n import gettext as _


def problem_words(
    problem: Problem, item: FieldDefinition, definition: FormDefinition, language: str
) -> str:
    """One sentence: the field's own `error` words where it has any, else what the rule says."""
    shown = definition.language(language)
    if item.error and (own := definition.words(item.error, shown)):
        return own
    with reading(shown):
        facts = {name: _told(fact) for name, fact in problem.facts.items()}
        return filled(sentences()[problem.code], facts)


def sentences() -> dict[str, str]:
    """By the code of a Problem, in the reader's language; facts stand in braces (`{most}`)."""
    return {
        "missing": _("Please fill this in."),
        "choose": _("Choose one of the options."),
        "unknown_option": _("Choose one of the options."),
        "consent": _("We need your consent to answer you."),
        "reach": _("Give a phone number or a mail address, so that we can answer you."),
        "too_long": _("Shorten this to %(most)s characters or fewer.", most="{most}"),
        "one_line": _("Write this in one line."),
        "email": _("Write a mail address such as name@example.com."),
        "phone": _("Write a phone number with its area code."),
        "number": _("Write a number."),
        "too_small": _("Write %(least)s or a higher number.", least="{least}"),
        "too_big": _("Write %(most)s or a lower number.", most="{most}"),
        "date": _("Choose a day of the calendar."),
        "too_early": _("Choose %(least)s or a later day.", least="{least}"),
        "too_late": _("Choose %(most)s or an earlier day.", most="{most}"),
        "too_many": _("Choose at most %(most)s of the options.", most="{most}"),
        "postcode": _("Write the postcode as it is written in this country."),
        "place": _("Write a town or a postcode."),
        "file_type": _("Choose a picture (JPG, PNG, WebP, HEIC) or a PDF."),
        "file_size": _("Choose a file of at most %(most_mb)s MB.", most_mb="{most_mb}"),
    }


def filled(sentence: str, facts: Mapping[str, str]) -> str:
    for name, fact in facts.items():
        sentence = sentence.replace(f"{{{name}}}", fact)
    return sentence


def day_words(day: str) -> str:
    """A day in ISO 8601 as the reader writes it."""
    return format_date(date.fromisoformat(day))


def _told(fact: int | str) -> str:
    return str(fact) if isinstance(fact, int) else day_words(fact)
