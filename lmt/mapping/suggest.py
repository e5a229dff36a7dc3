"""A first guess at the table, from what a stranger calls the fields and what is in them."""

from __future__ import annotations

from collections import abc
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lmt.mapping.flatten import titles
from lmt.mapping.folding import words_of
from lmt.mapping.names import named_targets
from lmt.mapping.targets import TARGETS
from lmt.mapping.values import is_believable, told_targets
from lmt.mapping.withheld import is_machinery, is_secret

THRESHOLD = 0.6
MAX_PATHS = 500
MAX_SAMPLES = 50
_VALUE_LENGTH = 500
#: A name of several parts (`customer.phone`) says less by its last part alone than by both.
_LAST_PART = 0.97
_NUMBERED = 0.9
_CLOSE = 0.04
# Words that mean the whole name alone, and the family's beside a first name; or the reverse.
_BARE_NAME = frozenset(["name", "nom", "naam", "اسم"])
_BARE_FIRST_NAME = frozenset(["nombre", "isim", "ad", "adiniz"])


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The path that probably holds what the target wants; `why` is `name` or `value`.

    `score` runs to 1; below THRESHOLD nothing is suggested, since a wrong guess is worse than none.
    """

    target: str
    path: str
    score: float
    why: str


def suggestions(
    samples: Sequence[abc.Mapping[str, str]], taken: Collection[str] = ()
) -> list[Suggestion]:
    """Which path of these flat records fills which target, in the order of TARGETS.

    Names count before values. Each path and each target is suggested once at most; targets and
    paths in `taken` are left alone. Rows of a table are samples as well: {header: cell}.
    """
    paths = _paths(samples, taken)
    asked = {
        path: title for sample in samples[:MAX_SAMPLES] for path, title in titles(sample).items()
    }
    asides = {f"{path}.label" for path in asked}
    values = {path: _values(samples, path) for path in paths if path not in asides}
    free = [target for target in TARGETS if target not in taken]
    by_name = _best(
        {path: _by_name(path, asked.get(path, ""), texts) for path, texts in values.items()}, free
    )
    found = [Suggestion(target, path, score, "name") for target, path, score in by_name]
    found = _family_names(found, free)
    used = {each.path for each in found} | {each.target for each in found}
    by_value = _best(
        {path: told_targets(texts) for path, texts in values.items() if path not in used},
        [target for target in free if target not in used],
    )
    found += [Suggestion(target, path, score, "value") for target, path, score in by_value]
    order = list(TARGETS)
    return sorted(found, key=lambda each: order.index(each.target))


def _paths(samples: Sequence[abc.Mapping[str, str]], taken: Collection[str]) -> list[str]:
    seen = dict.fromkeys(path for sample in samples[:MAX_SAMPLES] for path in sample)
    return [
        path
        for path in seen
        if path not in taken and not is_secret(path) and not is_machinery(path)
    ][:MAX_PATHS]


def _values(samples: Sequence[abc.Mapping[str, str]], path: str) -> list[str]:
    texts = (sample.get(path, "").strip() for sample in samples[:MAX_SAMPLES])
    return [text[:_VALUE_LENGTH] for text in texts if text]


def _by_name(path: str, title: str, values: Sequence[str]) -> dict[str, float]:
    """The targets that the path, its last parts or the form's question name, where the values
    don't speak against them."""
    *before, last = path.split(".") if " " not in path else [path]
    names = [(path, 1.0), (last, _LAST_PART)]
    if before:
        names.append((f"{before[-1]} {last}", 1.0))
    if title:
        names.append((title, 1.0))
    scores: dict[str, float] = {}
    for name, weight in names:
        if "[" in name and any(part.isdigit() for part in words_of(name)[-1:]):
            weight *= _NUMBERED
        for target, score in named_targets(name).items():
            if is_believable(target, values):
                scores[target] = max(scores.get(target, 0), score * weight)
    best = max(scores.values(), default=0)
    return {target: score for target, score in scores.items() if score >= best - _CLOSE}


def _best(
    scores: abc.Mapping[str, abc.Mapping[str, float]], targets: Sequence[str]
) -> list[tuple[str, str, float]]:
    """(target, path, score), each once: the surest path has the first choice, and gives way where
    it has another target nearly as good and somebody else would get none."""
    wanted = {
        path: [
            target
            for target in sorted(found, key=lambda target: -found[target])
            if target in targets and found[target] >= THRESHOLD
        ]
        for path, found in scores.items()
    }
    holder: dict[str, str] = {}

    def settles(path: str, asked: set[str]) -> bool:
        for target in wanted[path]:
            if target not in asked:
                asked.add(target)
                if target not in holder or settles(holder[target], asked):
                    holder[target] = path
                    return True
        return False

    for path in sorted(scores, key=lambda path: -max(scores[path].values(), default=0)):
        settles(path, set())
    return [(target, path, round(scores[path][target], 3)) for target, path in holder.items()]


def _family_names(found: list[Suggestion], free: Collection[str]) -> list[Suggestion]:
    """Beside a `Vorname`, a bare `Name` is the family's; beside `Apellidos`, `Nombre` the first."""
    have = {each.target for each in found}

    def settled(each: Suggestion) -> Suggestion:
        if each.target != "customer.full_name":
            return each
        bare = frozenset(words_of(each.path.rpartition(".")[2]))
        for words, missing, other in (
            (_BARE_NAME, "customer.last_name", "customer.first_name"),
            (_BARE_FIRST_NAME, "customer.first_name", "customer.last_name"),
        ):
            if len(bare) == 1 and bare <= words and other in have and missing not in have:
                target = missing if missing in free else each.target
                return Suggestion(target, each.path, each.score, each.why)
        return each

    return [settled(each) for each in found]
