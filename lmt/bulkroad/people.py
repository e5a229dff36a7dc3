"""Colleagues of dealers that give their leads to persons: read for many dealers at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.models import Lead
from lmt.routing.candidate import LeadFacts
from lmt.routing.colleague import Away, Colleague, colleague_for

# As `lmt.routing.staff` asks for one dealer; nobody comes of those that give leads to their team.
_PEOPLE = text(
    """
    SELECT terms.dealer_id, scope.brands, person.id, person.skills, person.languages,
           (SELECT json_agg(json_build_array(starts_at, ends_at, deputy_id) ORDER BY id)
            FROM absence WHERE user_id = person.id AND ends_at > :at),
           (SELECT count(*) FROM lead
            WHERE owner_id = person.id AND status IN ('offered', 'accepted', 'contacted')),
           (SELECT max(offered_at) FROM lead WHERE owner_id = person.id)
    FROM dealer_terms AS terms
    CROSS JOIN LATERAL (
        SELECT user_id, array_agg(brand_id) AS brands FROM user_scope
        WHERE dealer_id = terms.dealer_id GROUP BY user_id
    ) AS scope
    JOIN "user" AS person ON person.id = scope.user_id
    WHERE terms.dealer_id = ANY(CAST(:ids AS int[])) AND terms.valid @> CAST(:at AS timestamptz)
      AND terms.assign_to = 'colleague' AND person.active
      AND EXISTS (SELECT 1 FROM role_user JOIN role ON role.id = role_user.role_id
                  WHERE role_user.user_id = person.id AND 'lead.work' = ANY(role.permissions))
    ORDER BY terms.dealer_id, person.id
    """
)


@dataclass(slots=True)
class Staff:
    """The people of some dealers, and how many leads each has by now."""

    people: dict[int, Colleague] = field(default_factory=dict)
    at_dealer: dict[int, list[tuple[int, frozenset[int | None]]]] = field(default_factory=dict)
    """By dealer: people, with the brands that they work for; None is every brand."""

    def give(self, lead: Lead, dealer_id: int, at: datetime) -> int | None:
        """The id of the colleague who gets the lead, counted; None leaves it to the team."""
        wanted = {None, lead.brand_id}
        theirs = self.at_dealer.get(dealer_id, ())
        colleagues = [self.people[id] for id, brands in theirs if not wanted.isdisjoint(brands)]
        if not colleagues:
            return None
        facts = LeadFacts(
            lat=None,
            lon=None,
            service=lead.service,
            band=lead.band,
            language=lead.language,
            asked_at=lead.created_at,
        )
        chosen = colleague_for(facts, colleagues, at).id
        if chosen is not None:
            before = self.people[chosen]
            given_at = at if before.last_given_at is None else max(before.last_given_at, at)
            self.people[chosen] = replace(
                before, open_leads=before.open_leads + 1, last_given_at=given_at
            )
        return chosen


def staff_of(session: Session, dealer_ids: Collection[int], at: datetime) -> Staff:
    """The colleagues of those of the dealers that give leads to persons."""
    staff = Staff()
    rows = session.execute(_PEOPLE, {"ids": list(dealer_ids), "at": at})
    for dealer_id, brands, id, skills, languages, absences, open_leads, last_given_at in rows:
        staff.at_dealer.setdefault(dealer_id, []).append((id, frozenset(brands)))
        staff.people[id] = Colleague(
            id=id,
            skills=frozenset(skills),
            languages=frozenset(languages),
            absences=tuple(_away(each) for each in absences or ()),
            open_leads=open_leads,
            last_given_at=last_given_at,
        )
    return staff


def _away(plain: list[Any]) -> Away:
    starts_at, ends_at, deputy_id = plain
    return Away(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at), deputy_id)
