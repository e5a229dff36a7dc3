"""Words with places to fill, as people at headquarters write them: what may stand in them, and how
they read once filled. Only the tree of Jinja's parser is used; nothing is ever run.

`{{ name }}`, `{{ name or "fallback" }}`, `{% if name %}…{% else %}…{% endif %}`; no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from lmt.i18n import gettext as _

LONGEST_TEXT = 10_000
"""Characters of a text with places."""
LONGEST_FILLED = 20_000
LONGEST_VALUE = 500
DEEPEST = 3
"""How many conditions may stand inside each other."""
MOST_KEPT = 512

_PARSER = Environment(keep_trailing_newline=True)
_NOTHING = "\x00"
_SPACE_BEFORE_NOTHING = re.compile(r"[ \t\u00a0]*\x00+(?=[\s,.;:!?…)\u060c\u061b\u061f]|\Z)")
_MANY_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text can't be used. `code` is one of `too_long`, `syntax`, `unknown`, `not_allowed`,
    `fallback`, `condition`, `too_deep`; `name` what was written, `position` its line, from 1."""

    code: str
    name: str
    position: int


class BadText(ValueError):
    """A text that holds more than places to fill."""

    def __init__(self, problems: list[Problem]):
        super().__init__("; ".join(f"{each.code} {each.name}" for each in problems))
        self.problems = problems


def problems(text: str, known: Collection[str]) -> list[Problem]:
    """What keeps `text` from being used with the names in `known`, in reading order."""
    try:
        tree = _tree(text)
    except BadText as bad:
        return bad.problems
    found: list[Problem] = []
    _judge(tree.body, frozenset(known), text, 0, found)
    return list(dict.fromkeys(found))


def problem_words(problem: Problem) -> str:
    """The problem as a sentence, for whoever wrote the text."""
    said = {"line": problem.position, "text": problem.name}
    sentences = {
        "too_long": _("The text is too long: %(most)s characters at most.", most=LONGEST_TEXT),
        "syntax": _("Line %(line)s: this can't be read: %(text)s", **said),
        "unknown": _("Line %(line)s: there is no variable “%(text)s”.", **said),
        "fallback": _(
            'Line %(line)s: after “or” write the words to use instead, such as "your car".', **said
        ),
        "condition": _(
            "Line %(line)s: a condition may only ask whether a variable has a value.", **said
        ),
        "too_deep": _(
            "Line %(line)s: too many conditions inside each other (%(most)s at most).",
            **said,
            most=DEEPEST,
        ),
    }
    return sentences.get(
        problem.code,
        _("Line %(line)s: only variables and conditions may be used, not: %(text)s", **said),
    )


def placeholders_of(text: str) -> set[str]:
    """Every name that `text` speaks of, also in conditions. Raises BadText for what can't be
    parsed."""
    return {node.name for node in _tree(text).find_all(nodes.Name)}


def missing(text: str, values: Mapping[str, str]) -> list[str]:
    """The names that are written out, have no value and no words instead; each once, in order.

    What stands in a branch that isn't taken is not missing. Raises BadText.
    """
    gaps = [name for name in _written(_checked(text).body, values) if isinstance(name, _Place)]
    return list(dict.fromkeys(gap.name for gap in gaps if not _value(values, gap.name)))


def fill(
    text: str,
    values: Mapping[str, str],
    *,
    place: Callable[[str, str], str] | None = None,
    words: Callable[[str], str] | None = None,
    gap: Callable[[str], str] | None = None,
) -> str:
    """`text` with its places filled; cut at LONGEST_FILLED. Raises BadText.

    A missing value leaves nothing, nor the space before it where a mark or the end follows
    (`Hello {{ name }},` becomes `Hello,`), and empty lines are never more than one.

    `place(name, value)` writes a value otherwise, `words(text)` what the author wrote, and
    `gap(name)` marks what is missing.
    """
    written: list[str] = []
    length = 0
    for piece in _written(_checked(text).body, values):
        if isinstance(piece, str):
            shown = words(piece) if words else piece
        elif value := _value(values, piece.name):
            shown = place(piece.name, value) if place else value
        else:
            shown = gap(piece.name) if gap else _NOTHING
        written.append(shown)
        length += len(shown)
        if length > LONGEST_FILLED:
            break
    whole = _SPACE_BEFORE_NOTHING.sub("", "".join(written)).replace(_NOTHING, "")
    return _MANY_BLANK_LINES.sub("\n\n", whole).strip()[:LONGEST_FILLED]


@dataclass(frozen=True, slots=True)
class _Place:
    name: str


def _written(body: list[nodes.Node], values: Mapping[str, str]) -> Iterator[str | _Place]:
    """The pieces of the branches that are taken: the author's words, and places."""
    for node in body:
        if isinstance(node, nodes.TemplateData):
            yield _one_kind_of_line(node.data)
        elif isinstance(node, nodes.Output):
            yield from _written(node.nodes, values)  # type: ignore[arg-type]
        elif isinstance(node, nodes.Name):
            yield _Place(node.name)
        elif isinstance(node, nodes.Or):
            assert isinstance(node.left, nodes.Name)
            assert isinstance(node.right, nodes.Const)
            has_value = _value(values, node.left.name)
            yield _Place(node.left.name) if has_value else _one_kind_of_line(node.right.value)
        elif isinstance(node, nodes.If):
            yield from _written(_branch(node, values), values)


