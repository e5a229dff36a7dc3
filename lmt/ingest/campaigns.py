"""Which campaign brought a lead: by the platform's ids, by its code, by its UTM tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from lmt.ingest.leadinput import Campaign

# The most specific first. What a platform calls anything else counts last.
_KINDS = ("ad", "adgroup", "form", "campaign")
_ALSO = {"creative": "ad", "adset": "adgroup", "ad_group": "adgroup", "asset_group": "adgroup"}


@dataclass(frozen=True, slots=True)
class CampaignRule:
    """A campaign and what leads to it.

    `platform_ids` are `google:campaign:991214827`, or `google:991214827` for an id of any kind. The
    UTM patterns know the joker `*`; an empty one fits anything. Both dates are counted in.
    """

    id: int
    code: str
    market_id: int
    brand_id: int | None
    utm_source: str
    utm_medium: str
    utm_campaign: str
    platform_ids: tuple[str, ...]
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class _Utm:
    """The UTM side of a campaign, ready to compare: patterns of (campaign, source, medium).

    `specific` grows with what it demands: tags, tags without a joker, letters.
    """

    rule: CampaignRule
    patterns: tuple[str, ...]
    specific: tuple[int, int, int]


class Campaigns:
    """All campaigns of one moment, built once and asked for each lead."""

    def __init__(self, rules: Iterable[CampaignRule]) -> None:
        self._by_platform: dict[tuple[str, str], list[tuple[str, CampaignRule]]] = {}
        self._by_code: dict[str, CampaignRule] = {}
        self._by_utm_campaign: dict[str, list[_Utm]] = {}
        self._other_utm: list[_Utm] = []
        # Of equals the first counts: the later start, then the code.
        for rule in sorted(rules, key=lambda r: (-r.starts_on.toordinal(), r.code)):
            self._by_code.setdefault(rule.code.casefold(), rule)
            for token in rule.platform_ids:
                platform, kind, number = _token(token)
                self._by_platform.setdefault((platform, number), []).append((kind, rule))
            if (utm := _utm(rule)) is None:
                continue
            literal = rule.utm_campaign.strip().casefold()
            if literal and "*" not in literal:
                self._by_utm_campaign.setdefault(literal, []).append(utm)
            else:
                self._other_utm.append(utm)

    def campaign_of(
        self, given: Campaign, on: date, market_id: int, brand_id: int | None = None
    ) -> int | None:
        """The campaign's id, or None: then the source's own counts.

        A platform's id wins over a code, a code over UTM tags; of ids the most specific (ad, then
        ad group, form, campaign), of UTM rules the one that demands most. Only campaigns of the
        market and, where both are known, the brand, that run `on` that day (in the market's zone)
        count.
        """

        if not _says_anything(given):
            return None

        def fits(rule: CampaignRule) -> bool:
            return (
                rule.market_id == market_id
                and (brand_id is None or rule.brand_id in (None, brand_id))
                and rule.starts_on <= on
                and (rule.ends_on is None or on <= rule.ends_on)
            )

        for rule in self._of_platform(given.platform_ids):
            if fits(rule):
                return rule.id
        named = self._by_code.get(given.code.strip().casefold()) if given.code else None
        if named is not None and fits(named):
            return named.id
        tags = tuple(
            tag.strip().casefold()
            for tag in (given.utm_campaign, given.utm_source, given.utm_medium)
        )
        if not any(tags):
            return None
        matching = [
            utm
            for utm in (*self._by_utm_campaign.get(tags[0], ()), *self._other_utm)
            if fits(utm.rule) and all(map(_agrees, utm.patterns, tags))
        ]
        if matching:
            best: _Utm = min(
                matching,
                key=lambda utm: (
                    *(-demand for demand in utm.specific),
                    -utm.rule.starts_on.toordinal(),
                    utm.rule.code,
                ),
            )
            return best.rule.id
        # Many put the campaign's code itself into the tag.
        named = self._by_code.get(tags[0])
        return named.id if named is not None and fits(named) else None

    def _of_platform(self, tokens: str) -> Iterator[CampaignRule]:
        given = [_token(token) for token in tokens.split()[:50]]
        for platform, kind, number in sorted(given, key=lambda token: _rank(token[1])):
            for wanted, rule in self._by_platform.get((platform, number), ()):
                if not wanted or not kind or wanted == kind:
                    yield rule


def campaign_of(
    rules: Campaigns | Iterable[CampaignRule],
    given: Campaign,
    on: date,
    market_id: int,
    brand_id: int | None = None,
) -> int | None:
    """`Campaigns.campaign_of`; whoever asks more than once passes Campaigns, not plain rules."""
    book = rules if isinstance(rules, Campaigns) else Campaigns(rules)
    return book.campaign_of(given, on, market_id, brand_id)


def _says_anything(given: Campaign) -> bool:
    return bool(
        given.platform_ids
        or given.code
        or given.utm_campaign
        or given.utm_source
        or given.utm_medium
    )


def _token(text: str) -> tuple[str, str, str]:
    """(platform, kind or "", id) of `meta:ad:123` or `meta:123`."""
    platform, _colon, rest = text.strip().casefold().partition(":")
    kind, colon, number = rest.partition(":")
    if not colon:
        return platform, "", kind
    return platform, _ALSO.get(kind, kind), number


def _rank(kind: str) -> int:
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS)


def _utm(rule: CampaignRule) -> _Utm | None:
    """The rule's UTM patterns; None when it has none, which would fit every lead."""
    texts = [
        " ".join(text.split()).casefold()
        for text in (rule.utm_campaign, rule.utm_source, rule.utm_medium)
    ]
    if not any(texts):
        return None
    stated = [text for text in texts if text]
    return _Utm(
        rule,
        tuple(texts),
        (
            len(stated),
            sum("*" not in text for text in stated),
            sum(len(text.replace("*", "")) for text in stated),
        ),
    )


def _agrees(pattern: str, tag: str) -> bool:
    """Whether a tag fits a pattern with the joker `*`; a missing tag fits none but the empty."""
    if not pattern:
        return True
    first, *others = pattern.split("*")
    if not others or not tag:
        return tag == pattern
    *middle, last = others
    if not tag.startswith(first) or not tag.endswith(last) or len(tag) < len(first) + len(last):
        return False
    at, end = len(first), len(tag) - len(last)
    for part in middle:
        found = tag.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
