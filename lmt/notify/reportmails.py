"""A report that comes by mail, as its reader asked for it or a colleague for them."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.notify.bidi import one_line
from lmt.notify.facts import MailFacts, ReportTold
from lmt.notify.letter import Grid, Letter, Line, Picture


def scheduled(facts: MailFacts, base_url: str) -> Letter:
    """The question, its answer as a picture and a table, and where to go on."""
    told = facts.report or ReportTold(_("Report"), "", "", f"{base_url}/reports/")
    days = {"report": told.name, "days": told.days}
    opening = [Line(told.question.replace("%", "%%"))] if told.question else []
    if not told.rows:
        opening.append(Line(_("There are no leads of yours in it.")))
    return Letter(
        subject=_("%(report)s: %(days)s", **days) if told.days else told.name,
        heading=told.name,
        opening=opening,
        picture=Picture(told.picture, _("The same as a chart.")) if told.picture else None,
        grid=_grid(told) if told.rows else None,
        closing=[Line(note.replace("%", "%%")) for note in told.notes],
        button=(_("Open the report"), told.address),
        others=[(_("Your reports by mail"), told.leave_address)] if told.leave_address else [],
        footer=_footer(told),
    )


def _grid(told: ReportTold) -> Grid:
    more = ngettext("And %(num)s more row.", "And %(num)s more rows.", told.more)
    return Grid(told.head, told.rows, told.total, more if told.more else "")


def _footer(told: ReportTold) -> str:
    if not told.by:
        return _("You get this mail because you asked for it. It shows what you may see.")
    return _(
        "%(name)s has this report mailed to you. It shows what you may see.",
        name=one_line(told.by),
    )
