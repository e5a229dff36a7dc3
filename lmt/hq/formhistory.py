"""What was changed of forms and own fields, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from babel.support import LazyProxy
from sqlalchemy.orm import Session

from lmt.hq.sourcewords import ChangeRow, Difference, changes_of
from lmt.i18n import lazy_gettext as _l

TYPE_WORDS: Mapping[str, LazyProxy] = {
    "text": _l("One line of text"),
    "longtext": _l("Several lines of text"),
    "choice": _l("One of several options"),
    "choices": _l("Any of several options"),
    "number": _l("A number"),
    "date": _l("A day"),
    "file": _l("A file"),
}
_CHANGED: Mapping[str, LazyProxy] = {
    "origins": _l("Sites it may stand on"),
    "version": _l("Version that visitors see"),
    "source": _l("Source"),
    "type": _l("Type"),
    "label": _l("Label"),
    "help": _l("Help"),
    "error": _l("When the answer can't be taken"),
    "options": _l("Options"),
    "required": _l("Required"),
    "personal": _l("Personal data"),
    "shows": _l("Where it shows"),
    "retention_days": _l("Days it is kept"),
    "max_length": _l("Most characters"),
    "least": _l("Smallest"),
    "most": _l("Largest"),
}
_STATES: Mapping[str, LazyProxy] = {
    "shown": _l("offered"),
    "archived": _l("archived"),
    "offered": _l("offered"),
    "retired": _l("no longer offered"),
    **TYPE_WORDS,
}


def history_of(session: Session, kind: str, subject: str) -> list[ChangeRow]:
    """The latest first."""
    return [
        replace(change, changes=[_in_words(each) for each in change.changes])
        for change in changes_of(session, kind, subject)
    ]


def _in_words(difference: Difference) -> Difference:
    return Difference(
        str(_CHANGED.get(difference.words, difference.words)),
        str(_STATES.get(difference.before, difference.before)),
        str(_STATES.get(difference.after, difference.after)),
    )
