"""Inside the dealer, the shell: gathers its people and asks which of them gets the lead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.models import Lead
from lmt.routing.candidate import LeadFacts
from lmt.routing.colleague import Away, Colleague, ColleagueChoice, colleague_for

# Nobody comes of it where the dealer gives leads to its team.
_PEOPLE = text(
    """
    SELECT person.id, person.skills, person.languages,
           (SELECT json_agg(json_build_array(starts_at, ends_at, deputy_id) ORDER BY id)
            FROM absence WHERE user_id = person.id AND ends_at > :at),
           (SELECT count(*) FROM lead
            WHERE owner_id = person.id AND status IN ('offered', 'accepted', 'contacted')
              AND id <> :lead_id),
           (SELECT max(offered_at) FROM lead WHERE owner_id = person.id AND id <> :lead_id)
    FROM "user" AS person
    WHERE person.active
      AND EXISTS (SELECT 1 FROM dealer_terms WHERE dealer_id = :dealer_id
                  AND valid @> CAST(:at AS timestamptz) AND assign_to = 'colleague')
      AND EXISTS (SELECT 1 FROM user_scope WHERE user_id = person.id AND dealer_id = :dealer_id
                  AND (brand_id IS NULL OR brand_id = :brand_id))
      AND EXISTS (SELECT 1 FROM role_user JOIN role ON role.id = role_user.role_id
                  WHERE role_user.user_id = person.id AND 'lead.work' = ANY(role.permissions))
    ORDER BY person.id
    """
)


def colleague_of(session: Session, lead: Lead, dealer_id: int, at: datetime) -> int | None:
    """The id of the person at the dealer who gets the lead; None leaves it to the team.

    Counts what is written: call it after the lead's former owner is. Only a dealer whose terms
    say so gives its leads to one colleague.
    """
    return choose_colleague(session, lead, dealer_id, at).id


def choose_colleague(session: Session, lead: Lead, dealer_id: int, at: datetime) -> ColleagueChoice:
    """`colleague_of`, with why it is none of the others."""
    people = session.execute(
        _PEOPLE,
        {"dealer_id": dealer_id, "brand_id": lead.brand_id, "lead_id": lead.id, "at": at},
    )
    colleagues = [
        Colleague(
            id=number,
            skills=frozenset(skills),
            languages=frozenset(languages),
            absences=tuple(_away(each) for each in absences or ()),
            open_leads=open_leads,
            last_given_at=last_given_at,
        )
        for number, skills, languages, absences, open_leads, last_given_at in people
    ]
    asked = LeadFacts(
        lat=None,
        lon=None,
        service=lead.service,
        band=lead.band,
        language=lead.language,
        asked_at=lead.created_at,
    )
    return colleague_for(asked, colleagues, at)


def _away(plain: list[Any]) -> Away:
    starts_at, ends_at, deputy_id = plain
    return Away(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at), deputy_id)
