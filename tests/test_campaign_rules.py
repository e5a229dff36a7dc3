"""Which campaign a lead is counted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.campaigns import CampaignRule, Campaigns, campaign_of
from lmt.ingest.leadinput import Campaign

POLAND, GULF = 1, 2
TODAY = date(2026, 3, 6)
_PLAIN = CampaignRule(0, "", POLAND, None, "", "", "", (), date(2026, 3, 1), date(2026, 3, 31))


def rule(number: int, code: str, **changes: Any) -> CampaignRule:
    return replace(_PLAIN, id=number, code=code, **changes)


RULES = [
    rule(1, "SPRING", platform_ids=("google:campaign:111", "meta:form:700")),
    rule(2, "SPRING-AD", platform_ids=("meta:ad:900", "meta:adgroup:901")),
    rule(3, "ANY-ID", platform_ids=("tiktok:555",)),
    rule(4, "MAIL", utm_source="newsletter", utm_medium="mail"),
    rule(5, "MAIL-LUMO", utm_source="newsletter", utm_medium="mail", utm_campaign="lumo-launch"),
    rule(6, "LUMO", utm_campaign="lumo*"),
    rule(7, "LUMO-SUV", utm_campaign="lumo*suv"),
    rule(8, "CPC", utm_source="*", utm_medium="cpc"),
    rule(9, "OLD", utm_campaign="old", starts_on=date(2025, 1, 1), ends_on=date(2026, 3, 5)),
    rule(10, "LAST-DAY", utm_campaign="last", ends_on=TODAY),
    rule(11, "OPEN-END", utm_campaign="open", starts_on=date(2020, 1, 1), ends_on=None),
    rule(12, "SOON", utm_campaign="soon", starts_on=date(2026, 3, 7)),
    rule(13, "GULF", market_id=GULF, utm_campaign="gulf", platform_ids=("meta:ad:902",)),
    rule(14, "TIE-EARLY", utm_campaign="tie", starts_on=date(2026, 2, 1)),
    rule(15, "TIE-B", utm_campaign="tie"),
    rule(16, "TIE-A", utm_campaign="tie"),
    rule(17, "NO-RULE"),
    rule(18, "BRAND-1", brand_id=1, utm_campaign="brand"),
    rule(19, "BRAND-2", brand_id=2, utm_campaign="brand", starts_on=date(2026, 2, 1)),
    rule(20, "YEAR-AGO", platform_ids=("meta:ad:903",), ends_on=date(2026, 3, 2)),
]
BOOK = Campaigns(RULES)


@pytest.mark.parametrize(
    ("given", "campaign"),
    [
        # The platform's ids, the most specific first; a bare one is an id of any kind.
        ({"platform_ids": "google:campaign:111"}, 1),
        ({"platform_ids": "GOOGLE:Campaign:111"}, 1),
        ({"platform_ids": "google:adgroup:111"}, None),
        ({"platform_ids": "meta:campaign:111"}, None),
        ({"platform_ids": "meta:form:700 meta:adgroup:901"}, 2),
        ({"platform_ids": "meta:form:700 meta:ad:900"}, 2),
        ({"platform_ids": "meta:adset:901"}, 2),
        ({"platform_ids": "meta:creative:900"}, 2),
        ({"platform_ids": "tiktok:ad:555"}, 3),
        ({"platform_ids": "tiktok:555"}, 3),
        ({"platform_ids": "google:111"}, 1),
        ({"platform_ids": "google:campaign:112"}, None),
        ({"platform_ids": "meta:ad:903 meta:form:700"}, 1),
        ({"platform_ids": "meta:ad:902"}, None),
        ({"platform_ids": ": :: nonsense google:"}, None),
        # Then the code.
        ({"code": "SPRING"}, 1),
        ({"code": " spring "}, 1),
        ({"code": "NO-RULE", "utm_campaign": "open"}, 17),
        ({"code": "OLD"}, None),
        ({"code": "GULF"}, None),
        ({"code": "unheard of", "utm_campaign": "open"}, 11),
        ({"code": "MAIL", "platform_ids": "tiktok:ad:555"}, 3),
        # Then the UTM rules: empty fits anything, * is a joker, the most specific wins.
        ({"utm_source": "newsletter", "utm_medium": "mail"}, 4),
        ({"utm_source": "Newsletter", "utm_medium": " MAIL ", "utm_campaign": "other"}, 4),
        ({"utm_source": "newsletter"}, None),
        ({"utm_source": "newsletter", "utm_medium": "mail", "utm_campaign": "lumo-launch"}, 5),
        ({"utm_campaign": "lumo-launch"}, 6),
        ({"utm_campaign": "lumo"}, 6),
        ({"utm_campaign": "lumo-2026-suv"}, 7),
        ({"utm_campaign": "LUMO SUV"}, 7),
        ({"utm_campaign": "my lumo"}, None),
        ({"utm_source": "bing", "utm_medium": "cpc"}, 8),
        ({"utm_medium": "cpc"}, None),
        # Within its dates, both counted in.
        ({"utm_campaign": "old"}, None),
        ({"utm_campaign": "last"}, 10),
        ({"utm_campaign": "open"}, 11),
        ({"utm_campaign": "soon"}, None),
        # Of the market.
        ({"utm_campaign": "gulf"}, None),
        # Of equals the later start, then the code.
        ({"utm_campaign": "tie"}, 16),
        # A tag that is a campaign's code.
        ({"utm_campaign": "no-rule"}, 17),
        ({"utm_campaign": "unheard of"}, None),
        ({}, None),
    ],
)
def test_the_campaign_of_a_lead(given: dict[str, str], campaign: int | None) -> None:
    assert BOOK.campaign_of(Campaign(**given), TODAY, POLAND) == campaign


@pytest.mark.parametrize(("brand", "campaign"), [(None, 18), (1, 18), (2, 19), (3, None)])
def test_a_campaign_of_another_brand_does_not_count(
    brand: int | None, campaign: int | None
) -> None:
    assert BOOK.campaign_of(Campaign(utm_campaign="brand"), TODAY, POLAND, brand) == campaign


def test_plain_rules_may_be_asked_once() -> None:
    assert campaign_of(RULES, Campaign(code="GULF"), TODAY, GULF) == 13
    assert campaign_of([], Campaign(code="GULF"), TODAY, GULF) is None


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_anything_is_looked_up_without_raising(a: str, b: str, c: str, d: str) -> None:
    BOOK.campaign_of(Campaign(platform_ids=a, code=b, utm_source=c, utm_campaign=d), TODAY, POLAND)
    own = rule(99, "OWN", utm_source=a, utm_campaign=b, platform_ids=(c, d))
    campaign_of([own], Campaign(utm_source=a, utm_campaign=b), TODAY, POLAND)
