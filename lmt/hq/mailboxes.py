"""A mailbox that is a source: how it fares, the mails that were read, a look at once, a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lmt import clock, web
from lmt import sources as verbs
from lmt.hq.blueprint import blueprint
from lmt.hq.sourceform import edited
from lmt.hq.sources import seen
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.i18n import ngettext
from lmt.ingest.sourcesettings import source_settings
from lmt.mailboxes import service
from lmt.mailboxes.connection import MailboxError
from lmt.mailboxes.words import problem_words
from lmt.models import ImportRun, Lead, MailboxState, MailRead, Source

PAGE_ROWS = 50
OUTCOMES: Mapping[str, LazyProxy] = {
    "lead": _l("Lead"),
    "repeated": _l("Read before"),
    "import": _l("File of leads"),
    "reply": _l("Answer to one of our mails"),
    "bounce": _l("Mail that came back"),
    "automatic": _l("Automatic answer"),
    "loop": _l("Our own mail"),
    "quarantined": _l("In quarantine"),
}
CHIPS: Mapping[str, str] = {
    "lead": "won",
    "import": "won",
    "reply": "new",
    "quarantined": "band-hot",
}


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail that was read. `lead` as far as the reader may see it."""

    mail: MailRead
    lead: Lead | None
    run: ImportRun | None


@blueprint.get("/sources/<code>/mails")
@web.require(verbs.READING)
def source_mails(code: str) -> ResponseReturnValue:
    """The latest first."""
    source, session = _mailbox(seen(code)), web.db()
    after = request.args.get("after", "")
    wanted = select(MailRead).where(MailRead.source_id == source.id)
    if after.isascii() and after.isdecimal() and len(after) < 10:
        wanted = wanted.where(MailRead.id < int(after))
    mails = session.scalars(wanted.order_by(MailRead.id.desc()).limit(PAGE_ROWS + 1)).all()
    shown = mails[:PAGE_ROWS]
    leads = {
        lead.id: lead
        for lead in session.scalars(
            select(Lead).where(Lead.id.in_([each.lead_id for each in shown if each.lead_id]))
        )
    }
    runs = {
        run.id: run
        for run in session.scalars(
            select(ImportRun)
            .options(joinedload(ImportRun.upload))
            .where(ImportRun.id.in_([each.import_id for each in shown if each.import_id]))
        )
    }
    own = source_settings(source.settings)
    state = session.get(MailboxState, source.id)
    return render_template(
        "hq/source_mails.html",
        source=source,
        own=own,
        state=state,
        problem=problem_words(state.problem) if state is not None else "",
        rows=[
            MailRow(
                each,
                leads.get(each.lead_id) if each.lead_id else None,
                runs.get(each.import_id) if each.import_id else None,
            )
            for each in shown
        ],
        outcomes=OUTCOMES,
        chips=CHIPS,
        may_import=web.may("lead.import"),
        may_edit=verbs.may_edit(source.market_id, web.actor()),
        next_address=(
            url_for("hq.source_mails", code=code, after=shown[-1].id)
            if len(mails) > len(shown)
            else ""
        ),
        first_address=url_for("hq.source_mails", code=code) if after else "",
    )


@blueprint.post("/sources/<code>/mails/check")
@web.require(verbs.PERMISSION)
def check_source_mails(code: str) -> ResponseReturnValue:
    """Have the worker look at once."""
    source = _mailbox(edited(code))
    if not source.active or source.paused_at is not None:
        flash(_("The source doesn't run. Let it go on first."), "warning")
    else:
        service.check_now(web.db(), source, clock.now())
        flash(_("The mailbox is being looked at. Load this page again in a moment."), "info")
    return redirect(url_for("hq.source_mails", code=code))


@blueprint.post("/sources/<code>/mails/test")
@web.require(verbs.PERMISSION)
@web.limiter.limit("60 per hour")
def try_source_mails(code: str) -> ResponseReturnValue:
    """Log in as it is set up, and say how that went; nothing is read."""
    source = _mailbox(edited(code))
    settings, session = web.settings(), web.db()
    # No transaction is held open while the server takes its time.
    session.expunge(source)
    session.rollback()
    try:
        found = service.try_connection(settings, source)
    except MailboxError as problem:
        flash(problem_words(problem.code), "danger")
        return redirect(url_for("hq.source_mails", code=code))
    told = ngettext(
        "The connection works. %(num)s mail waits in the folder.",
        "The connection works. %(num)s mails wait in the folder.",
        found.mails,
    )
    flash(told, "success")
    for folder in found.missing:
        flash(_("The folder %(name)s will be made when it is needed.", name=folder), "info")
    return redirect(url_for("hq.source_mails", code=code))


def _mailbox(source: Source) -> Source:
    if source.kind != "mailbox":
        abort(404)
    return source
