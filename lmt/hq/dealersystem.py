"""Headquarters' page of a dealer's own system: set it up, try it, see what it took."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lmt import dealers as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.dealer import edited, typed
from lmt.hq.sourceform import show_once, shown_once
from lmt.hq.sourcewords import ChangeRow, changes_of
from lmt.i18n import format_number
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.keys import key_hash, new_key
from lmt.models import Dealer, DealerSystem, DealerTerms, Lead, Message
from lmt.notify.adfout import adf_document
from lmt.notify.envelope import BadAddress, File, envelope
from lmt.notify.letter import Rendered
from lmt.notify.postanswer import Verdict
from lmt.notify.posting import posted, prepared
from lmt.notify.systems import ATTACHED_TYPE, SYSTEM_KIND
from lmt.notify.systemsettings import set_key, set_up, stop, system_problems
from lmt.notify.transport import DeliveryError, deliver
from lmt.outside import Outside
from lmt.sealing import Broken

LAST_DELIVERIES = 20
SHOWN_CHARACTERS = 1_000
_FIELD_WORDS = {
    "transport": _l("How"),
    "address": _l("Address"),
    "authorization": _l("Authorization header"),
    "active": _l("Runs"),
    "cause": _l("Cause"),
}
_VALUE_WORDS = {
    "post": _l("By POST over HTTPS"),
    "mail": _l("By mail"),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test: `words` for people, `said` as the system answered it."""

    went_well: bool
    words: str
    said: str = ""


@blueprint.get("/dealers/<code>/system")
@web.require(verbs.PERMISSION)
def dealer_system(code: str) -> ResponseReturnValue:
    return _page(*edited(code))


@blueprint.post("/dealers/<code>/system")
@web.require(verbs.PERMISSION)
def save_dealer_system(code: str) -> ResponseReturnValue:
    row, terms = edited(code)
    given = typed()
    transport, address = given.get("transport", ""), given.get("address", "")
    authorization = given.get("authorization", "")
    problems = system_problems(
        transport, address, authorization, private_targets=web.settings().private_targets
    )
    if problems:
        return _page(row, terms, given=given, problems=problems), 422
    forgets = transport == "mail" or given.get("forget") == "yes"
    before = _system(row)
    had = before is not None and bool(before.secrets)
    system = set_up(
        web.db(),
        row,
        transport=transport,
        address=address,
        authorization="" if forgets else authorization or None,
        secret_key=web.settings().secret_key,
        at=web.at(),
        actor=web.actor(),
    )
    flash(_("Saved. New leads of this dealer go to its own system, too."), "success")
    if had and not system.secrets and not forgets:
        flash(_("The authorization was for another server. Set it anew."), "warning")
    return redirect(url_for("hq.dealer_system", code=code))


@blueprint.post("/dealers/<code>/system/stop")
@web.require(verbs.PERMISSION)
def stop_dealer_system(code: str) -> ResponseReturnValue:
    row, _terms = edited(code)
    try:
        stop(web.db(), row, at=web.at(), actor=web.actor())
    except LookupError:
        return redirect(url_for("hq.dealer_system", code=code))
    flash(_("Stopped. The dealer finds its leads in its mails and on its desk."), "success")
    return redirect(url_for("hq.dealer_system", code=code))


@blueprint.post("/dealers/<code>/system/key")
@web.require(verbs.PERMISSION)
def new_dealer_system_key(code: str) -> ResponseReturnValue:
    row, _terms = edited(code)
    key = new_key()
    try:
        set_key(web.db(), row, key_hash(key), at=web.at(), actor=web.actor())
    except LookupError:
        return redirect(url_for("hq.dealer_system", code=code))
    show_once(_once(code), key)
    return redirect(url_for("hq.dealer_system", code=code, _anchor="h-key"))


@blueprint.post("/dealers/<code>/system/test")
@web.require(verbs.PERMISSION)
def test_dealer_system(code: str) -> ResponseReturnValue:
    """A made-up prospect leaves at once, and the answer is shown."""
    row, terms = edited(code)
    system = _system(row)
    if system is None:
        return redirect(url_for("hq.dealer_system", code=code))
    return _page(row, terms, tried=_try(system, row, terms))


