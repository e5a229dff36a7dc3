"""LinkedIn Lead Sync: what its notices announce, and how a response to a form is asked for.

Sources: LinkedIn's documents on Lead Sync, on webhook validation and on API versioning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lmt.ingest.fetching import GOOD, Announced, Notice, Question, Verdict, verdict_of_status
from lmt.ingest.platforms import NoLead, last_of_urn
from lmt.ingest.sourcesettings import SourceSettings
from lmt.outside import Answer

FIELDS = (
    "id,submittedAt,testLead,leadType,owner,associatedEntity,leadMetadata,"
    "versionedLeadGenFormUrn,formResponse,form:(hiddenFields,creationLocale,name,id,content)"
)
MOST_NOTICES = 200


def linkedin_notice(record: Any) -> Notice:
    """One notice, or a list of them. Raises NoLead for what is none."""
    notices = record if isinstance(record, list) else [record]
    if len(notices) > MOST_NOTICES:
        raise NoLead("too_many_leads")
    announced: dict[str, Announced] = {}
    deleted: list[str] = []
    missing: list[str] = []
    others = 0
    for number, notice in enumerate(notices):
        at = f"{number}." if isinstance(record, list) else ""
        if not isinstance(notice, Mapping):
            raise NoLead("no_object", at.rstrip("."))
        action, urn = notice.get("leadAction"), notice.get("leadGenFormResponse")
        remote_id = last_of_urn(urn)
        if action not in ("CREATED", "DELETED") and ("type" in notice or "leadAction" in notice):
            others += 1
        elif not remote_id:
            missing.append(f"{at}leadGenFormResponse")
        elif action == "DELETED":
            deleted.append(remote_id)
        else:
            form = last_of_urn(notice.get("leadGenForm"))
            announced[remote_id] = Announced(remote_id, {"form_id": form} if form else {})
    return Notice(tuple(announced.values()), tuple(deleted), tuple(missing), others)


def linkedin_question(remote_id: str, settings: SourceSettings, access_token: str) -> Question:
    """Ask the Lead Sync API for one response, with the questions that it answers."""
    number = quote(remote_id, safe="")
    return Question(
        f"{settings.linkedin_url}/rest/leadFormResponses/{number}?fields={FIELDS}",
        {
            "Authorization": f"Bearer {access_token}",
            "Accept": "application/json",
            "LinkedIn-Version": settings.linkedin_version,
            "X-Restli-Protocol-Version": "2.0.0",
        },
    )


def linkedin_verdict(answer: Answer) -> Verdict:
    """What the API said. A response that isn't there yet may come: notices overtake it."""
    if answer.status == 404:
        return Verdict("gone", again=True)
    if not answer.ok:
        return verdict_of_status(answer.status)
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, Mapping) or "formResponse" not in said:
        return Verdict("unreadable", again=True)
    return GOOD
