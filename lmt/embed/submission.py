"""An answered form on its way to become a lead: read, checked, looked at, taken in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.orm import Session

from lmt import web
from lmt.embed import files, rates, suspicion
from lmt.embed.origins import foreign_origin
from lmt.embed.shown import ShownForm, asked_language, asked_zone
from lmt.embed.visit import campaign
from lmt.forms.answers import given_answers, shown_fields
from lmt.forms.lead import lead_of
from lmt.forms.page import HONEYPOT_FIELD, IDEMPOTENCY_FIELD, TOKEN_FIELD
from lmt.forms.problemwords import problem_words
from lmt.forms.rules import Problem, problems
from lmt.forms.token import token_problem
from lmt.ingest import machines
from lmt.ingest.accept import Delivery, earlier, quarantine
from lmt.ingest.arrival import Told
from lmt.ingest.kinds import SUSPICIOUS, reader_of

FORM_WAIT_SECONDS = 2
"""A visitor sees the dealer's name when routing is this quick; the status page tells it later."""
LONGEST_KEY = 64
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Submission:
    """What a visitor sent of a form. `answers` by name of the input; `refused` are files that
    can't be taken; `key` makes sending it twice one lead; `token` is what TOKEN_FIELD said and
    `token_problem` what is wrong with it (`lmt.forms.token.PROBLEMS`)."""

    shown: ShownForm
    answers: Mapping[str, str]
    refused: Mapping[str, Problem]
    campaign: Mapping[str, str]
    key: str
    token: str
    token_problem: str | None
    honeypot: str
    language: str
    zone: str

    @property
    def today(self) -> date:
        """The visitor's day, else the market's."""
        zone = self.zone or self.shown.form.source.market.timezone
        return web.at().astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a submission. `lead` is None while a person or a paused source has it;
    `known`: its customer had asked before, and the visitor may be anybody."""

    lead: Told | None = None
    known: bool = False
    review: bool = False
    repeated: bool = False


def read_submission(
    session: Session, shown: ShownForm, at: datetime, *, keep: bool = True
) -> Submission:
    """The request as a submission. Files that can be taken are kept at once, so that a visitor
    without scripts, who goes from step to step, need not send them again; not without `keep`."""
    sent, definition, secret = request.form, shown.definition, web.settings().secret_key
    key = _key(sent.get(IDEMPOTENCY_FIELD, ""))
    uploads, refused = files.files_sent(definition, request.files if keep else {})
    files.keep_files(session, secret, shown.form.id, key, uploads.values(), at)
    named = {item.key for item in files.file_fields(definition) if sent.get(item.key)}
    described = files.kept_files(session, secret, shown.form.id, key, named | uploads.keys())

    def values_of(name: str) -> list[str]:
        field = name.removesuffix("-size")
        if field in described and field not in refused:
            return [str(described[field][name != field])]
        return [] if field in file_inputs else sent.getlist(name)

    file_inputs = {item.key for item in files.file_fields(definition)}
    token = sent.get(TOKEN_FIELD, "")[:500]
    return Submission(
        shown=shown,
        answers=given_answers(definition, values_of),
        refused=refused,
        campaign=campaign(sent),
        key=key,
        token=token,
        token_problem=token_problem(secret, token, shown.form.code, shown.version.number, at),
        honeypot=sent.get(HONEYPOT_FIELD, ""),
        language=asked_language(definition),
        zone=asked_zone(),
    )


def errors_of(submission: Submission) -> dict[str, str]:
    """What is wrong with the answers, in the visitor's words, by name of the input in the form's
    order; empty when all is well."""
    definition, answers = submission.shown.definition, submission.answers
    asked = shown_fields(definition, answers)
    refused = {name: why for name, why in submission.refused.items() if name in asked}
    return words_of(submission, {**problems(definition, answers, submission.today), **refused})


def words_of(submission: Submission, found: Mapping[str, Problem]) -> dict[str, str]:
    """The problems in the visitor's words, in the form's order."""
    definition = submission.shown.definition
    return {
        name: problem_words(found[name], item, definition, submission.language)
        for item in definition.fields
        for name in item.inputs
        if name in found
    }


def take(session: Session, submission: Submission, at: datetime) -> Taken:
    """Make checked answers a lead through the door of every delivery, or keep what looks like a
    machine's for a person. Raises machines.Problem where neither could be done.

    The same submission again, at once or after going back, is the same lead.
    """
    form = submission.shown.form
    delivery = _delivery(session, submission, at)
    if why := _suspicion(submission):
        known = earlier(session, form.source, delivery, at)
        if known is None:
            told = [{"field": "", "code": reason} for reason in why]
            quarantine(session, form.source, delivery, {"code": SUSPICIOUS, "errors": told}, at)
            return Taken(review=True)
        receipt, leads = known, known.leads
    else:
        read = reader_of(form.source, JSON)
        try:
            receipt, found = machines.take_in(session, form.source, delivery, read)
        except machines.Kept:
            return Taken()
        except machines.Problem as problem:
            if "intake" not in problem.extra:
                raise
            # It broke us and is kept: sending it again mends nothing, a person does.
            return Taken(review=True)
        leads = tuple(found)
    if not leads:
        # Its lead was forgotten meanwhile.
        return Taken(repeated=True)
    if leads[0].joined:
        # Anybody can type somebody else's phone: who asked first has the link, by mail.
        return Taken(known=True, repeated=receipt.repeated)
    machines.wait_for(session, leads, FORM_WAIT_SECONDS)
    return Taken(leads[0], repeated=receipt.repeated)


def is_from_elsewhere(submission: Submission) -> bool:
    """Was it sent by a page that the form isn't on?"""
    origin = request.headers.get("Origin", "")
    base_url = web.settings().base_url
    return foreign_origin(submission.shown.form, origin, base_url, request.host)


def _suspicion(submission: Submission) -> tuple[str, ...]:
    shown, origin = submission.shown, request.headers.get("Origin", "")
    facts = suspicion.Facts(
        honeypot=submission.honeypot,
        token=submission.token_problem,
        foreign_origin=is_from_elsewhere(submission),
        over_rate=rates.is_over_rate(shown.form.code, origin),
        answers=submission.answers,
    )
    return suspicion.reasons(shown.definition, facts)


def _delivery(session: Session, submission: Submission, at: datetime) -> Delivery:
    """The lead's JSON: the same bytes whenever the same answers are sent with the same key."""
    shown = submission.shown
    lead = lead_of(
        shown.definition,
        {**submission.answers, **submission.campaign},
        language=submission.language,
    )
    asked = shown_fields(shown.definition, submission.answers)
    sent = [
        item
        for item in files.file_fields(shown.definition)
        if item.key in asked and submission.answers.get(item.key)
    ]
    secret = web.settings().secret_key
    lead["attributes"] |= files.hand_over(session, secret, shown.form.id, submission.key, sent, at)
    lead["form"] = {"code": shown.form.code, "version_id": shown.version.id}
    body = json.dumps({"form": shown.form.code, "lead": lead}, ensure_ascii=False)
    return Delivery(
        body=body.encode("utf-8", "replace"), content_type=JSON, key=f"form:{submission.key}"
    )


def _key(given: str) -> str:
    """What the page or its script made up for this submission; one of our own where it didn't."""
    key = given[:LONGEST_KEY]
    return key if key.isprintable() and key.strip() else uuid.uuid4().hex