def _branch(node: nodes.If, values: Mapping[str, str]) -> list[nodes.Node]:
    if _holds(node.test, values):
        return node.body
    for other in node.elif_:
        if _holds(other.test, values):
            return other.body
    return node.else_


def _holds(test: nodes.Node, values: Mapping[str, str]) -> bool:
    if isinstance(test, nodes.Not):
        return not _holds(test.node, values)
    if isinstance(test, nodes.And):
        return _holds(test.left, values) and _holds(test.right, values)
    if isinstance(test, nodes.Or):
        return _holds(test.left, values) or _holds(test.right, values)
    assert isinstance(test, nodes.Name)
    return bool(_value(values, test.name))


def _value(values: Mapping[str, str], name: str) -> str:
    return values.get(name, "").replace(_NOTHING, "").strip()[:LONGEST_VALUE]


def _one_kind_of_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace(_NOTHING, "")


@lru_cache(maxsize=MOST_KEPT)
def _tree(text: str) -> nodes.Template:
    """Raises BadText."""
    if len(text) > LONGEST_TEXT:
        raise BadText([Problem("too_long", "", 1)])
    try:
        return _PARSER.parse(text)
    except TemplateSyntaxError as bad:
        raise BadText([Problem("syntax", _line(text, bad.lineno), bad.lineno)]) from bad
    except RecursionError as deep:
        raise BadText([Problem("too_deep", "", 1)]) from deep
    except ValueError as bad:
        # Numbers of thousands of digits, say.
        raise BadText([Problem("syntax", _line(text, 1), 1)]) from bad


@lru_cache(maxsize=MOST_KEPT)
def _checked(text: str) -> nodes.Template:
    """Whatever its names; nothing but what may stand there is ever walked. Raises BadText."""
    tree = _tree(text)
    found: list[Problem] = []
    _judge(tree.body, None, text, 0, found)
    if found:
        raise BadText(found)
    return tree


def _judge(
    body: list[nodes.Node],
    known: frozenset[str] | None,
    text: str,
    depth: int,
    found: list[Problem],
) -> None:
    """What isn't named here is refused, whatever Jinja may learn."""
    for node in body:
        if isinstance(node, nodes.TemplateData):
            continue
        if isinstance(node, nodes.Output):
            _judge(node.nodes, known, text, depth, found)  # type: ignore[arg-type]
        elif isinstance(node, nodes.Name):
            _judge_name(node, known, found)
        elif isinstance(node, nodes.Or):
            _judge_fallback(node, known, text, found)
        elif isinstance(node, nodes.If):
            if depth >= DEEPEST:
                found.append(Problem("too_deep", _line(text, node.lineno), node.lineno))
                continue
            for branch in (node, *node.elif_):
                _judge_test(branch.test, known, text, 0, found)
                _judge(branch.body, known, text, depth + 1, found)
            _judge(node.else_, known, text, depth + 1, found)
        else:
            found.append(Problem("not_allowed", _line(text, node.lineno), node.lineno))


def _judge_fallback(
    node: nodes.Or, known: frozenset[str] | None, text: str, found: list[Problem]
) -> None:
    if not isinstance(node.left, nodes.Name):
        found.append(Problem("not_allowed", _line(text, node.lineno), node.lineno))
        return
    _judge_name(node.left, known, found)
    if not (isinstance(node.right, nodes.Const) and _is_writable(node.right.value)):
        found.append(Problem("fallback", _line(text, node.lineno), node.lineno))


def _is_writable(value: object) -> bool:
    """Words that could be typed: an escape may name half a character, which no mail can hold."""
    return isinstance(value, str) and not any(unicodedata.category(c) == "Cs" for c in value)


def _judge_test(
    test: nodes.Node, known: frozenset[str] | None, text: str, depth: int, found: list[Problem]
) -> None:
    if isinstance(test, nodes.Name):
        _judge_name(test, known, found)
    elif isinstance(test, nodes.Not) and isinstance(test.node, nodes.Name):
        _judge_name(test.node, known, found)
    elif isinstance(test, nodes.And | nodes.Or) and depth < DEEPEST:
        _judge_test(test.left, known, text, depth + 1, found)
        _judge_test(test.right, known, text, depth + 1, found)
    else:
        found.append(Problem("condition", _line(text, test.lineno), test.lineno))


def _judge_name(node: nodes.Name, known: frozenset[str] | None, found: list[Problem]) -> None:
    if known is not None and node.name not in known:
        found.append(Problem("unknown", node.name, node.lineno))


def _line(text: str, number: int) -> str:
    """As it was written, shortened."""
    lines = text.splitlines()
    return lines[number - 1].strip()[:80] if 0 < number <= len(lines) else ""
