"""Every mail as mail programs show it: readable, in both schemes and directions, and harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from lxml import html as lxml_html

from lmt.config import LOCALES
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Rendered
from lmt.notify.mails import KINDS, render
from tests.test_mail_snapshots import ANSWERS, FACTS, MORE, mail

CLIPPED_BYTES = 100_000
"""Gmail cuts off what is longer than 102 KB."""
STEPS = {
    "reached": "https://leads.example/t/rea-_1",
    "no_answer": "https://leads.example/t/no-_1",
    "done": "https://leads.example/t/don-_1",
}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in KINDS),
    ("dealer_new_lead", {"taps": ANSWERS}),
    ("dealer_reminder", {"taps": ANSWERS}),
    ("plan_reminder", {"taps": STEPS}),
    ("dealer_appointment", {"what": "booked"}),
    ("dealer_appointment", {"what": "cancelled"}),
    ("customer_closed", {"closed_as": "lost"}),
    ("customer_closed", {"closed_as": "withdrawn"}),
    ("customer_appointment", {"planned": "call"}),
    ("customer_reply", {"answerable": True}),
]
IDS = [f"{number}-{kind}" for number, (kind, _more) in enumerate(VARIANTS)]


@pytest.mark.parametrize(("kind", "more"), VARIANTS, ids=IDS)
def test_every_mail_is_a_page_that_any_program_shows(kind: str, more: dict[str, Any]) -> None:
    facts = replace(FACTS, **(MORE.get(kind, {}) | more))
    for language in LOCALES:
        written = _variant(kind, facts, language)
        page = lxml_html.document_fromstring(written.html)
        rtl = language == "ar"
        assert page.get("lang") == language
        assert page.get("dir") == ("rtl" if rtl else "ltr")
        for node in page.iter("link", "script", "iframe", "object", "form", "svg"):
            raise AssertionError(f"{node.tag} in {kind}")
        # The chart of a report is a part of its mail, and fetched from nowhere.
        drawn = [image.get("src", "") for image in page.iter("img")]
        assert all(source.startswith("cid:") for source in drawn)
        assert not drawn or kind == "scheduled_report"
        assert not re.search(r"url\(|@import|@font-face", written.html)
        addresses = [anchor.get("href") or "" for anchor in page.iter("a")]
        assert addresses
        for address in addresses:
            assert address.startswith(("https://leads.example/", "tel:+", "mailto:"))
        assert all((anchor.text_content() or "").strip() for anchor in page.iter("a"))
        assert len(written.html.encode()) < CLIPPED_BYTES
        seen = page.text_content() + written.text + written.subject
        assert not re.search(r"%\(\w+\)|\{\{|\}\}|\bNone\b", seen)
        assert written.subject == " ".join(written.subject.split()) != ""
        if kind != "customer_reply":
            assert not re.search("Layla|Haddad|4567|layla", written.subject)
        # Whoever reads text alone can do as much.
        for address in addresses:
            if address.startswith("https:"):
                assert address in written.text


def _variant(kind: str, facts: MailFacts, language: str) -> Rendered:
    return render(
        kind, facts, language=language, timezone="Asia/Riyadh", base_url="https://leads.example"
    )


RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def test_colours_can_be_read_in_light_and_in_dark() -> None:
    """Of every piece of text its colour on what lies behind it, as the browser would choose."""
    written = _variant("dealer_digest", replace(FACTS, **MORE["dealer_digest"]), "en").html
    letter = _variant("dealer_new_lead", replace(FACTS, taps=ANSWERS), "en").html
    for page in (written, letter):
        dark = _dark_rules(page)
        document = lxml_html.document_fromstring(page)
        checked = 0
        for node in document.body.iter():
            if not isinstance(node.tag, str) or not (node.text or "").strip():
                continue
            for rules in ({}, dark):
                ink, paper = _found(node, "color", rules), _found(node, "background-color", rules)
                assert ink, node.tag
                assert paper, node.tag
                assert _contrast(ink, paper) >= 4.5, (node.tag, node.get("class"), ink, paper)
                checked += 1
        assert checked > 20


def _dark_rules(page: str) -> dict[str, dict[str, str]]:
    """Selector → what it says in dark."""
    (block,) = re.findall(r"prefers-color-scheme: dark\) \{(.*?)\n\}\n</style>", page, re.S)
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in RULE.findall(block):
        told = _declared(body)
        for selector in selectors.split(","):
            rules.setdefault(selector.strip(), {}).update(told)
    return rules


def _declared(style: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return {name.strip(): value.replace("!important", "").strip() for name, value in pairs}


def _found(node: Any, name: str, dark: dict[str, dict[str, str]]) -> str:
    """The nearest value of a property, going up; in dark what its rules say goes first, the most
    particular one before others."""
    while node is not None:
        told = [
            (selector.count("."), selector.count(" "), rule[name])
            for selector, rule in dark.items()
            if name in rule and _is_meant(node, selector.split())
        ]
        if told:
            return max(told)[2]
        own = _declared(node.get("style") or "")
        if name in own:
            return own[name]
        node = node.getparent()
    return ""


def _is_meant(node: Any, selector: list[str]) -> bool:
    *above, last = selector
    around = [parent for parent in node.iterancestors() if isinstance(parent.tag, str)]
    return _is(node, last) and all(any(_is(parent, part) for parent in around) for part in above)


def _is(node: Any, part: str) -> bool:
    if part.startswith("."):
        return part[1:] in (node.get("class") or "").split()
    return bool(node.tag == part)


def _contrast(ink: str, paper: str) -> float:
    light, dim = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    return (light + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    """Of `#rrggbb`, by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_dark_and_direction_survive_the_inlining() -> None:
    page = mail("dealer_new_lead", language="ar").html
    assert "@media (prefers-color-scheme: dark)" in page
    assert 'name="color-scheme" content="light dark"' in page
    assert "width:" in page


def test_one_tap_is_the_first_button_and_the_lead_stays_at_hand() -> None:
    written = _variant("dealer_new_lead", replace(FACTS, taps=ANSWERS), "en")
    buttons = lxml_html.document_fromstring(written.html).xpath("//a[contains(@class, 'button')]")
    assert [each.get("href") for each in buttons] == [ANSWERS["accept"]]
    assert f"Decline:\n{ANSWERS['decline']}" in written.text
    assert f"/desk/leads/{FACTS.lead_id}" in written.text


@pytest.mark.parametrize("kind", ["dealer_withdrawn", "dealer_tapped", "help_asked"])
def test_who_may_not_see_the_customer_reads_nothing_of_them(kind: str) -> None:
    written = mail(kind)
    for secret in ("Layla", "Haddad", "4567", "layla"):
        assert secret not in written.text + written.html + written.subject


def test_a_letter_of_the_dealer_is_theirs_alone() -> None:
    written = mail("customer_reply")
    assert written.subject == "Your test drive"
    assert "Dear Sir,\n\nwelcome." in written.text
    assert "automatically" not in written.text
    assert "Badr" in written.text
    assert "Harbour Motors" in written.text
