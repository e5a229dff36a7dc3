"""A planned action as a calendar entry: for a salesperson, by mail or from the desk, and for the
customer, whose entry moves and goes with the appointment."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, vCalAddress

from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.models import Lead, PlannedAction
from lmt.notify.facts import DealerCard

MINUTES = {"call": 15, "test_drive": 60, "visit": 60}
REMIND_MINUTES = 15
REMIND_CUSTOMER = timedelta(hours=2)


def plan_as_ics(
    plan: PlannedAction,
    lead: Lead,
    *,
    zone: str,
    address: str,
    at: datetime,
    told_at: datetime | None = None,
    cancelled: bool = False,
) -> bytes:
    """RFC 5545. Times are in `zone` (IANA); `address` is the lead's page; `at` is now.

    The UID is the plan's own, so that taking it twice makes one entry; what was told later
    (`told_at`, None: now) replaces it.
    """
    who = lead.full_name or lead.company or lead.reference
    entry = _entry(plan, f"plan-{plan.id}-{lead.id}@lmt", zone, told_at or at, cancelled)
    entry.add("dtstamp", at)
    entry.add("summary", _("%(what)s: %(who)s", what=label("plan_kind", plan.kind), who=who))
    lines = [plan.note, lead.phone, lead.email, lead.model, address]
    entry.add("description", "\n".join(line for line in lines if line))
    entry.add("url", address)
    entry.add_component(_alarm(who, timedelta(minutes=REMIND_MINUTES)))
    return _calendar(entry, "CANCEL" if cancelled else "")


def appointment_as_ics(
    plan: PlannedAction,
    lead: Lead,
    dealer: DealerCard,
    *,
    zone: str,
    address: str,
    sender: str,
    at: datetime,
    told_at: datetime,
    cancelled: bool,
) -> bytes:
    """The customer's entry, as an invitation of RFC 5546: REQUEST, or CANCEL once it is off.

    `sender` is a bare mail address, the same for all mails of the appointment; `told_at` is when
    this news came up. Nothing of the customer is in it but their own address.
    """
    entry = _entry(plan, f"appointment-{plan.id}-{lead.id}@lmt", zone, told_at, cancelled)
    entry.add("dtstamp", at)
    what = label("plan_kind", plan.kind)
    entry.add("summary", _("%(what)s: %(who)s", what=what, who=dealer.name))
    town = " ".join(part for part in (dealer.postcode, dealer.city) if part)
    if plan.kind != "call":
        entry.add("location", ", ".join(p for p in (dealer.name, dealer.street, town) if p))
    lines = [dealer.name, dealer.phone, lead.reference, address]
    entry.add("description", "\n".join(line for line in lines if line))
    entry.add("url", address)
    entry.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    organizer = vCalAddress(f"mailto:{sender}")
    organizer.params["cn"] = dealer.name
    entry.add("organizer", organizer, encode=False)
    guest = vCalAddress(f"mailto:{lead.email}")
    # Agreed already: nobody is asked to answer the invitation.
    guest.params["partstat"], guest.params["rsvp"] = "ACCEPTED", "FALSE"
    entry.add("attendee", guest, encode=False)
    if not cancelled:
        entry.add_component(_alarm(what, REMIND_CUSTOMER))
    return _calendar(entry, "CANCEL" if cancelled else "REQUEST")


def _entry(plan: PlannedAction, uid: str, zone: str, told_at: datetime, cancelled: bool) -> Event:
    starts = plan.due_at.astimezone(ZoneInfo(zone))
    entry = Event()
    entry.add("uid", uid)
    # Seconds since it was made: grows with every change of mind, and no counter is to be kept.
    entry.add("sequence", max(0, int((told_at - plan.created_at).total_seconds())))
    entry.add("dtstart", starts)
    entry.add("dtend", starts + timedelta(minutes=MINUTES.get(plan.kind, 30)))
    return entry


def _alarm(words: str, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", words)
    alarm.add("trigger", -before)
    return alarm


def _calendar(entry: Event, method: str) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//LMT//desk//EN")
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
