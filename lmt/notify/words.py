"""A market's own words of a mail: which parts it may write, with what in them, and where they go.

What a mail must say however it is worded (its facts, deadlines, quotes and where its button leads)
stays LMT's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from babel.support import LazyProxy

from lmt.i18n import format_day_time, format_number
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.notify.bidi import one_line
from lmt.notify.customermails import is_greetable
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import how_it_waits, plan_at, stands_in, test_note, wish
from lmt.placeholders import BadText, fill, problem_words, problems

PARTS: Mapping[str, LazyProxy] = {
    "subject": _l("Subject"),
    "heading": _l("Heading"),
    "opening": _l("Beginning"),
    "closing": _l("End"),
    "button": _l("Button"),
    "footer": _l("Small print"),
}
BLOCKS = frozenset({"opening", "closing"})
"""Parts of several paragraphs, which blank lines divide."""
LONGEST: Mapping[str, int] = {
    "subject": 200,
    "heading": 200,
    "opening": 5000,
    "closing": 5000,
    "button": 80,
    "footer": 1000,
}
"""Characters, placeholders included."""

VARIABLES: Mapping[str, LazyProxy] = {
    "name": _l("The customer's name; empty where it is no name to greet by"),
    "reference": _l("The reference of the request"),
    "wish": _l("What was asked for, of which car"),
    "brand": _l("The brand"),
    "model": _l("The model"),
    "dealer": _l("The dealer's name"),
    "phone_of_dealer": _l("The dealer's phone"),
    "city_of_dealer": _l("The dealer's city"),
    "promise": _l("Until when the customer hears from somebody; empty once that has passed"),
    "opens_at": _l("When the dealer opens, in its own time; empty while it is open"),
    "appointment": _l("What is planned next, with day and time"),
    "market": _l("The market"),
    "take_by": _l("Until when the dealer may take the lead; empty once that has passed"),
    "waits_for": _l("What has not happened yet, in a sentence"),
    "colleague": _l("Who looks after the lead"),
    "from_dealer": _l("The dealer who had the lead before"),
    "waiting": _l("How many wait"),
}
IN_SUBJECTS = frozenset({"reference", "wish", "model", "brand", "dealer", "market", "waiting"})
"""Subjects show on locked screens and in the outbox, so nothing of a person is in them."""
_OF_LEADS = frozenset(
    {"name", "reference", "wish", "brand", "model", "dealer", "appointment", "market"}
)
_OF_CUSTOMERS = _OF_LEADS | {"phone_of_dealer", "city_of_dealer", "promise", "opens_at"}
_OF_DEALERS = _OF_LEADS | {"promise", "take_by", "waits_for", "colleague", "from_dealer"}
_OF_HEADQUARTERS = frozenset({"waiting", "market", "dealer", "reference"})
_COUNTED = frozenset({"subject", "heading"})
_PARTS_KEPT: Mapping[str, frozenset[str]] = {
    # Its letter is the dealer's own.
    "customer_reply": frozenset({"subject", "heading", "opening", "closing"}),
    "dealer_digest": _COUNTED,
    "manager_weekly": _COUNTED,
    "headquarters_unrouted": _COUNTED,
    "headquarters_escalation": _COUNTED,
    "headquarters_queue": _COUNTED,
    "headquarters_source": _COUNTED,
    "headquarters_source_back": _COUNTED,
    # Whose name and days it has are the report's.
    "scheduled_report": frozenset({"subject", "heading", "opening"}),
}
"""Parts that stay LMT's: what counts needs the plural forms of each language."""
_WITHOUT_CUSTOMER = frozenset({"dealer_lead_taken_away", "dealer_withdrawn", "help_asked"})
"""To readers that may not, or no longer, see whose lead it is."""


@dataclass(frozen=True, slots=True)
class TextProblem:
    """What keeps a part from being published, as a sentence."""

    language: str
    part: str
    words: str


def parts_of(kind: str) -> list[str]:
    """The parts of this kind of mail that a market may write itself."""
    return [part for part in PARTS if part not in _PARTS_KEPT.get(kind, frozenset())]


def variables_of(kind: str, part: str = "") -> list[str]:
    """The names that may stand in a mail of this kind, in this part ("": in any)."""
    if kind.startswith("customer_"):
        known = _OF_CUSTOMERS
    elif kind.startswith("headquarters_") or _PARTS_KEPT.get(kind) == _COUNTED:
        known = _OF_HEADQUARTERS
    else:
        known = _OF_DEALERS
    if kind in _WITHOUT_CUSTOMER:
        known = known - {"name", "appointment", "colleague"}
    if part == "subject":
        known = known & IN_SUBJECTS
    return [name for name in VARIABLES if name in known]


