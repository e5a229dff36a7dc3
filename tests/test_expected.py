"""What a dealer could be expected to sell: bad leads are not blamed on whoever got them."""

from __future__ import annotations

import pytest

from lmt.reports.expected import Rates, Stratum, rates_of

WEB_DRIVE = Stratum(1, "web", "test_drive")
WEB_OFFER = Stratum(1, "web", "offer")
AD_OFFER = Stratum(1, "ads", "offer")
AD_DRIVE = Stratum(1, "ads", "test_drive")
GULF_OFFER = Stratum(2, "web", "offer")

PHONE_DRIVE = Stratum(1, "phone", "test_drive")
PHONE_SERVICE = Stratum(1, "phone", "service")
WEB_SERVICE = Stratum(1, "web", "service")

MARKETS = (
    (WEB_DRIVE, 100, 30),
    (WEB_OFFER, 60, 6),
    (WEB_OFFER, 40, 4),
    (AD_OFFER, 300, 6),
    (AD_DRIVE, 20, 2),
    (PHONE_DRIVE, 20, 8),
    (PHONE_SERVICE, 4, 1),
    (WEB_SERVICE, 6, 0),
    (GULF_OFFER, 29, 29),
)


@pytest.mark.parametrize(
    ("stratum", "rate"),
    [
        (WEB_DRIVE, 0.30),
        (WEB_OFFER, 0.10),
        (AD_OFFER, 0.02),
        # Of 20 leads only: as all test drives by ways that brought few, 10 of 40.
        (AD_DRIVE, 0.25),
        (PHONE_DRIVE, 0.25),
        # Ten service requests in all: as the whole market, 57 of 550.
        (PHONE_SERVICE, 57 / 550),
        (WEB_SERVICE, 57 / 550),
        # Too few of a whole market: as that market all the same.
        (GULF_OFFER, 1.0),
        (Stratum(3, "web", "offer"), 0.0),
    ],
    ids=[
        "fine",
        "fine-in-parts",
        "fine-rare",
        "few",
        "few-too",
        "fewer",
        "fewer-too",
        "few-market",
        "no-market",
    ],
)
def test_each_kind_of_lead_is_expected_to_sell_as_in_its_market(
    stratum: Stratum, rate: float
) -> None:
    assert rates_of(MARKETS).of(stratum) == pytest.approx(rate)


def expected_sold(leads: dict[Stratum, int], rates: Rates) -> float:
    return sum(many * rates.of(kind) for kind, many in leads.items())


def test_bad_leads_are_not_blamed_on_a_dealer() -> None:
    # Both sell just what the market sells of the leads they got; their conversions differ.
    rates = rates_of(MARKETS)
    good, bad = {WEB_DRIVE: 50}, {AD_OFFER: 50}
    assert expected_sold(good, rates) == pytest.approx(15)
    assert expected_sold(bad, rates) == pytest.approx(1)


def test_a_market_is_expected_to_sell_what_it_sold() -> None:
    rows = [row for row in MARKETS if row[0].request_type != "service"]
    rates = rates_of(rows)
    assert sum(expected_sold({kind: leads}, rates) for kind, leads, _sold in rows) == pytest.approx(
        sum(sold for _kind, _leads, sold in rows)
    )


def test_of_nothing_nothing_is_expected() -> None:
    assert rates_of([]).of(WEB_DRIVE) == 0
