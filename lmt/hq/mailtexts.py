"""The words of the mails: a market's own in each language, tried on a real lead before they are
sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import func, select

from lmt import i18n, web
from lmt import mailtexts as verbs
from lmt.config import LOCALES
from lmt.db import uuid7_floor
from lmt.hq.blueprint import blueprint
from lmt.hq.mailtextlist import market_of, places
from lmt.hq.sourcewords import changes_of
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Lead, MailText, Market, Message
from lmt.notify.mails import KINDS
from lmt.notify.ownwords import own_words
from lmt.notify.proofs import PROOF_KIND, previewed, send_proof
from lmt.notify.words import BLOCKS, LONGEST, PARTS, VARIABLES, parts_of, problems_of, variables_of

FRAMED = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    )
)
"""A mail is shown as mail programs show it: with its own styles, and nothing that runs."""
MOST_TESTS = 20
"""Tests of mails that somebody may have sent to themselves within an hour."""
WIDTHS = (("phone", _l("Phone")), ("desktop", _l("Desktop")))


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose words of which mail: the path of every page here. `market` None: the installation."""

    kind: str
    code: str
    market: Market | None

    @property
    def market_id(self) -> int | None:
        return self.market.id if self.market else None

    @property
    def languages(self) -> list[str]:
        """Those that its readers speak."""
        if self.market is None:
            return list(LOCALES)
        return [code for code in self.market.languages if code in LOCALES]

    def address(self, **more: Any) -> str:
        return url_for("hq.mail_text", kind=self.kind, market=self.code, **more)


@blueprint.get("/mail-texts/<kind>/<market>")
@web.require(verbs.PERMISSION)
def mail_text(kind: str, market: str) -> ResponseReturnValue:
    return _page(_subject(kind, market))


@blueprint.post("/mail-texts/<kind>/<market>")
@web.require(verbs.PERMISSION)
def save_mail_text(kind: str, market: str) -> ResponseReturnValue:
    """`do`: save, own (LMT's words where this language is empty) or publish."""
    subject, session = _subject(kind, market), web.db()
    language = _language(subject, request.form.get("language", ""))
    kept = verbs.locked_texts(session, kind, subject.market_id, web.actor())
    texts = _with_typed(kept, subject, language)
    verbs.save_draft(session, kind, subject.market_id, texts, web.at(), web.actor())
    do = request.form.get("do", "save")
    if do != "publish":
        flash(_("The draft is kept. Nobody reads it until it is published."), "success")
        return redirect(_back(subject, language))
    try:
        verbs.publish(
            session, kind, subject.market_id, request.form.get("note", ""), web.at(), web.actor()
        )
    except verbs.BadMailText:
        flash(_("Not published: look at what is marked, in each language."), "danger")
        return _page(subject), 422
    except LookupError:
        flash(_("There is nothing to publish yet."), "warning")
        return redirect(_back(subject, language))
    flash(_("Published. The next mail is sent in these words."), "success")
    return redirect(_back(subject, language))


@blueprint.post("/mail-texts/<kind>/<market>/versions")
@web.require(verbs.PERMISSION)
def choose_mail_text(kind: str, market: str) -> ResponseReturnValue:
    """`number`: of the version to send again; "" for LMT's own words; `draft` drops the draft."""
    subject, session = _subject(kind, market), web.db()
    number = request.form.get("number", "")
    try:
        if number == "draft":
            verbs.drop_draft(session, kind, subject.market_id, web.actor())
            flash(_("The draft was dropped."), "success")
        elif number == "":
            verbs.back_to_own(session, kind, subject.market_id, web.at(), web.actor())
            flash(_("The next mail is sent in LMT's own words."), "success")
        else:
            verbs.roll_back(
                session, kind, subject.market_id, _number(number), web.at(), web.actor()
            )
            flash(_("Version %(number)s is sent again.", number=number), "success")
    except LookupError:
        abort(404)
    return redirect(_back(subject, ""))


@blueprint.post("/mail-texts/<kind>/<market>/test")
@web.require(verbs.PERMISSION)
def test_mail_text(kind: str, market: str) -> ResponseReturnValue:
    """The draft to the mailbox of whoever edits it."""
    subject, session = _subject(kind, market), web.db()
    language = _language(subject, request.form.get("language", ""))
    lead, _problem = _lead(subject, request.form.get("lead", ""))
    texts = verbs.texts_of(session, _row(subject))
    market_id = lead.market_id if lead else subject.market_id
    if market_id is None:
        market_id = session.scalars(select(Market.id).order_by(Market.id).limit(1)).one()
    if _tests_lately() >= MOST_TESTS:
        flash(
            _("You had many tests just now. Try again in an hour, or use the preview."), "warning"
        )
        return redirect(_back(subject, language))
    send_proof(session, kind, market_id, lead, texts, language, web.user(), web.at())
    session.commit()
    flash(_("A test is on its way to %(address)s.", address=web.user().email), "success")
    return redirect(_back(subject, language))


