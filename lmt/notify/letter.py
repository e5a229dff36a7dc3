"""A letter to be mailed: its parts as plain values, written out as text and as HTML.

Both forms are made of the same sentences, so neither can say what the other doesn't.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lmt import i18n
from lmt.notify.bidi import isolated, one_line, without_controls

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as it is sent; the subject is one line."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Value:
    """Something that came from outside. `ltr` for phones, addresses and codes in Latin script."""

    text: str
    ltr: bool = False
    href: str = ""

    def __html__(self) -> str:
        tag = Markup('<bdi dir="ltr">{}</bdi>') if self.ltr else Markup("<bdi>{}</bdi>")
        inner = tag.format(one_line(self.text))
        return Markup('<a href="{}">{}</a>').format(self.href, inner) if self.href else inner

    def __str__(self) -> str:
        in_rtl = i18n.direction() == "rtl"
        return isolated(one_line(self.text), ltr=self.ltr, in_rtl=in_rtl)


@dataclass(frozen=True, slots=True)
class Line:
    """A translated sentence, its %(name)s still unfilled, and the values to fill in."""

    sentence: str
    values: dict[str, Value] = field(default_factory=dict)

    def __html__(self) -> str:
        return Markup(escape(self.sentence)) % self.values

    def __str__(self) -> str:
        return self.sentence % {name: str(value) for name, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list: its lines, the first of them its name, and links below."""

    lines: list[Value]
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """A list within a letter; `more` is said below it."""

    heading: str
    entries: list[Entry]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Something that goes with the mail and is shown in it: its `cid`, and words in its place."""

    cid: str
    words: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: what its columns are called, its rows and the last one, () for none. The first of
    each row is its name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """In reading order. `facts` are rows of a label and its lines; `button` is what the reader most
    likely wants, a label and address, and `others` what else they can do. `quoted_as` says whose
    words the quote is (""): the customer's. `words` are paragraphs of a person, as they wrote them.
    """

    subject: str
    heading: str
    opening: list[Line]
    notice: Line | None = None
    facts: list[tuple[str, list[Value]]] = field(default_factory=list)
    quote: str = ""
    quoted_as: str = ""
    words: str = ""
    sections: list[Section] = field(default_factory=list)
    picture: Picture | None = None
    grid: Grid | None = None
    closing: list[Line] = field(default_factory=list)
    button: tuple[str, str] | None = None
    others: list[tuple[str, str]] = field(default_factory=list)
    footer: str = ""


def written(letter: Letter) -> Rendered:
    """The letter as a mail, for the reader that `lmt.i18n` knows of."""
    parts = {
        "letter": letter,
        "facts": [(label, lines) for label, lines in letter.facts if any(v.text for v in lines)],
        "quote": without_controls(letter.quote).strip(),
        "words": without_controls(letter.words).strip(),
        "lang": i18n.reader().locale,
        "dir": i18n.direction(),
        "start": "right" if i18n.direction() == "rtl" else "left",
        "end": "left" if i18n.direction() == "rtl" else "right",
    }
    html = _environment().get_template("mail/letter.html").render(parts)
    return Rendered(
        subject=one_line(letter.subject),
        text=_environment().get_template("mail/letter.txt").render(parts).strip() + "\n",
        html=_inliner().inline(html),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        i18n.gettext, i18n.ngettext, newstyle=True, pgettext=i18n.pgettext
    )
    return environment


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
