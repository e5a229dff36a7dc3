"""Sloppy opening hours: what is plain is offered in corrected form, what is not is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.hoursmending import mended
from lmt.openinghours import hours_problem


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        # Times
        ("10-18", "10:00-18:00"),
        ("9.00-17.00", "09:00-17:00"),
        ("9am-5pm", "09:00-17:00"),
        ("9:00 AM – 6:00 PM", "09:00-18:00"),
        ("9-5pm", "09:00-17:00"),
        ("9am-5", "09:00-17:00"),
        ("Mo-Fr 8:00-5:00pm", "Mo-Fr 08:00-17:00"),
        ("12pm-12am", "12:00-24:00"),
        ("12am-12pm", "00:00-12:00"),
        ("9-0", "09:00-24:00"),
        ("Mo-Fr 0900-1800", "Mo-Fr 09:00-18:00"),
        ("Mo-Fr 9h-24h", "Mo-Fr 09:00-24:00"),
        ("Mo-Fr 18.00-02.00", "Mo-Fr 18:00-02:00"),
        ("７：００－１９：００", "07:00-19:00"),
        ("Mo-Fr ９:00-18:00", "Mo-Fr 09:00-18:00"),
        ("Mo-Fr 9:00-17:00 h", "Mo-Fr 09:00-17:00"),
        # Days and their order
        ("Mo-Fr 9.00-17.00", "Mo-Fr 09:00-17:00"),
        ("Mon–Fri 9–18", "Mo-Fr 09:00-18:00"),
        ("8:00 – 20:00 Pn-Pt", "Mo-Fr 08:00-20:00"),
        ("9-17 Mo-Fr, Sa 9-13", "Mo-Fr 09:00-17:00; Sa 09:00-13:00"),
        ("Mo-Fr 8.30-18 (Sa 9-14)", "Mo-Fr 08:30-18:00; Sa 09:00-14:00"),
        ("Mo/Mi/Fr 9-12", "Mo,We,Fr 09:00-12:00"),
        ("Mo-Fr 9-18\nSa 9-13", "Mo-Fr 09:00-18:00; Sa 09:00-13:00"),
        ("Mo-Fr: 09:00-18:00", "Mo-Fr 09:00-18:00"),
        ("Su-Th 8 – 17", "Su-Th 08:00-17:00"),
        ("M-F 9am-5pm", "Mo-Fr 09:00-17:00"),
        ("daily 9-18", "Mo-Su 09:00-18:00"),
        # Breaks
        ("Mo-Fr 09:00-12:00 14:00-18:00", "Mo-Fr 09:00-12:00,14:00-18:00"),
        ("Mo-Fr 8-12/13-17", "Mo-Fr 08:00-12:00,13:00-17:00"),
        ("Saturday to Thursday 9 AM - 1 PM & 4 PM - 8 PM", "Sa-Th 09:00-13:00,16:00-20:00"),
        # Closed, and around the clock
        ("Mo-Sa 9-18, closed Sunday", "Mo-Sa 09:00-18:00; Su off"),
        ("10-18, closed Sunday", "10:00-18:00; Su off"),
        ("Mo-Fr 9-18 PH off", "Mo-Fr 09:00-18:00; PH off"),
        ("geschlossen", "off"),
        ("24h", "24/7"),
        ("24h/24", "24/7"),
        ("open 24 hours", "24/7"),
        # Languages
        ("lun-ven 8h30-12h, 14h-19h", "Mo-Fr 08:30-12:00,14:00-19:00"),
        ("Du lundi au vendredi de 8h30 à 12h et de 14h à 19h, fermé le dimanche",
         "Mo-Fr 08:30-12:00,14:00-19:00; Su off"),
        ("Mo-Fr 09:00 - 18:00 Uhr, Sa 9-13", "Mo-Fr 09:00-18:00; Sa 09:00-13:00"),
        ("Montag bis Freitag von 8 bis 18 Uhr, Samstag 9-13 Uhr, Sonntag geschlossen",
         "Mo-Fr 08:00-18:00; Sa 09:00-13:00; Su off"),
        ("Mo-Mi 9-12, Do-Fr 9-18", "Mo-We 09:00-12:00; Th-Fr 09:00-18:00"),
        ("Di-Fr 9-18", "Tu-Fr 09:00-18:00"),
        ("de lunes a viernes de 9:00 a 14:00 y de 16:00 a 20:00, sábado cerrado",
         "Mo-Fr 09:00-14:00,16:00-20:00; Sa off"),
        ("L-V 9:00-14:00 y 16:00-20:00", "Mo-Fr 09:00-14:00,16:00-20:00"),
        ("od poniedziałku do piątku od 9 do 18, sobota 9-14",
         "Mo-Fr 09:00-18:00; Sa 09:00-14:00"),
        ("pon.-pt. 8.00-18.00, niedziela nieczynne", "Mo-Fr 08:00-18:00; Su off"),
        ("maandag t/m vrijdag van 9 tot 18 uur", "Mo-Fr 09:00-18:00"),
        ("ma-vr 9.00-18.00 uur, za 9-17", "Mo-Fr 09:00-18:00; Sa 09:00-17:00"),
        ("Pazartesi-Cuma 09.00-18.00, Pazar kapalı", "Mo-Fr 09:00-18:00; Su off"),
        ("SALI - CUMA 09.00-18.00", "Tu-Fr 09:00-18:00"),
        ("Pazartesi ile Cuma arası 9-18", "Mo-Fr 09:00-18:00"),
        ("من الأحد إلى الخميس من ٩ صباحاً إلى ٦ مساءً", "Su-Th 09:00-18:00"),
        ("السبت - الخميس ٩:٠٠ - ٢١:٠٠، الجمعة مغلق", "Sa-Th 09:00-21:00; Fr off"),
        ("الأحد والاثنين 9-18", "Su,Mo 09:00-18:00"),
        # Right but for dots or dashes; the rest stays as it is
        ("Apr-Oct 9.00-18.00", "Apr-Oct 09:00-18:00"),
        ("Mo-Fr 9.00-17.00; Dec 24 9.00-12.00", "Mo-Fr 09:00-17:00; Dec 24 09:00-12:00"),
    ],
)  # fmt: skip
def test_plain_hours_are_offered_in_corrected_form(typed: str, offered: str) -> None:
    assert hours_problem(typed) is not None
    assert mended(typed) == offered
    assert hours_problem(offered) is None


@pytest.mark.parametrize(
    "typed",
    [
        "9-5",  # in the evening, or the next morning?
        "8-8",
        "9-11pm",  # 9 in the morning, or in the evening?
        "1-5",
        "Mo-Fr 8-12, 1-5",
        "Di 9-12",  # a Sunday in French, a Tuesday in German and Dutch
        "Do 9-18",
        "ma 9-17",
        "Mar 9.00-18.00",  # March, or mardi
        "Mo Fr 9-18",  # two days, or up to?
        "10-18, Sa 10-14",  # and Sunday?
        "Mo-Fr 9-18, Mon 10-12",
        "weekdays 9-18",  # which are they?
        "Mo-Fr 09:00-18:00; 01.05-03.05 off",  # a date, not a time
        "Mo-Fr 9.00-18.00; 01.05-03.05 off",
        "06.07-09.07 10:00-14:00",
        "closed Sunday",  # and when is it open?
        "Mo-Fr 25-26",
        "Mo-Fr 9-18; 14-16 off",
        "by appointment",
        "call us",
        "½",
        "",
        "   ",
        "Mo-Fr 9-18; " * 200,
        "\u0000",
    ],
)
def test_what_would_be_guessed_is_refused_with_a_reason(typed: str) -> None:
    assert hours_problem(typed)
    assert mended(typed) is None


@pytest.mark.parametrize("typed", ["Mo-Fr 09:00-18:00; PH off", "24/7", "off", "mo-fr 9:00-18:00"])
def test_accepted_hours_are_left_alone(typed: str) -> None:
    assert hours_problem(typed) is None
    assert mended(typed) is None


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["Mo", "lun", "Pn", "-", " ", ",", ";", "9", "18.30", "5pm", "12h", "off", "closed",
             "24h", "bis", "do", "Di", "الأحد", "٩", "PH", "24/7", ":", "(", "\n", "a"]
        ),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_whatever_is_typed_is_accepted_mended_or_refused(typed: str) -> None:
    offered = mended(typed)
    if hours_problem(typed) is None:
        assert offered is None
    elif offered is not None:
        assert hours_problem(offered) is None
        assert mended(offered) is None