@blueprint.get("/mail-texts/<kind>/<market>/preview")
@web.require(verbs.PERMISSION)
def mail_text_preview(kind: str, market: str) -> ResponseReturnValue:
    """The draft as a mail, for the frame of its page."""
    subject, session = _subject(kind, market), web.db()
    language = _language(subject, request.args.get("language", ""))
    lead, _problem = _lead(subject, request.args.get("lead", ""))
    texts = verbs.texts_of(session, _row(subject))
    try:
        mail = previewed(session, web.settings(), kind, lead, texts, language, web.at())
        html = mail.html
    except LookupError:
        said = _("This mail has nothing to tell of that lead. Choose another one.")
        html = Markup('<!doctype html><title>{0}</title><p lang="{1}" dir="{2}">{0}</p>').format(
            said, i18n.reader().locale, i18n.direction()
        )
    headers = {"Content-Security-Policy": FRAMED, "Cache-Control": "no-store"}
    return Response(html, headers=headers)


def _tests_lately() -> int:
    """How many tests went to the reader within the last hour."""
    sent = select(func.count(Message.id)).where(
        Message.kind == PROOF_KIND,
        # Ids begin with the instant, and are indexed.
        Message.id > uuid7_floor(web.at() - timedelta(hours=1)),
        Message.recipient == web.user().email,
    )
    return web.db().scalars(sent).one()


def _page(subject: Subject) -> str:
    session, kind = web.db(), subject.kind
    row = _row(subject)
    texts = verbs.texts_of(session, row)
    language = _language(subject, request.values.get("language", ""))
    lead, lead_problem = _lead(subject, request.values.get("lead", ""))
    width = request.values.get("width", "phone")
    problems = problems_of(kind, texts)
    return render_template(
        "hq/mail_text.html",
        subject=subject,
        row=row,
        texts=texts,
        said=_typed(subject) or texts["languages"].get(language, {}),
        own=own_words(kind, language),
        language=language,
        spoken=list(dict.fromkeys([*subject.languages, *LOCALES])),
        fallbacks=[(code, i18n.language_name(code)) for code in texts["languages"]],
        unspoken=verbs.unspoken(texts, subject.languages) if texts["languages"] else [],
        parts=[(part, str(PARTS[part]), part in BLOCKS) for part in parts_of(kind)],
        longest=LONGEST,
        variables=[(name, str(VARIABLES[name])) for name in variables_of(kind)],
        in_subject=variables_of(kind, "subject"),
        problems={
            each.part: each.words for each in reversed(problems) if each.language == language
        },
        problem_languages={each.language for each in problems},
        versions=verbs.versions_of(session, row),
        lead=lead,
        lead_problem=lead_problem,
        lead_typed=request.values.get("lead", ""),
        width=width if width in dict(WIDTHS) else "phone",
        widths=WIDTHS,
        history=changes_of(session, verbs.CHANGE_KIND, f"{kind}/{subject.code}"),
    )


def _subject(kind: str, code: str) -> Subject:
    if kind not in KINDS or code not in dict(places()):
        abort(404)
    return Subject(kind, code, market_of(code))


def _row(subject: Subject) -> MailText | None:
    return verbs.kept_text(web.db(), subject.kind, subject.market_id)


def _language(subject: Subject, wanted: str) -> str:
    spoken = subject.languages or list(LOCALES)
    return wanted if wanted in LOCALES else spoken[0]


def _lead(subject: Subject, reference: str) -> tuple[Lead | None, str]:
    """The lead that a proof tells of, of those that the reader may see: by its reference, else the
    latest. None, with words where one was asked for, for an invented one."""
    if not web.may("lead.assign"):
        return None, ""
    wanted = select(Lead).where(~Lead.test).order_by(Lead.id.desc()).limit(1)
    if subject.market_id is not None:
        wanted = wanted.where(Lead.market_id == subject.market_id)
    typed = reference.strip().upper()
    if typed:
        wanted = wanted.where(Lead.reference == typed)
    found = web.db().scalars(wanted).first()
    missed = _("No lead of yours has this reference.") if typed and found is None else ""
    return found, missed


def _typed(subject: Subject) -> dict[str, str]:
    return {
        part: request.form.get(part, "") for part in parts_of(subject.kind) if part in request.form
    }


def _with_typed(texts: Mapping[str, Any], subject: Subject, language: str) -> verbs.Texts:
    said = _typed(subject)
    if request.form.get("do") == "own":
        # Only where nothing is written: nobody's words are lost by a button.
        own = own_words(subject.kind, language)
        said = {part: said.get(part, "").strip() or words for part, words in own.items()}
    fallback = request.form.get("fallback", texts["fallback"])
    return {"fallback": fallback, "languages": {**texts["languages"], language: said}}


def _back(subject: Subject, language: str) -> str:
    kept = {
        name: request.form[name] for name in ("lead", "width") if request.form.get(name, "").strip()
    }
    return subject.address(**({"language": language} if language else {}), **kept)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
