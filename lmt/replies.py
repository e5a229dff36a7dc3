"""What a dealer writes to the customer: a template filled for the lead, and a letter that is sent,
kept and counted as contact."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from babel.support import LazyProxy
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lmt.config import LOCALES
from lmt.db import uuid7
from lmt.donotcontact import stopped
from lmt.followup.service import touch
from lmt.i18n import best_locale, direction, reading
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.lifecycle import WORKED, IllegalStep, Status
from lmt.models import Lead, PlannedAction, Reply, ReplyTemplate, User, locked_lead, record
from lmt.notify.bidi import one_line, without_controls
from lmt.notify.facts import DealerCard, MailFacts
from lmt.notify.letter import Value
from lmt.notify.recipients import terms_of
from lmt.notify.service import tell_customer_reply
from lmt.notify.words import VARIABLES, values_of
from lmt.placeholders import fill, missing
from lmt.scope import Actor

log = structlog.get_logger(__name__)

LONGEST_SUBJECT = 200
LONGEST_BODY = 8000
MOST_A_DAY = 20
"""Letters to one customer about one lead."""
MOST_OFFERED = 100
ANSWERABLE = WORKED | {Status.RESTING}
GAP_OPENS, GAP_ENDS = "\u27e6", "\u27e7"
"""What marks a place that nobody has filled yet; a letter that holds one is not sent."""

REPLY_VARIABLES: Mapping[str, LazyProxy] = {
    name: VARIABLES[name]
    for name in (
        "name",
        "reference",
        "wish",
        "brand",
        "model",
        "dealer",
        "phone_of_dealer",
        "city_of_dealer",
        "appointment",
        "market",
    )
} | {"author": _l("The name of whoever writes")}
GAPS: Mapping[str, LazyProxy] = {
    "name": _l("the customer's name"),
    "reference": _l("the reference"),
    "wish": _l("the wish"),
    "brand": _l("the brand"),
    "model": _l("the model"),
    "dealer": _l("the dealer's name"),
    "phone_of_dealer": _l("the dealer's phone"),
    "city_of_dealer": _l("the dealer's city"),
    "appointment": _l("the appointment"),
    "market": _l("the market"),
    "author": _l("your name"),
}


class Filled(NamedTuple):
    """A template filled for a lead; `missing` are names that have no value, marked in the text."""

    subject: str
    body: str
    missing: list[str]


class BadReply(ValueError):
    """A letter that can't be sent: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def suggested(session: Session, lead: Lead, language: str, at: datetime) -> list[ReplyTemplate]:
    """The templates for this lead, the one that fits best first: of its market before those of
    all, of its brand, of its request, in this language. Those for other requests come last."""
    found = _offered(session, lead, "reply")
    return sorted(found, key=lambda each: (-_fit(each, lead, language), each.name, each.id))


def snippets(session: Session, lead: Lead, language: str) -> list[ReplyTemplate]:
    """Pieces to put into a letter, in this language, those that fit best first."""
    found = [each for each in _offered(session, lead, "snippet") if language in each.texts]
    return sorted(found, key=lambda each: (-_fit(each, lead, language), each.name, each.id))


def language_for(lead: Lead, spoken: Collection[str] = ()) -> str:
    """The customer's language, else the market's; of those in `spoken`, where there are any."""
    wanted = [lead.language, lead.market.default_language, *lead.market.languages]
    shipped = [code for tag in wanted if (code := best_locale([tag], default=""))]
    known = [code for code in shipped if not spoken or code in spoken]
    return known[0] if known else next(iter(spoken), best_locale(shipped))


def filled(
    session: Session,
    lead: Lead,
    template: ReplyTemplate,
    language: str,
    author: User,
    at: datetime,
) -> Filled:
    """The template in `language` (else the one nearest to it that it has) for this lead."""
    spoken = language if language in template.texts else language_for(lead, list(template.texts))
    return _filled(template, spoken, values_for(session, lead, author, spoken, at))


def pieces(
    session: Session, lead: Lead, language: str, author: User, at: datetime
) -> list[tuple[ReplyTemplate, str]]:
    """The snippets for this lead, filled; those that fit best first."""
    found = snippets(session, lead, language)
    values = values_for(session, lead, author, language, at) if found else {}
    return [(each, _filled(each, language, values).body) for each in found]


def _filled(template: ReplyTemplate, language: str, values: Mapping[str, str]) -> Filled:
    texts = template.texts.get(language, {})
    subject, body = texts.get("subject", ""), texts.get("body", "")
    gaps = missing(subject, values) + missing(body, values)
    return Filled(
        one_line(fill(subject, values, gap=_gap))[:LONGEST_SUBJECT],
        fill(body, values, gap=_gap)[:LONGEST_BODY],
        list(dict.fromkeys(gaps)),
    )


