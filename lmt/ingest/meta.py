"""Meta Lead Ads: what its notices announce, and how the Graph API is asked for an answered form.

Sources: Meta's documents on webhooks, on retrieving leads, and on handling errors of the Graph API.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lmt.ingest.fetching import GOOD, Announced, Notice, Question, Verdict, verdict_of_status
from lmt.ingest.platforms import NoLead, text_id
from lmt.ingest.signatures import appsecret_proof
from lmt.ingest.sourcesettings import SourceSettings
from lmt.outside import Answer

FIELDS = (
    "id",
    "created_time",
    "form_id",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "campaign_id",
    "campaign_name",
    "platform",
    "is_organic",
    "field_data",
    "custom_disclaimer_responses",
)
MOST_CHANGES = 1_000
_ABOUT = ("form_id", "ad_id", "adgroup_id", "page_id", "created_time")
_BUSY = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_LATER = frozenset({1, 2, 368})
_TOKEN = frozenset({102, 190, 463, 467})
_NOT_THERE = 33
"""The subcode of "does not exist, cannot be loaded due to missing permissions"."""


def meta_notice(record: Any, page_ids: Collection[str] = ()) -> Notice:
    """The changes of a delivery: batched, of any field, ids as numbers or strings.

    With `page_ids`, leads of other pages count as foreign. Raises NoLead for what is no notice.
    """
    entries = record.get("entry") if isinstance(record, Mapping) else None
    if not isinstance(entries, list):
        raise NoLead("no_entry", "entry")
    announced: dict[str, Announced] = {}
    missing: list[str] = []
    others = foreign = seen = 0
    for e, entry in enumerate(entries):
        changes = entry.get("changes") if isinstance(entry, Mapping) else None
        for c, change in enumerate(changes if isinstance(changes, list) else ()):
            seen += 1
            if seen > MOST_CHANGES:
                raise NoLead("too_many_leads", "entry")
            if not isinstance(change, Mapping) or change.get("field") != "leadgen":
                others += 1
                continue
            value = change.get("value")
            value = value if isinstance(value, Mapping) else {}
            page = text_id(value.get("page_id")) or text_id(entry.get("id"))
            remote_id = text_id(value.get("leadgen_id"))
            if page_ids and page not in page_ids:
                foreign += 1
            elif not remote_id:
                missing.append(f"entry.{e}.changes.{c}.value.leadgen_id")
            else:
                context = {name: text_id(value.get(name)) for name in _ABOUT}
                context["page_id"] = page
                told = {name: text for name, text in context.items() if text}
                announced.setdefault(remote_id, Announced(remote_id, told))
    return Notice(tuple(announced.values()), (), tuple(missing), others, foreign)


def meta_question(
    remote_id: str, settings: SourceSettings, access_token: str, app_secret: str = ""
) -> Question:
    """Ask the Graph API for one answered form. The token goes into a header, since addresses are
    written into logs on the way; `app_secret` proves that we are the app it was made for."""
    query = {"fields": ",".join(FIELDS)}
    if app_secret:
        query["appsecret_proof"] = appsecret_proof(app_secret, access_token)
    path = f"{settings.graph_version}/{quote(remote_id, safe='')}"
    return Question(
        f"{settings.graph_url}/{path}?{urlencode(query, safe=',')}",
        {"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
    )


def meta_verdict(answer: Answer) -> Verdict:
    """What the Graph API said, by the codes of its errors rather than by the status."""
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    error = said.get("error") if isinstance(said, Mapping) else None
    if isinstance(error, Mapping):
        return _verdict_of_code(error, answer.status)
    if not answer.ok:
        return verdict_of_status(answer.status)
    if not isinstance(said, Mapping) or "field_data" not in said:
        return Verdict("unreadable", again=True)
    return GOOD


def _verdict_of_code(error: Mapping[str, Any], status: int) -> Verdict:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    if code in _BUSY:
        return Verdict("busy", again=True)
    if code in _LATER or error.get("is_transient") is True or status >= 500:
        return Verdict("unavailable", again=True)
    if code in _TOKEN:
        return Verdict("token")
    if code in {3, 10} or 200 <= code < 300:
        return Verdict("permission")
    if code == 100 and subcode == _NOT_THERE:
        return Verdict("gone")
    return verdict_of_status(status) if status >= 400 else Verdict("refused")


def _number(value: Any) -> int:
    text = text_id(value)
    return int(text) if text.isdecimal() and len(text) < 10 else 0
