"""An appointment as a calendar entry that its customer takes along: with whom, where and when, and
nothing of the person, since the file is had by the link."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from lmt.i18n import gettext as _
from lmt.portal.appointed import Appointment
from lmt.portal.dealercard import DealerCard

REMIND_BEFORE = timedelta(hours=2)


def appointment_file(
    planned: Appointment, dealer: DealerCard, lead_id: uuid.UUID, *, address: str, at: datetime
) -> bytes:
    """RFC 5545, in the dealer's zone. The UID is the plan's own, as in the mail that told of it, so
    that both make one entry; `address` is the request's page."""
    starts = planned.due_at.astimezone(ZoneInfo(planned.timezone))
    entry = Event()
    entry.add("uid", f"appointment-{planned.id}-{lead_id}@lmt")
    entry.add("dtstamp", at)
    # As the mails count: seconds since it was made.
    entry.add("sequence", max(0, int((at - planned.created_at).total_seconds())))
    entry.add("dtstart", starts)
    entry.add("dtend", starts + timedelta(minutes=planned.minutes))
    entry.add("summary", _("%(what)s: %(who)s", what=planned.words, who=dealer.name))
    if planned.kind != "call":
        place = (dealer.name, dealer.street, dealer.city)
        entry.add("location", ", ".join(part for part in place if part))
    entry.add("description", "\n".join(line for line in (dealer.phone, address) if line))
    entry.add("url", address)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", planned.words)
    alarm.add("trigger", -REMIND_BEFORE)
    entry.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//LMT//portal//EN")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
