"""What call centres write of a call, in their words and codes, and what we take it for."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmt.ingest.dispositions import DISPOSITIONS, disposition, told_time
from lmt.labels import LABELS

WORDS = json.loads(files("lmt.ingest").joinpath("dispositions.json").read_text(encoding="utf-8"))


def code_of(text: str) -> str:
    found = disposition(text)
    return found.code if found else ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # As exports of real centres have them.
        ("Interested", "interested"),
        ("Not interested", "not_interested"),
        ("Interested in other brands", "not_interested"),
        ("Call Again", "call_back"),
        ("Callback Scheduled", "call_back"),
        ("Appointment Set", "appointment"),
        ("Left VM", "voicemail"),
        ("switched off", "unreachable"),
        ("Not Connected", "no_answer"),
        ("Connected", "reached"),
        ("Pending", "not_called"),
        ("wrong number given", "wrong_number"),
        ("Already a customer", "already_customer"),
        ("Do Not Call", "do_not_call"),
        ("Please do not call again!", "do_not_call"),
        ("does not want to be called", "do_not_call"),
        # A dialler's codes.
        ("SALE", "sale"),
        ("NI", "not_interested"),
        ("CALLBK", "call_back"),
        ("CB", "call_back"),
        ("DNC", "do_not_call"),
        ("DNCL", "do_not_call"),
        ("A", "voicemail"),
        ("AA", "voicemail"),
        ("AB", "busy"),
        ("B", "busy"),
        ("N", "no_answer"),
        ("NA", "no_answer"),
        ("DROP", "dropped"),
        ("WN", "wrong_number"),
        ("XFER", "transferred"),
        ("ADC", "wrong_number"),
        ("NQI", "not_eligible"),
        # However it is spelt.
        ("CALL_BACK", "call_back"),
        ("callBack", "call_back"),
        ("3 - No Answer (2x)", "no_answer"),
        ("NOANSWER", "no_answer"),
        ("Not intrested", "not_interested"),
        ("(Not eligible)", "not_eligible"),
        # The other languages.
        ("Pas intéressé", "not_interested"),
        ("PAS INTERESSE", "not_interested"),
        ("à rappeler", "call_back"),
        ("Faux numéro", "wrong_number"),
        ("Kein Interesse", "not_interested"),
        ("Wiedervorlage am 3.12.2026", "call_back"),
        ("Anrufbeantworter", "voicemail"),
        ("Nicht erreicht", "no_answer"),
        ("Probefahrt vereinbart", "appointment"),
        ("Bestandskunde", "already_customer"),
        ("Llamar más tarde", "call_back"),
        ("no contesta", "no_answer"),
        ("Número equivocado", "wrong_number"),
        ("Niezainteresowana", "not_interested"),
        ("oddzwonić", "call_back"),
        ("poczta głosowa", "voicemail"),
        ("Geen gehoor", "no_answer"),
        ("Niet meer bellen", "do_not_call"),
        ("terugbelafspraak", "call_back"),
        ("İLGİLENMİYOR", "not_interested"),
        ("ilgileniyor", "interested"),
        ("Telefon kapalı", "unreachable"),
        ("لا يردّ", "no_answer"),
        ("مهتم جداً", "interested"),
        ("غير مهتم", "not_interested"),
        ("رقم خاطئ", "wrong_number"),
        ("عدم الاتصال", "do_not_call"),
        # Several at once: what matters most.
        ("No answer, left voicemail", "voicemail"),
        ("Interested, call back tomorrow", "call_back"),
        ("Do not call back", "do_not_call"),
        ("Wrong number - do not call", "do_not_call"),
        # What is denied is no news, and what nobody knows is nothing.
        ("no appointment", ""),
        ("randevu yok", ""),
        ("not yet interested", ""),
        ("Logistics", ""),
        ("EP", ""),
        ("", ""),
        ("---", ""),
        ("12", ""),
    ],
)
def test_what_a_centre_writes_is_understood(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("action", "codes"),
    [
        ("route", "not_called interested call_back appointment reached transferred"),
        (
            "history",
            "no_answer busy voicemail gatekeeper unreachable dropped not_interested not_eligible"
            " wrong_number already_customer sale duplicate_call resolved",
        ),
        ("suppress", "do_not_call"),
    ],
)
def test_what_follows_for_the_row(action: str, codes: str) -> None:
    assert [each.code for each in DISPOSITIONS.values() if each.action == action] == codes.split()


def test_every_word_on_the_lists_is_understood_as_listed() -> None:
    for code, languages in WORDS["words"].items():
        assert set(languages) == {"en", "fr", "de", "es", "pl", "nl", "tr", "ar"}, code
        for phrases in languages.values():
            for phrase in phrases.split("|"):
                assert code_of(phrase) == code, phrase
    for code, marks in WORDS["codes"].items():
        for mark in marks.split():
            assert code_of(mark) == code_of(mark.lower()) == code, mark


def test_every_code_is_understood_and_has_words() -> None:
    assert {*DISPOSITIONS, ""} == set(LABELS["disposition"])
    assert [code_of(code) for code in DISPOSITIONS] == list(DISPOSITIONS)


@given(st.sampled_from(sorted(DISPOSITIONS)), st.sampled_from(["", "1. ", "  ", "02 - ", "*"]))
def test_case_punctuation_and_digits_say_nothing(code: str, before: str) -> None:
    words = WORDS["words"][code]["en"].split("|")[0]
    for spelt in (words.upper(), words.title(), f"{before}{words}!", words.replace(" ", "-")):
        assert code_of(spelt) == code, spelt


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    found = disposition(text)
    assert found is None or DISPOSITIONS[found.code] is found
    assert told_time(text) in text


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("call back at 12/05/2026 14:30", "12/05/2026 14:30"),
        ("Rückruf am 3.12.2026 um 09:30 Uhr", "3.12.2026 um 09:30"),
        ("callback 2026-12-01T10:00:00+01:00 please", "2026-12-01T10:00:00+01:00"),
        ("oddzwonić 2026-12-01", "2026-12-01"),
        ("call back later", ""),
        ("call +48 512 345 678", ""),
    ],
)
def test_a_time_within_the_words_is_found(text: str, when: str) -> None:
    assert told_time(text) == when
