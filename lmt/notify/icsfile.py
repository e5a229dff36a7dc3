"""A planned action as a calendar entry that a salesperson takes along, by mail or from the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.models import Lead, PlannedAction

MINUTES = {"call": 15, "test_drive": 60, "visit": 60}
REMIND_MINUTES = 15


def plan_as_ics(plan: PlannedAction, lead: Lead, *, zone: str, address: str, at: datetime) -> bytes:
    """RFC 5545. Times are in `zone` (IANA); `address` is the lead's page; `at` is now.

    The UID is the plan's own, so that taking it twice makes one entry.
    """
    starts = plan.due_at.astimezone(ZoneInfo(zone))
    who = lead.full_name or lead.company or lead.reference
    entry = Event()
    entry.add("uid", f"plan-{plan.id}-{lead.id}@lmt")
    entry.add("dtstamp", at)
    entry.add("dtstart", starts)
    entry.add("dtend", starts + timedelta(minutes=MINUTES.get(plan.kind, 30)))
    entry.add("summary", _("%(what)s: %(who)s", what=label("plan_kind", plan.kind), who=who))
    lines = [plan.note, lead.phone, lead.email, lead.model, address]
    entry.add("description", "\n".join(line for line in lines if line))
    entry.add("url", address)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", who)
    alarm.add("trigger", timedelta(minutes=-REMIND_MINUTES))
    entry.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//LMT//desk//EN")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
