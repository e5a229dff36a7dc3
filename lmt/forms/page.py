"""The form as a page of its own: in the customer's language, on a phone first, without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from lmt.forms.definition import CAMPAIGN_KEYS, FieldDefinition, FormDefinition
from lmt.i18n import direction, format_day_time, gettext, language_name, ngettext, reading

HONEYPOT_FIELD = "website"
"""A person leaves it empty; what fills it is a machine."""
TOKEN_FIELD = "form_token"
IDEMPOTENCY_FIELD = "idempotency_key"
LANGUAGE_FIELD = "lang"
STYLESHEET = "/r/static/customer.css"

AUTOCOMPLETE = {
    "name": "name",
    "email": "email",
    "phone": "tel",
    "postcode": "postal-code",
    "city": "address-level2",
    "country": "country",
}
_INPUT_TYPES = {"email": "email", "phone": "tel"}


def render_form(
    definition: FormDefinition,
    *,
    language: str,
    answers: Mapping[str, str],
    errors: Mapping[str, str],
    token: str,
    idempotency_key: str,
    action: str,
    utm: Mapping[str, str],
    stylesheet: str = STYLESHEET,
    notice: str = "",
) -> str:
    """The whole page as HTML; it posts to `action`.

    `answers` fill the fields, `errors` are those of `check`, shown above with links and beside
    each field. `utm` (CAMPAIGN_KEYS; others are dropped) travels in hidden fields. `notice` is a
    sentence above the form that belongs to no field ("please send it once more").
    """
    shown = definition.language(language)
    campaign = {key: utm[key] for key in CAMPAIGN_KEYS if utm.get(key)}
    return _page(
        "page.html",
        definition,
        shown,
        stylesheet,
        fields=definition.fields,
        answers=answers,
        errors=errors,
        notice=notice,
        action=action,
        hidden=campaign
        | {
            TOKEN_FIELD: token,
            IDEMPOTENCY_FIELD: idempotency_key,
            LANGUAGE_FIELD: shown,
        },
        honeypot=HONEYPOT_FIELD,
        autocomplete=AUTOCOMPLETE,
        input_types=_INPUT_TYPES,
        grouped=_grouped,
        either=_either(definition),
        other_languages=[
            (code, _own_name(code), "?" + urlencode({LANGUAGE_FIELD: code, **campaign}))
            for code in definition.languages
            if code != shown
        ],
    )


def render_thanks(
    definition: FormDefinition,
    *,
    language: str,
    reference: str = "",
    status_url: str = "",
    dealer: str = "",
    respond_by: datetime | None = None,
    timezone: str = "UTC",
    known: bool = False,
    stylesheet: str = STYLESHEET,
) -> str:
    """The page after sending. `dealer` and `respond_by` (told in `timezone`) are named where the
    lead was routed by now; `status_url` leads to the customer's page, which will know later.

    `known`: the customer has asked before. Then nothing of that request is shown, as the visitor
    may be anybody.
    """
    shown = definition.language(language)
    with reading(shown, timezone):
        until = format_day_time(respond_by) if respond_by else ""
    return _page(
        "thanks.html",
        definition,
        shown,
        stylesheet,
        reference=reference,
        dealer=dealer,
        until=until,
        status_url=status_url,
        known=known,
        isolated=lambda name: Markup("<bdi>{}</bdi>").format(name),
    )


def _page(
    template: str, definition: FormDefinition, language: str, stylesheet: str, **values: Any
) -> str:
    with reading(language):
        return (
            _environment()
            .get_template(template)
            .render(
                language=language,
                direction=direction(language),
                stylesheet=stylesheet,
                title=definition.words(definition.title, language),
                intro=definition.words(definition.intro, language),
                submit=definition.words(definition.submit, language),
                words=lambda words: definition.words(words, language),
                **values,
            )
        )


def _grouped(item: FieldDefinition) -> list[tuple[Any, list[Any]]]:
    """The options in runs of one group."""
    return [(group, list(run)) for group, run in groupby(item.options, key=lambda o: o.group)]


def _either(definition: FormDefinition) -> frozenset[str]:
    """Fields of which one is enough, so that neither is called optional."""
    ways = [item for item in definition.fields if item.type in {"phone", "email"}]
    if len(ways) < 2 or any(item.required for item in ways):
        return frozenset()
    return frozenset(item.key for item in ways)


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