def values_for(
    session: Session, lead: Lead, author: User, language: str, at: datetime
) -> dict[str, str]:
    """What the variables stand for, in the customer's language and zone."""
    terms = None if lead.dealer_id is None else terms_of(session, lead.dealer_id, at)
    plan = session.scalars(
        select(PlannedAction)
        .where(
            PlannedAction.lead_id == lead.id,
            PlannedAction.done_at.is_(None),
            PlannedAction.due_at > at,
        )
        .order_by(PlannedAction.due_at)
        .limit(1)
    ).first()
    facts = MailFacts(
        written_at=at,
        reference=lead.reference,
        market=lead.market.name,
        full_name=lead.full_name,
        brand=lead.brand.name if lead.brand else "",
        model=lead.model,
        request_type=lead.request_type,
        planned=plan.kind if plan else "",
        planned_at=plan.due_at if plan else None,
        dealer=DealerCard(terms.name, phone=terms.phone, city=terms.city) if terms else None,
    )
    with reading(language, lead.timezone or lead.market.timezone):
        values = {name: _in_place(value) for name, value in values_of(facts).items()}
    return {name: values.get(name, "") for name in REPLY_VARIABLES} | {"author": author.name}


def problems_of(lead: Lead, subject: str, body: str) -> dict[str, str]:
    """What keeps a letter from being sent, by field."""
    problems = {}
    if not subject:
        problems["subject"] = _("Write a subject.")
    elif len(subject) > LONGEST_SUBJECT:
        problems["subject"] = _("Shorten this to %(most)s characters or fewer.", most=200)
    if not body:
        problems["body"] = _("Write something.")
    elif len(body) > LONGEST_BODY:
        problems["body"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_BODY)
    for field, text in (("subject", subject), ("body", body)):
        if GAP_OPENS in text or GAP_ENDS in text:
            problems.setdefault(
                field, _("Write what is missing in place of the words in ⟦ ⟧, or take them out.")
            )
    if not lead.email:
        problems["body"] = _("This customer gave no mail address.")
    return problems


def send_reply(
    session: Session,
    lead_id: uuid.UUID,
    *,
    subject: str,
    body: str,
    language: str,
    template_id: int | None,
    at: datetime,
    actor: Actor,
) -> Reply:
    """The letter goes out, is kept, and counts as contact; commits.

    Raises BadReply, IllegalStep where nobody works on the lead (an offered one is accepted first),
    LookupError where there is none to see.
    """
    lead = locked_lead(session, lead_id)
    if lead.status not in ANSWERABLE or lead.dealer_id is None:
        raise IllegalStep(Status(lead.status), Status.CONTACTED)
    subject, body = one_line(subject), without_controls(body).strip()
    problems = problems_of(lead, subject, body)
    if not problems and _wants_no_letter(session, lead):
        problems["body"] = _("This person did not ask us, and wants no mails.")
    if not problems and _written_lately(session, lead, at) >= MOST_A_DAY:
        problems["body"] = _("Enough letters were sent about this lead today. Try a call.")
    if problems:
        raise BadReply(problems)
    if template_id is not None and session.get(ReplyTemplate, template_id) is None:
        template_id = None
    reply = Reply(
        id=uuid7(at),
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        author_id=actor.user_id,
        template_id=template_id,
        language=language if language in LOCALES else language_for(lead),
        subject=subject,
        body=body,
        at=at,
    )
    session.add(reply)
    if lead.status in WORKED:
        lead.status = Status.CONTACTED
    lead.contacted_at = lead.contacted_at or at
    touch(lead, actor, at)
    record(
        session,
        lead.id,
        "replied",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        reply_id=str(reply.id),
        subject=subject,
    )
    session.flush()
    tell_customer_reply(session, lead, reply, at)
    session.commit()
    log.info("reply.sent", lead_id=str(lead.id), by=actor.user_id)
    return reply


def _offered(session: Session, lead: Lead, kind: str) -> Sequence[ReplyTemplate]:
    return session.scalars(
        select(ReplyTemplate)
        .where(
            ReplyTemplate.active,
            ReplyTemplate.kind == kind,
            or_(ReplyTemplate.market_id.is_(None), ReplyTemplate.market_id == lead.market_id),
            or_(ReplyTemplate.brand_id.is_(None), ReplyTemplate.brand_id == lead.brand_id),
        )
        .order_by(ReplyTemplate.market_id.nulls_last(), ReplyTemplate.id)
        .limit(MOST_OFFERED)
    ).all()


def _fit(template: ReplyTemplate, lead: Lead, language: str) -> int:
    """Market before brand before request before language; another request outweighs them all."""
    fit = 8 * (template.market_id is not None) + 4 * (template.brand_id is not None)
    if template.request_type:
        fit += 2 if template.request_type == lead.request_type else -32
    return fit + (language in template.texts)


def _in_place(value: Value) -> str:
    """Phones and references keep their order in a letter that runs from right to left; by marks,
    since a letter is sent without embeddings."""
    turns = value.ltr and value.text and direction() == "rtl"
    return f"\u200e{value.text}\u200e" if turns else value.text


def _gap(name: str) -> str:
    return f"{GAP_OPENS}{GAPS.get(name, name)}{GAP_ENDS}"


def _wants_no_letter(session: Session, lead: Lead) -> bool:
    """Lists stop what we begin, never the answer to somebody who asked us."""
    approached = lead.import_id is not None or lead.source.solicited
    if not approached or lead.asked_again:
        return False
    return "email" in stopped(session, phone="", email=lead.email, market_id=lead.market_id)


def _written_lately(session: Session, lead: Lead, at: datetime) -> int:
    # The bare table: what another dealer wrote counts as well.
    reply = Reply.__table__.c
    counted = select(func.count()).where(
        reply.lead_id == lead.id, reply.at > at - timedelta(days=1)
    )
    return session.scalars(counted).one()
