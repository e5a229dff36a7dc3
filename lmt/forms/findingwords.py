"""What was found in a form, in the reader's words: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.support import LazyProxy

from lmt.forms.findings import Finding
from lmt.i18n import format_number, language_name, ngettext
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l

SEVERITY_WORDS: Mapping[str, LazyProxy] = {
    "error": _l("Must be mended"),
    "warning": _l("Worth a look"),
}

_PLAIN: Mapping[str, LazyProxy] = {
    "no_fields": _l("The form asks nothing yet. Add a field."),
    "reach": _l("Nobody could be reached: add a field for the phone or the email address."),
    "no_place": _l(
        "Nothing tells where the person is, so a dealer is hard to find. Ask for the city, the "
        "postcode, the address or the dealer."
    ),
    "no_title": _l("The form has no title."),
}
_NAMED: Mapping[str, LazyProxy] = {
    "no_step": _l("The step “%(name)s” has no title."),
    "no_label": _l("The field “%(name)s” has no label."),
    "no_option": _l("An option of “%(name)s” has no words."),
    "consent_text": _l("The consent “%(name)s” has no text that one could agree to."),
    "consent_purpose": _l("The consent “%(name)s” doesn't say what for."),
    "one_option": _l("“%(name)s” offers one option only, which is no choice."),
    "hidden_empty": _l("The hidden field “%(name)s” has no value and can't be given one."),
    "empty_step": _l("The step “%(name)s” asks nothing."),
    "never_step": _l("The step “%(name)s” is never shown: its condition can't hold."),
    "never_field": _l("“%(name)s” is never shown: its condition can't hold."),
}
_TOKENS: Mapping[str, LazyProxy] = {
    "contrast_text": _l(
        "The text is hard to read on the background: the contrast is %(ratio)s, %(least)s is "
        "needed. The text could be %(suggested)s."
    ),
    "contrast_accent": _l(
        "The accent colour is hard to see on the background: the contrast is %(ratio)s, %(least)s "
        "is needed. It could be %(suggested)s."
    ),
}


def finding_words(finding: Finding, name: str) -> str:
    """Whole sentences; `name` is what the reader calls the field or step it is about."""
    facts: dict[str, Any] = {**finding.facts, "name": name}
    if finding.code in _PLAIN:
        return str(_PLAIN[finding.code])
    if finding.code in _NAMED:
        return str(_NAMED[finding.code]) % facts
    if finding.code in _TOKENS:
        shown = {each: format_number(facts[each]) for each in ("ratio", "least")}
        return str(_TOKENS[finding.code]) % {**facts, **shown}
    return _counted(finding.code, facts)


def _counted(code: str, facts: Mapping[str, Any]) -> str:
    if code == "untranslated":
        return ngettext(
            "%(num)s text is missing in %(language)s.",
            "%(num)s texts are missing in %(language)s.",
            facts["count"],
            language=language_name(facts["language"]),
        )
    if code == "consent_language":
        return _(
            "The consent “%(name)s” has no text in %(language)s: people must agree to what they "
            "can read.",
            name=facts["name"],
            language=language_name(facts["language"]),
        )
    if code == "many_fields":
        return ngettext(
            "The step “%(name)s” has %(num)s field, which is a lot at once.",
            "The step “%(name)s” has %(num)s fields, which is a lot at once.",
            facts["count"],
            name=facts["name"],
        )
    if code == "long_label":
        return _(
            "The label of “%(name)s” is longer than %(most)s characters; part of it may be help.",
            name=facts["name"],
            most=format_number(facts["most"]),
        )
    raise KeyError(code)