def _try(system: DealerSystem, row: Dealer, terms: DealerTerms) -> Tried:
    body = test_document(terms.name, row.code, web.at().isoformat(timespec="seconds"))
    if system.transport == "mail":
        return _try_by_mail(system, body)
    try:
        request = prepared(system, web.settings().secret_key, f"test-{uuid.uuid4()}", body)
    except Broken:
        return Tried(False, _("The authorization can't be read any more. Set it anew."))
    web.db().commit()  # no transaction waits for another machine
    began = time.monotonic()
    said, answer = posted(Outside(web.settings().private_targets), request, web.at())
    seconds = format_number(time.monotonic() - began, 1)
    if answer is None:
        return Tried(False, _("No answer: %(why)s.", why=said.problem))
    words = _(
        "It answered HTTP %(status)s in %(seconds)s s.", status=answer.status, seconds=seconds
    )
    text = answer.body.decode("utf-8", "replace")[:SHOWN_CHARACTERS]
    shown = "".join(sign if sign in "\n\t" or sign.isprintable() else "\ufffd" for sign in text)
    return Tried(said.verdict is Verdict.TAKEN, words, shown.strip())


def _try_by_mail(system: DealerSystem, body: bytes) -> Tried:
    mail = Rendered(subject="ADF TEST", text=body.decode("utf-8"), html="")
    try:
        message = envelope(
            mail,
            message_id=uuid.uuid4(),
            sender=web.settings().mail_from,
            recipient=system.address,
            language="en",
            at=web.at(),
            files=[File("TEST.xml", ATTACHED_TYPE, body)],
        )
        deliver(web.settings(), message)
    except (DeliveryError, BadAddress) as problem:
        return Tried(False, _("The mail did not leave: %(why)s.", why=str(problem)))
    return Tried(True, _("The mail has left."))


def test_document(dealer: str, code: str, at: str) -> bytes:
    """ADF of a made-up person whose address belongs to nobody; it says that it is a test."""
    return adf_document(
        {
            "sent_at": at,
            "customer": {
                "first_name": "Test",
                "last_name": "Lead",
                "full_name": "Test Lead",
                "email": "test.lead@example.com",
            },
            "request": {"comments": "This is a test of LMT. Nobody asked for anything."},
            "attributes": {"vendor": dealer, "vendor_ids": [f"LMT:{code}"]},
        },
        reference="TEST",
    )


def _page(
    row: Dealer,
    terms: DealerTerms,
    *,
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    tried: Tried | None = None,
) -> str:
    system = _system(row)
    filled = given if given is not None else _filled_in(system)
    return render_template(
        "hq/dealer_system.html",
        dealer=row,
        terms=terms,
        system=system,
        given=filled,
        problems=problems or {},
        tried=tried,
        key=shown_once(_once(row.code)),
        deliveries=_deliveries(row),
        history=_history(row),
        status_address=f"{web.settings().base_url}/api/v1/leads/K7QF-2M9D/status",
    )


def _history(row: Dealer) -> list[ChangeRow]:
    """The latest first, in this page's words."""
    return [
        replace(
            change,
            changes=[
                replace(
                    each,
                    words=str(_FIELD_WORDS.get(each.words, each.words)),
                    before=str(_VALUE_WORDS.get(each.before, each.before)),
                    after=str(_VALUE_WORDS.get(each.after, each.after)),
                )
                for each in change.changes
            ],
        )
        for change in changes_of(web.db(), "dealer_system", row.code)
    ]


def _filled_in(system: DealerSystem | None) -> Mapping[str, str]:
    if system is None:
        return {"transport": "post"}
    return {"transport": system.transport, "address": system.address}


def _system(row: Dealer) -> DealerSystem | None:
    return web.db().get(DealerSystem, row.id)


def _deliveries(row: Dealer) -> Sequence[Message]:
    return (
        web.db()
        .scalars(
            select(Message)
            .options(joinedload(Message.lead).load_only(Lead.reference))
            .where(Message.dealer_id == row.id, Message.kind == SYSTEM_KIND)
            .order_by(Message.id.desc())
            .limit(LAST_DELIVERIES)
        )
        .all()
    )


def _once(code: str) -> str:
    """Under what the key is kept until it was shown: no source is called so."""
    return f"dealer system {code}"
