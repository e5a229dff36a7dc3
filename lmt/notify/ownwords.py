"""LMT's own words of a mail as texts with places: what an editor reads beside its own, and starts
from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lmt.i18n import reading
from lmt.notify.facts import DealerCard, MailFacts, SourceTrouble
from lmt.notify.letter import Letter, Line
from lmt.notify.mails import letter
from lmt.notify.words import BLOCKS, PARTS, parts_of, variables_of

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LATER = _NOW + timedelta(days=1)
_PLACES: Mapping[str, str] = {
    "opening": "opens_at",
    "promise": "promise",
    "deadline": "take_by",
}
"""What LMT's sentences call an instant → the variable for it."""
_ONLY_WITH = frozenset({"opens_at", "promise", "take_by"})
"""Sentences about these are said only where there is something to say."""


def own_words(kind: str, language: str) -> dict[str, str]:
    """Part → LMT's words in this language, for the parts that may be written anew."""
    with reading(language):
        with_dealer = _parts(letter(kind, _facts(kind), ""))
        without = _parts(letter(kind, replace(_facts(kind), dealer=None), ""))
    words = {}
    for part in parts_of(kind):
        text = with_dealer[part]
        if part in BLOCKS and text != without[part] and "dealer" in variables_of(kind):
            text = _either(text, without[part])
        words[part] = text
    return words


def _facts(kind: str) -> MailFacts:
    """Values that are the names of variables, so that sentences come out with places."""
    return MailFacts(
        written_at=_NOW,
        reference="{{ reference }}",
        full_name="{{ name }}",
        model="{{ wish }}",
        dealer=DealerCard("{{ dealer }}", phone="{{ phone_of_dealer }}"),
        colleague="{{ colleague }}",
        from_dealer="{{ from_dealer }}",
        planned="call",
        planned_at=_LATER,
        promise_at=_LATER,
        opens_at=_LATER,
        take_by_at=_LATER,
        received_at=_NOW,
        status_url="/",
        confirm_url="/",
        cause="" if kind.startswith("customer_") else "no_competence",
        waiting=1,
        sources=(SourceTrouble("", "", "silent", _NOW, _NOW, 1.0),),
    )


def _parts(mail: Letter) -> dict[str, str]:
    return dict.fromkeys(PARTS, "") | {
        "subject": mail.subject,
        "heading": mail.heading,
        "opening": "\n\n".join(_with_places(line) for line in mail.opening),
        "closing": "\n\n".join(_with_places(line) for line in mail.closing),
        "button": mail.button[0] if mail.button else "",
        "footer": mail.footer,
    }


def _with_places(line: Line) -> str:
    named = {key: _PLACES.get(key, "") for key in line.values}
    text = line.sentence % {
        key: f"{{{{ {name} }}}}" if name else line.values[key].text for key, name in named.items()
    }
    only_with = [name for name in named.values() if name in _ONLY_WITH]
    return f"{{% if {only_with[0]} %}}{text}{{% endif %}}" if only_with else text


def _either(with_dealer: str, without: str) -> str:
    """Both texts, each under its condition; what both begin with is said once."""
    first, second = with_dealer.split("\n\n"), without.split("\n\n")
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    yes, no = "\n\n".join(first[shared:]), "\n\n".join(second[shared:])
    if yes and no:
        ends = f"{{% if dealer %}}{yes}{{% else %}}{no}{{% endif %}}"
    else:
        ends = f"{{% if {'dealer' if yes else 'not dealer'} %}}{yes or no}{{% endif %}}"
    return "\n\n".join([*first[:shared], ends])
