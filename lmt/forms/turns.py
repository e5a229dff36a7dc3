"""Which step a visitor without scripts sees next: decided by the server, one page at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from lmt.forms.answers import Answers
from lmt.forms.definition import FormDefinition
from lmt.forms.rules import Problem, problems
from lmt.forms.steps import questions_on, walked_steps
from lmt.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Turn:
    """The `step` to show, or that the form is `complete`.

    `errors` are those of that step, by name of the input, in the form's order; `unseen` the
    questions on it that the visitor's answers have brought up since it was shown.
    """

    step: str
    errors: Mapping[str, Problem] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    complete: bool = False

    @property
    def notice(self) -> str:
        """What to say above the form, in the reader's language; "" for nothing."""
        return _("Your answers lead to more questions. Please look at them.") if self.unseen else ""


def next_page(
    definition: FormDefinition,
    answers: Answers,
    step: str,
    asked: Collection[str],
    today: date,
    *,
    back: bool = False,
    wrong: Mapping[str, Problem] | None = None,
) -> Turn:
    """What follows on sending the page that showed `step`.

    `asked` are the questions shown until then, as the page tells them: one that it doesn't name
    is shown before the form goes on, and before it is called wrong. The earliest step that has
    something wrong or unseen comes first. A page that names no step is a whole form, sent at
    once; a step that isn't walked begins anew. `back` asks for nothing but the step before.
    `wrong` are problems that are known besides, as of a file. Answers are never dropped here.
    """
    walked = walked_steps(definition, answers)
    keys = [each.key for each in walked]
    if step and step not in keys:
        return Turn(keys[0])
    at = keys.index(step) if step else len(keys) - 1
    if back:
        return Turn(keys[max(at - 1, 0)])
    found = {**problems(definition, answers, today), **(wrong or {})}
    for each in walked[: at + 1]:
        questions = questions_on(definition, each, answers)
        seen = [item for name, item in questions.items() if name in asked or not step]
        unseen = tuple(name for name in questions if name not in asked) if step else ()
        hidden = [item for item in each.fields if item.type == "hidden"]
        errors = {
            name: found[name]
            for item in each.fields
            if item in seen or item in hidden
            for name in item.inputs
            if name in found
        }
        if errors or unseen:
            return Turn(each.key, errors, unseen)
    if at + 1 < len(walked):
        return Turn(keys[at + 1])
    return Turn(keys[at], found, complete=not found)
