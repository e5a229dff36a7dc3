"""What reports say in the reader's language: a value of a figure, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from babel import Locale
from babel.dates import format_interval
from babel.lists import format_list
from babel.numbers import format_decimal, get_currency_symbol
from babel.units import format_unit

from lmt.i18n import format_km, format_number, format_percent, reader
from lmt.i18n import gettext as _
from lmt.reports import dimensions, figures
from lmt.reports.answer import Answer
from lmt.reports.comparing import past_of
from lmt.reports.question import Question

NOTHING = "\N{EN DASH}"
Names = Callable[[str, str], str]
"""Gives the name of a dimension's key; asked for the key "" of an own field: the field's name."""


def figure_text(figure: str, value: float | None, currency: str = "") -> str:
    """One value of the figure of that code, for reading; a dash where there is none, and for
    amounts of no one `currency`."""
    if value is None:
        return NOTHING
    match figures.BY_CODE[figure].unit:
        case figures.SHARE:
            return format_percent(value, 1)
        case figures.MINUTES:
            return span_text(value)
        case figures.DAYS:
            return _in(value, "day")
        case figures.MONEY:
            return money_text(value, currency) if currency else NOTHING
        case figures.KM:
            return format_km(value)
        case figures.SCORE:
            return format_number(value, 1)
        case figures.COUNT:
            return format_number(round(value))
        case _:
            return format_number(value, 0 if float(value).is_integer() else 2)


def span_text(minutes: float) -> str:
    """A length of time: minutes below an hour, then hours with one decimal, days from two on."""
    if minutes < 60:
        return _in(round(minutes), "minute")
    return _in(minutes / 60, "hour") if minutes < 48 * 60 else _in(minutes / 1440, "day")


def _in(amount: float, unit: str) -> str:
    locale = reader().locale
    name = f"duration-{unit}"
    written = format_unit(amount, name, format="#,##0.#", locale=locale)
    if name in written:  # where Babel takes the long form of a unit over, it loses it
        written = format_unit(amount, name, "short", format="#,##0.#", locale=locale)
    # Babel writes the number of a unit as the language does, whatever manner its reader chose.
    plain = format_decimal(amount, format="#,##0.#", locale=locale)
    return written.replace(plain, format_number(round(amount, 1)))


def money_text(amount: float, currency: str) -> str:
    """An amount, whole from a thousand on: nobody reads the cents of a campaign."""
    locale = Locale(reader().locale)
    written = format_number(amount, 0 if abs(amount) >= 1000 else 2)
    symbol = get_currency_symbol(currency, locale)
    pattern = locale.currency_formats["standard"]
    before, behind = pattern.prefix[0], pattern.suffix[0]
    # A symbol of letters doesn't run into the digits (https://unicode.org/reports/tr35).
    gap = "\N{NO-BREAK SPACE}" if before.endswith("¤") and symbol[-1:].isalpha() else ""
    return f"{before}{gap}{written}{behind}".replace("¤", symbol)


def unit_name(figure: str, currency: str = "") -> str:
    """In what the raw numbers of a figure are told, for a header or a list of definitions."""
    match figures.BY_CODE[figure].unit:
        case figures.SHARE:
            return _("Share, 0 to 1")
        case figures.MINUTES:
            return _("Minutes")
        case figures.DAYS:
            return _("Days")
        case figures.MONEY:
            return currency or _("Several currencies, not told")
        case figures.KM:
            return _("Kilometres")
        case figures.SCORE:
            return _("Mark, 1 to 5")
        case _:
            return _("Number")


def dimension_name(code: str, names: Names) -> str:
    """What is grouped by, an own field included; "" of none."""
    if code.startswith(dimensions.FIELD):
        return names(code, "")
    known = dimensions.BY_CODE.get(code)
    return str(known.name) if known else ""


def days_text(first: date, last: date) -> str:
    """From a day to another, both included, as short as the reader's language says it."""
    return str(format_interval(first, last, "yMMMd", locale=reader().locale))


def listed(words: Iterable[str]) -> str:
    """`Leads, sold and conversion`."""
    return format_list(list(words), locale=reader().locale)


def question_words(question: Question, names: Names) -> str:
    """What is asked, in whole sentences: figures, groups, days, filters, comparison."""
    told = listed(str(figures.BY_CODE[code].name) for code in question.figures)
    days = days_text(question.first, question.last)
    groups = [dimension_name(code, names) for code in (question.rows, question.columns) if code]
    if groups:
        said = [
            _(
                "%(figures)s by %(groups)s, %(days)s.",
                figures=told,
                groups=listed(groups),
                days=days,
            )
        ]
    else:
        said = [_("%(figures)s, %(days)s.", figures=told, days=days)]
    for code, keys in question.filters.items():
        said.append(
            _(
                "%(dimension)s: %(keys)s only.",
                dimension=dimension_name(code, names),
                keys=listed(names(code, key) for key in keys),
            )
        )
    before = question.before()
    if before is not None:
        said.append(_("Compared with %(days)s.", days=days_text(before.first, before.last)))
    return " ".join(said)


def empty_past(answer: Answer) -> str:
    """That there is nothing to compare with; "" where there is, or nothing is compared."""
    if answer.before is None or past_of(answer) is not None:
        return ""
    past = answer.before.question
    return _(
        "No leads in %(days)s, so there is nothing to compare with.",
        days=days_text(past.first, past.last),
    )
