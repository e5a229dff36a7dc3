"""A quarantined delivery in words: why it was not taken in, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.kinds import SUSPICIOUS
from lmt.ingest.retrievals import remedy as fetch_remedy
from lmt.labels import LABELS, label
from lmt.mapping.targets import TARGETS

MAPPED = frozenset({"json", "google", "meta", "tiktok", "linkedin", "web_to_lead"})
"""Kinds of source whose fields a mapping names."""
STATUS_WORDS: Mapping[str, LazyProxy] = {
    "quarantined": _l("In quarantine"),
    "dismissed": _l("Dismissed"),
    "accepted": _l("Taken in"),
    "fetching": _l("Being fetched"),
}
STATUS_CHIPS: Mapping[str, str] = {
    "quarantined": "band-hot",
    "dismissed": "done",
    "accepted": "won",
    "fetching": "queue",
}
_BROKEN_DOCUMENT = frozenset(
    {"no_json", "no_object", "no_adf", "no_multipart", "not_text", "no_prospect", "no_answers"}
    | {"no_lead_id", "no_entry", "no_fields", "invalid", "doctype_refused"}
)
_TOO_MUCH = frozenset(
    {"too_deep", "too_large", "too_many_fields", "too_many_leads", "too_many_prospects"}
    | {"too_many_parts"}
)
SUSPICION_WORDS: Mapping[str, LazyProxy] = {
    "honeypot": _l("An input was filled that no person sees."),
    "token_missing": _l("It was sent without having been shown, or by a very old page."),
    "token_forged": _l("The signature that our page puts into the form is not ours."),
    "origin": _l("It was sent from a page that the form is not on."),
    "rate": _l("The form was sent more often than people do, by one address or from one page."),
    "text": _l("There are links where people write none, or the same text in every field."),
}
"""By the reasons of `lmt.embed.suspicion`."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What the reader said of some fields, each as (our words for it or "", its name)."""

    fields: Sequence[tuple[str, str]]
    message: str


def cause_words(code: str) -> str:
    """Why a delivery waits; a code that nobody named as it is."""
    return label("intake_problem", code) if code in LABELS["intake_problem"] else code or "–"


def what_to_do(kind: str, problem: Mapping[str, Any], *, editable: bool) -> str:
    """One sentence or two for whoever looks at the delivery of a source of this kind; `editable`
    where its text can be mended on the page."""
    code = str(problem.get("code", ""))
    if code == "fetch_failed":
        return fetch_remedy(str(problem.get("cause", "")))
    if code == SUSPICIOUS:
        return _("Read what was asked. If a person wrote it, replay the delivery; else dismiss it.")
    if code == "paused":
        return _("Let the source go on; everything that came meanwhile is then taken in.")
    if code == "failed":
        return _("This is a fault of ours. Replay it; if it fails again, the log says more.")
    if code == "mapping" or (code == "invalid" and kind in MAPPED):
        return _("Mend the mapping of the source, then replay everything that waits of it.")
    if code == "announcement":
        return _("The platform's notice came to the wrong address, or its lead was never told.")
    if code == "empty":
        return _("There is nothing to mend. Ask the sender, and dismiss it.")
    if code == "doctype_refused":
        return _(
            "Take the document type out of the text below, and ask the sender to leave it out."
        )
    if code == "no_contact" and editable:
        return _("Add a line such as “Phone: …” to the text below, or dismiss it.")
    if code == "table":
        return _("Import the attached file by hand, then dismiss this.")
    if code in _TOO_MUCH:
        return _("Ask the sender to send less at once.")
    if code in _BROKEN_DOCUMENT and not editable:
        return _("Ask the sender to mend and repeat it, then dismiss this one.")
    if code in _BROKEN_DOCUMENT:
        return _("Mend the text below, or ask the sender to mend and repeat it.")
    return _("Replay it; if that doesn't help, ask the sender.")


def field_errors(problem: Mapping[str, Any]) -> list[FieldError]:
    """What the reader said of single fields: each sentence once."""
    told: dict[str, list[tuple[str, str]]] = {}
    for error in problem.get("errors") or ():
        name = str(error.get("field", ""))
        target = TARGETS.get(name)
        message = str(error.get("message") or _reason(problem, str(error.get("code") or "")))
        fields = told.setdefault(message, [])
        if name:
            fields.append(("" if target is None else str(target.words), name))
    return [FieldError(fields, message) for message, fields in told.items()]


def _reason(problem: Mapping[str, Any], code: str) -> str:
    """Why it looks like a machine's, in words; any other code as it is."""
    return str(SUSPICION_WORDS.get(code, code)) if problem.get("code") == SUSPICIOUS else code
