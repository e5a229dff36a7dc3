"""When something happened, in the ways that people, systems and spreadsheets write it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.instants import epoch_instant, spreadsheet_instant, written_instant
from lmt.ingest.normalise import understand

WARSAW, RIYADH = ZoneInfo("Europe/Warsaw"), ZoneInfo("Asia/Riyadh")


@pytest.mark.parametrize(
    ("text", "zone", "country", "utc"),
    [
        ("2026-03-06T09:12:00+03:00", None, "", "2026-03-06 06:12"),
        ("2026-03-06T09:12:00Z", WARSAW, "", "2026-03-06 09:12"),
        ("2026-03-06T09:12:00+0000", None, "", "2026-03-06 09:12"),
        ("2026-03-06T09:12:00.123456789Z", None, "", "2026-03-06 09:12"),
        ("2026-03-06T8:47:50-08:0", None, "", "2026-03-06 16:47"),
        ("Fri, 06 Mar 2026 09:12:00 +0300", None, "", "2026-03-06 06:12"),
        # Without an offset: in the market's zone, or no instant.
        ("2026-03-06T09:12:00", None, "", None),
        ("2026-03-06T09:12:00", WARSAW, "", "2026-03-06 08:12"),
        ("2026-07-06 09:12", WARSAW, "", "2026-07-06 07:12"),
        ("2026/03/06 13:05", WARSAW, "", "2026-03-06 12:05"),
        ("2026-10-25 02:30", WARSAW, "", "2026-10-25 00:30"),
        ("2026-03-29 02:30", WARSAW, "", None),
        # Day and month, in the order of the country.
        ("06.03.2026 09:12", WARSAW, "", "2026-03-06 08:12"),
        ("06.03.2026, 09:12 Uhr", WARSAW, "", "2026-03-06 08:12"),
        ("6/3/2026 9:12", WARSAW, "PL", "2026-03-06 08:12"),
        ("6/3/2026 9:12", WARSAW, "US", "2026-06-03 07:12"),
        ("6/3/2026 9:12", WARSAW, "", None),
        ("6/6/2026 9:12", WARSAW, "", "2026-06-06 07:12"),
        ("26/3/2026 9:12 PM", WARSAW, "US", "2026-03-26 20:12"),
        ("3/26/2026 12:05 AM", WARSAW, "PL", "2026-03-25 23:05"),
        ("06-03-2026 09:12", WARSAW, "NL", "2026-03-06 08:12"),
        ("٠٦/٠٣/٢٠٢٦ ٠٩:١٢ م", RIYADH, "SA", "2026-03-06 18:12"),
        ("٢٠٢٦-٠٣-٠٦T٠٩:١٢:٠٠+٠٣:٠٠", None, "", "2026-03-06 06:12"),
        # What never was.
        ("2026-02-30T10:00:00Z", None, "", None),
        ("2026-13-01 10:00", WARSAW, "", None),
        ("2026-03-06 25:00", WARSAW, "", None),
        ("2026-03-06 13:05 PM", WARSAW, "", None),
        ("1026-03-06T09:12:00Z", None, "", None),
        ("2026-03-06", WARSAW, "", None),
        ("soon", WARSAW, "", None),
        ("", WARSAW, "", None),
    ],
)
def test_written_instants(text: str, zone: ZoneInfo | None, country: str, utc: str | None) -> None:
    at = written_instant(text, zone, country)
    assert (at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else None) == utc


@pytest.mark.parametrize(
    ("days", "from_1904", "local"),
    [
        (46087.5, False, "2026-03-06 12:00"),
        (44625.5, True, "2026-03-06 12:00"),
        (46087, False, "2026-03-06 00:00"),
        (46087.0000001, False, "2026-03-06 00:00"),
        (-1, False, None),
        (5, False, None),
        (1e12, False, None),
        (float("nan"), False, None),
    ],
)
def test_serial_dates_of_spreadsheets(days: float, from_1904: bool, local: str | None) -> None:
    at = spreadsheet_instant(days, WARSAW, from_1904=from_1904)
    assert (at.strftime("%Y-%m-%d %H:%M") if at else None) == local


def test_a_lead_without_an_offset_is_of_its_market() -> None:
    given = {"sent_at": "6/3/2026 9:12", "consents": [
        {"purpose": "news", "given": True, "at": "2026-03-06 09:11"}]}  # fmt: skip
    lead = understand(given, country="SA", zone=RIYADH)
    assert lead.sent_at == datetime(2026, 3, 6, 6, 12, tzinfo=UTC)
    assert lead.consents[0].at == datetime(2026, 3, 6, 6, 11, tzinfo=UTC)
    assert not lead.problems
    assert understand(given, country="SA").sent_at is None


@pytest.mark.parametrize("written", ["1772777520", "1772777520000", "١٧٧٢٧٧٧٥٢٠", 1772777520.0])
def test_counts_since_1970_may_come_as_text(written: object) -> None:
    assert understand({"sent_at": written}).sent_at == datetime(2026, 3, 6, 6, 12, tzinfo=UTC)


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8") | st.sampled_from("0123456789:-/.TZ+ apm٠٦م"), max_size=70
    ),
    st.sampled_from([None, WARSAW, UTC]),
    st.sampled_from(["", "US", "PL"]),
    st.floats(),
)
def test_any_text_is_read_without_raising(
    text: str, zone: ZoneInfo | None, country: str, number: float
) -> None:
    at = written_instant(text, zone, country)
    assert at is None or at.tzinfo is not None
    spreadsheet_instant(number, WARSAW)
    understand({"sent_at": number}, zone=zone)
    if abs(number) < 1e15:
        epoch_instant(number)