def values_of(facts: MailFacts) -> dict[str, Value]:
    """What the variables stand for, in the reader's language and zone; "" for what is unknown,
    and for what would promise an instant that has passed."""
    dealer = facts.dealer

    def ahead(at: Any, timezone: str | None = None) -> str:
        return format_day_time(at, timezone) if at is not None and at > facts.written_at else ""

    return {
        "name": Value(facts.full_name.strip() if is_greetable(facts.full_name) else ""),
        "reference": Value(facts.reference, ltr=True),
        "wish": Value(wish(facts)),
        "brand": Value(facts.brand),
        "model": Value(facts.model),
        "dealer": Value(dealer.name if dealer else ""),
        "phone_of_dealer": Value(dealer.phone if dealer else "", ltr=True),
        "city_of_dealer": Value(dealer.city if dealer else ""),
        "promise": Value(ahead(facts.promise_at)),
        "opens_at": Value(ahead(facts.opens_at, dealer.timezone if dealer else None)),
        "appointment": Value(plan_at(facts) if facts.planned else ""),
        "market": Value(facts.market),
        "take_by": Value(ahead(facts.take_by_at)),
        "waits_for": Value(how_it_waits(facts.state) if facts.state else ""),
        "colleague": Value(facts.colleague),
        "from_dealer": Value(facts.from_dealer),
        "waiting": Value(format_number(facts.waiting) if facts.waiting else ""),
    }


def chosen(texts: Mapping[str, Any] | None, language: str) -> tuple[str, Mapping[str, str]]:
    """The language to write in and the words to take, {} for LMT's own.

    The reader's language where there are words in it, else that of the fallback.
    """
    languages = (texts or {}).get("languages") or {}
    fallback = (texts or {}).get("fallback") or ""
    for code in (language, fallback):
        if any(str(words).strip() for words in (languages.get(code) or {}).values()):
            return code, languages[code]
    return language, {}


def applied(kind: str, letter: Letter, parts: Mapping[str, str], facts: MailFacts) -> Letter:
    """The letter in these words; a part without words, or with words that can't be read, stays."""
    values = {name: value for name, value in values_of(facts).items() if value.text}
    known = set(variables_of(kind))
    values = {name: value for name, value in values.items() if name in known}
    mine = {part: parts[part] for part in parts_of(kind) if parts.get(part, "").strip()}
    written: dict[str, Any] = {}
    for part, text in mine.items():
        try:
            if part in BLOCKS:
                written[part] = _paragraphs(text, values)
            else:
                written[part] = _one_line(part, text, values)
        except BadText:
            continue
    if "subject" in written and facts.test:
        written["subject"] = _("Test: %(subject)s", subject=written["subject"])
    if "opening" in written:
        written["opening"] = [*test_note(facts), *stands_in(facts), *written["opening"]]
    if label := written.pop("button", ""):
        written |= _buttons(letter, label, frozenset(facts.taps.values()))
    return replace(letter, **{part: said for part, said in written.items() if said})


def _buttons(letter: Letter, label: str, taps: frozenset[str]) -> dict[str, Any]:
    """The way to the lead is called `label`; what one tap does is always said in our words."""
    if letter.button is None:
        return {}
    if letter.button[1] not in taps:
        return {"button": (label, letter.button[1])}
    others = [(words if to in taps else label, to) for words, to in letter.others]
    return {"others": others}


def problems_of(kind: str, texts: Mapping[str, Any]) -> list[TextProblem]:
    """What keeps `texts` from being published, language by language in the parts' order."""
    found = []
    languages = texts.get("languages") or {}
    for language, parts in languages.items():
        for part in parts_of(kind):
            text = parts.get(part, "")
            known = variables_of(kind, part)
            for problem in problems(text, known):
                words = problem_words(problem)
                if problem.code == "unknown" and problem.name in variables_of(kind):
                    words = _(
                        "Line %(line)s: “%(text)s” may not stand in a subject, which shows on"
                        " locked screens.",
                        line=problem.position,
                        text=problem.name,
                    )
                found.append(TextProblem(language, part, words))
            if len(text) > LONGEST[part]:
                words = _("Shorten this to %(most)s characters or fewer.", most=LONGEST[part])
                found.append(TextProblem(language, part, words))
    return found


def _one_line(part: str, text: str, values: Mapping[str, Value]) -> str:
    plain = {name: value.text for name, value in values.items()}
    if part == "subject":
        named = {name: words for name, words in plain.items() if name in IN_SUBJECTS}
        return one_line(fill(text, named))[: LONGEST[part]]
    return " ".join(fill(text, plain, place=lambda name, _text: str(values[name])).split())


def _paragraphs(text: str, values: Mapping[str, Value]) -> list[Line]:
    """Values stay values, so that each form of the mail marks them in its own way."""
    sentence = fill(
        text,
        {name: value.text for name, value in values.items()},
        place=lambda name, _text: f"%({name})s",
        words=lambda said: said.replace("%", "%%"),
    )
    blocks = [" ".join(block.split()) for block in sentence.split("\n\n")]
    return [Line(block, dict(values)) for block in blocks if block]
