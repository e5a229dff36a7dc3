"""An invented lead, for a proof of a mail where no real one may be, or can be, shown."""

from __future__ import annotations

from datetime import datetime, timedelta

from lmt.i18n import format_date
from lmt.notify.facts import DealerCard, MailFacts, ReportTold, SourceTrouble, WaitingLead


def sample_facts(at: datetime, base_url: str) -> MailFacts:
    """As a mail at `at` would tell of it; every instant lies ahead."""
    soon = at + timedelta(hours=20)
    lead_id = "00000000-0000-0000-0000-000000000000"
    return MailFacts(
        written_at=at,
        lead_id=lead_id,
        reference="ABC-2345",
        full_name="Anna Maria Kowalska",
        phone="+48221234567",
        phone_shown="+48 22 123 45 67",
        email="anna@example.com",
        city="Warszawa",
        country="PL",
        brand="Aurel",
        model="Mira",
        request_type="test_drive",
        received_at=at,
        take_by_at=soon,
        planned="test_drive",
        planned_at=soon,
        dealer=DealerCard(
            "Aurel Centrum",
            phone="+48 22 765 43 21",
            street="ul. Marszałkowska 1",
            postcode="00-001",
            city="Warszawa",
        ),
        promise_at=soon,
        status_url=f"{base_url}/",
        confirm_url=f"{base_url}/",
        state="offered",
        minutes=90,
        waiting=1,
        listed=(WaitingLead(lead_id, "ABC-2345", "Aurel Centrum", "offered", 90, "", at),),
        colleague="Jan Nowak",
        from_dealer="Aurel Wola",
        sources=(SourceTrouble("web", "Web", "silent", at, None, 3.0),),
        report=ReportTold(
            name="Aurel",
            question="",
            days=format_date(at.date()),
            address=f"{base_url}/reports/",
            head=("", "Aurel"),
            rows=(("Aurel Centrum", "12"), ("Aurel Wola", "3")),
        ),
    )
