"""The form as HTML, the same for its own page, a frame and a script; no script is needed for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lmt.forms.answers import Answers
from lmt.forms.dealerlist import DealerList
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import CAMPAIGN_KEYS, CLICK_KEYS
from lmt.forms.parts import Asking, Section
from lmt.forms.steps import questions_on, step_named, walked_steps
from lmt.i18n import direction, gettext, language_name, ngettext, reading
from lmt.i18n import gettext as _

HONEYPOT_FIELD = "website"
"""A person leaves it empty; what fills it is a machine."""
TOKEN_FIELD = "form_token"
IDEMPOTENCY_FIELD = "idempotency_key"
LANGUAGE_FIELD = "lang"
VERSION_FIELD = "version"
STEP_FIELD = "step"
ASKED_FIELD = "asked"
BACK_FIELD = "back"


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step as it is written out; `heading` is "" for a form of one step without a title."""

    key: str
    heading: str
    shown: bool
    sections: list[Section]


def render_form(
    definition: FormDefinition,
    *,
    language: str,
    answers: Answers,
    errors: Mapping[str, str],
    token: str,
    idempotency_key: str,
    action: str,
    utm: Mapping[str, str],
    stylesheet: str,
    version: str = "",
    step: str = "",
    asked: Collection[str] = (),
    notice: str = "",
    scripted: bool = False,
    scripts: Sequence[str] = (),
    face: str = "page",
    dealers: Mapping[str, DealerList] | None = None,
    today: date | None = None,
    asked_with: Answers | None = None,
) -> str:
    """The whole page as HTML; it posts to `action`.

    `answers` fill the inputs and decide which of them are seen; `errors` (sentences by name of
    the input) are listed above with links and stand beside each input. `utm` (CAMPAIGN_KEYS and
    CLICK_KEYS; others are dropped) travels in hidden inputs. `stylesheet` is the address of what
    `lmt.forms.look.style_sheet` says. `notice` is a sentence above the form that belongs to no
    field. `step` is the one seen, the first for none that is walked; `asked` what the visitor saw
    before, as the page sent it back. A face `frame` has neither a card nor languages around it.
    `scripts` (addresses; a form's own brings its rules along) are loaded where `scripted`.
    `dealers` are those found, by key of the field. `today` is what bounds of dates count from.
    `asked_with` are the answers that the page's own address brought: it brings them along in
    another language.
    """
    shown = definition.language(language)
    values = _form_values(
        definition, shown, answers, errors, step, asked, notice, dealers, today, action
    )
    return rendered(
        "page.html",
        definition,
        shown,
        face=face,
        stylesheet=stylesheet,
        scripts=scripts if scripted else (),
        level=1,
        other_languages=(
            _other_languages(definition, shown, {**_campaign(utm), **(asked_with or {})})
            if face == "page"
            else ()
        ),
        **values,
        hidden=_hidden(shown, utm, version, token, idempotency_key),
    )


def form_fragment(
    definition: FormDefinition,
    *,
    language: str,
    action: str,
    answers: Answers | None = None,
    errors: Mapping[str, str] | None = None,
    token: str = "",
    idempotency_key: str = "",
    utm: Mapping[str, str] | None = None,
    version: str = "",
    step: str = "",
    notice: str = "",
    dealers: Mapping[str, DealerList] | None = None,
    today: date | None = None,
) -> str:
    """The form within its `<div class="lmt-form">`, for a script to put into a page; every step
    is there. The parameters are those of `render_form`."""
    shown = definition.language(language)
    values = _form_values(
        definition, shown, answers or {}, errors or {}, step, (), notice, dealers, today, action
    )
    return rendered(
        "fragment.html",
        definition,
        shown,
        level=2,
        other_languages=(),
        **values,
        hidden=_hidden(shown, utm or {}, version, token, idempotency_key),
    )


def rendered(template: str, definition: FormDefinition, language: str, **values: Any) -> str:
    """A template of this package, with the words of the form in `language`."""
    with reading(language):
        return (
            _environment()
            .get_template(template)
            .render(
                language=language,
                direction=direction(language),
                title=definition.words(definition.title, language),
                intro=definition.words(definition.intro, language),
                submit=definition.words(definition.submit, language),
                **values,
            )
        )


def _form_values(
    definition: FormDefinition,
    language: str,
    answers: Answers,
    errors: Mapping[str, str],
    step: str,
    asked: Collection[str],
    notice: str,
    dealers: Mapping[str, DealerList] | None,
    today: date | None,
    action: str,
) -> dict[str, Any]:
    """What the templates of page and fragment have in common."""
    walked = walked_steps(definition, answers)
    current = step_named(definition, answers, step)
    seen = dict.fromkeys([*asked, *questions_on(definition, current, answers)])
    with reading(language):
        asking = Asking(definition, language, answers, errors, today)
        steps = [
            _step_shown(asking, each, at, shown=each == current)
            for at, each in enumerate(definition.steps)
        ]
        problems = _listed(steps, errors)
    return {
        "action": action,
        "answers": answers,
        "dealers": dealers,
        "errors": errors,
        "notice": notice,
        "steps": steps,
        "step": current.key,
        "asked": " ".join(seen),
        "number": walked.index(current) + 1,
        "walked": len(walked),
        "problems": problems,
        "with_file": any(item.type == "file" for item in definition.fields),
        "honeypot": HONEYPOT_FIELD,
    }


def _step_shown(asking: Asking, step: StepDefinition, at: int, *, shown: bool) -> StepShown:
    heading = asking.words(step.title)
    if not heading and len(asking.definition.steps) > 1:
        heading = _("Step %(number)s", number=at + 1)
    return StepShown(step.key, heading, shown, asking.sections(step))


def _listed(steps: list[StepShown], errors: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name of the input ("" where none is seen), label and sentence of each error, in order."""
    listed: list[tuple[str, str, str]] = []
    for question in (q for step in steps for s in step.sections for q in s.questions):
        for each in (question, *question.parts):
            if each.name in errors:
                seen = each.control != "hidden"
                label = each.label if seen and each.control != "consent" else ""
                listed.append((each.name if seen else "", label, errors[each.name]))
    named = {name for name, _label, _sentence in listed}
    # What belongs to an input that a part of the page brings along, as the place of a dealer.
    listed += [(name, "", errors[name]) for name in errors if name not in named and "-" in name]
    return listed


def _hidden(
    language: str, utm: Mapping[str, str], version: str, token: str, idempotency_key: str
) -> dict[str, str]:
    fields = {
        TOKEN_FIELD: token,
        IDEMPOTENCY_FIELD: idempotency_key,
        LANGUAGE_FIELD: language,
    }
    return _campaign(utm) | fields | ({VERSION_FIELD: version} if version else {})


def _campaign(utm: Mapping[str, str]) -> dict[str, str]:
    return {key: utm[key] for key in (*CAMPAIGN_KEYS, *CLICK_KEYS) if utm.get(key)}


def _other_languages(
    definition: FormDefinition, shown: str, address: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Code, own name and address of the languages that the form speaks besides."""
    return [
        (code, _own_name(code), "?" + urlencode({LANGUAGE_FIELD: code, **address}))
        for code in definition.languages
        if code != shown
    ]


def _own_name(code: str) -> str:
    """A language's name as its own speakers write it."""
    with reading(code):
        return language_name(code).capitalize()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lmt.forms", "templates/forms"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return environment
