"""Which language a customer is answered in, where nobody says it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.detect import written_language
from lmt.ingest.normalise import understand

ALL = ("en", "fr", "de", "es", "pl", "nl", "tr", "ar")


@pytest.mark.parametrize(
    ("text", "allowed", "language"),
    [
        ("Ich möchte gerne eine Probefahrt vereinbaren", ALL, "de"),
        ("Je voudrais essayer la voiture rouge demain", ALL, "fr"),
        ("I would like to test the red one tomorrow", ALL, "en"),
        ("Chciałbym umówić się na jazdę próbną w sobotę", ALL, "pl"),
        ("Ik wil graag een proefrit maken met de auto", ALL, "nl"),
        ("Kırmızı arabayı denemek istiyorum, lütfen arayın", ALL, "tr"),
        ("Quisiera probar el coche rojo mañana por favor", ALL, "es"),
        ("أريد تجربة السيارة", ALL, "ar"),
        ("اتصل", ("ar", "en"), "ar"),
        # Only what the market speaks.
        ("أريد تجربة السيارة", ("pl", "en"), ""),
        ("Ich möchte gerne eine Probefahrt vereinbaren", ("en", "ar"), ""),
        ("I would like to test the red one tomorrow", ("ar-SA", "en-GB"), "en"),
        # Too little to tell.
        ("please call", ALL, ""),
        ("Lumo GT 1.6", ALL, ""),
        ("asdfghjkl qwertyuiop zxcvbnm", ALL, ""),
        ("+48 22 555 01 00 +48 22 555 01 00", ALL, ""),
        ("", ALL, ""),
        ("I would like to test the red one tomorrow", (), ""),
        ("I would like to test the red one tomorrow", ("xx",), ""),
    ],
)
def test_the_language_of_a_text(text: str, allowed: tuple[str, ...], language: str) -> None:
    assert written_language(text, allowed) == language


@pytest.mark.parametrize(
    ("given", "source", "expected", "noted"),
    [
        ({"customer": {"language": "pl"}, "request": {"comments": "اتصل بي"}}, "en", "pl", False),
        ({"request": {"comments": "أريد تجربة السيارة"}}, "en", "en", False),
        ({"request": {"comments": "أريد تجربة السيارة"}}, "", "ar", True),
        ({"customer": {"full_name": "محمد العتيبي"}}, "", "ar", True),
        ({"customer": {"full_name": "Mohammed Al Otaibi of the Eastern Province"}}, "", "", False),
        ({"customer": {"language": "Klingonish"}}, "", "", False),
        ({}, "", "", False),
    ],
)
def test_declared_then_the_sources_then_detected(
    given: dict[str, dict[str, str]], source: str, expected: str, noted: bool
) -> None:
    lead = understand(given, language=source, languages=("ar", "en"))
    assert lead.customer.language == expected
    assert ("language_detected" in {p.code for p in lead.problems}) is noted


def test_the_model_is_loaded_only_by_a_text_that_needs_it() -> None:
    program = (
        "import sys\n"
        "from lmt.ingest.normalise import understand\n"
        "understand({'customer': {'full_name': 'محمد'}}, languages=('ar', 'en'))\n"
        "sys.exit('py3langid' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@settings(max_examples=100, deadline=None)
@given(st.text(), st.lists(st.sampled_from([*ALL, "", "xx", "ar-SA"]), max_size=4))
def test_any_text_is_looked_at_without_raising(text: str, allowed: list[str]) -> None:
    assert written_language(text, allowed) in {"", *(code.split("-")[0] for code in allowed)}
