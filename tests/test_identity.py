"""Who is who: a table of people who ask and people known, with the verdict a person would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.identity import Known, Person, judge, keys_of, match
from lmt.ingest.need import Need, same_need

MOBILE, MOBILE2 = "+491711234500", "+491609876501"
LINE, LINE2 = "+49302345678", "+49892345679"
GULF, GULF2 = "+966501234500", "+966559876501"
RIYADH = {"country": "SA", "city": "الرياض"}
BERLIN = {"country": "DE", "postcode": "10115", "city": "Berlin"}
HOME = {**BERLIN, "street": "Invalidenstraße 12"}
HAMBURG = {"country": "DE", "postcode": "20095", "city": "Hamburg"}
SAME, MAYBE, DIFFERENT = "same", "maybe", "different"


def who(name: str = "", **given: str) -> Person:
    return Person(full_name=name, **given)


PAIRS: list[tuple[str, Person, Person, str]] = [
    # One person, written in many ways
    ("all alike", who("Anna Müller", email="anna@mueller.de", phone=MOBILE),
     who("Anna Müller", email="anna@mueller.de", phone=MOBILE), SAME),
    ("same mail, new phone", who("Anna Müller", email="anna@mueller.de", phone=MOBILE2),
     who("Anna Müller", email="anna@mueller.de", phone=MOBILE), SAME),
    ("same phone, new mail", who("Anna Müller", email="a.m@web.de", phone=MOBILE),
     who("Anna Müller", email="anna@mueller.de", phone=MOBILE), SAME),
    ("a slip in the family name", who("Anna Mülelr", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("a slip in the given name", who("Thmoas Bauer", phone=MOBILE),
     who("Thomas Bauer", phone=MOBILE), SAME),
    ("umlaut spelled out", who("Anna Mueller", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("umlaut left out", who("Jorg Muller", phone=MOBILE), who("Jörg Müller", phone=MOBILE), SAME),
    ("sharp s", who("Eva Strauss", phone=MOBILE), who("Eva Strauß", phone=MOBILE), SAME),
    ("family name first", who("Müller Anna", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("family name first, with a comma", who("Müller, Anna", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("capitals and blanks", who("  ANNA   MÜLLER ", phone=MOBILE),
     who("anna müller", phone=MOBILE), SAME),
    ("a title", who("Frau Dr. Anna Müller", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("particles left out", who("Anna Heide", phone=MOBILE),
     who("Anna von der Heide", phone=MOBILE), SAME),
    ("particles joined", who("Jan Vandenberg", phone=MOBILE),
     who("Jan van den Berg", phone=MOBILE), SAME),
    ("Spanish particles", who("María Cruz", email="m.cruz@correo.es"),
     who("María de la Cruz", email="m.cruz@correo.es"), SAME),
    ("one of two Spanish surnames", who("Juan García", phone="+34612345678"),
     who("Juan García López", phone="+34612345678"), SAME),
    ("middle initial", who("John Q. Smith", phone=LINE), who("John Smith", phone=LINE), SAME),
    ("middle name left out", who("Hans Müller", phone=LINE),
     who("Hans Georg Müller", phone=LINE), SAME),
    ("double given name in one", who("Jeanpierre Dupont", phone=LINE),
     who("Jean-Pierre Dupont", phone=LINE), SAME),
    ("nickname", who("Bill Carter", phone=LINE), who("William Carter", phone=LINE), SAME),
    ("Polish nickname", who("Kasia Nowak", phone="+48501234567"),
     who("Katarzyna Nowak", phone="+48501234567"), SAME),
    ("Polish letters", who("Lukasz Wojcik", phone="+48501234567"),
     who("Łukasz Wójcik", phone="+48501234567"), SAME),
    ("Polish family name in the other form", who("Anna Kowalski", phone="+48501234567"),
     who("Anna Kowalska", phone="+48501234567"), SAME),
    ("Turkish letters", who("Sukru Yilmaz", phone="+905321234567"),
     who("Şükrü Yılmaz", phone="+905321234567"), SAME),
    ("Turkish capitals", who("İBRAHİM IŞIK", phone="+905321234567"),
     who("İbrahim Işık", phone="+905321234567"), SAME),
    ("Arabic and Latin", who("محمد القحطاني", phone=GULF),
     who("Mohammed Al-Qahtani", phone=GULF), SAME),
    ("two Latin spellings", who("Mohamad Alkahtani", phone=GULF),
     who("Mohammed Al-Qahtani", phone=GULF), SAME),
    ("Arabic and another Latin spelling", who("محمد القحطاني", phone=GULF),
     who("Mohamad Alkahtani", phone=GULF), SAME),
    ("Arabic with a title", who("الأستاذ خالد الحربي", phone=GULF),
     who("Khaled Alharby", phone=GULF), SAME),
    ("ibn left out", who("Mohammed Salman Alqahtani", phone=GULF),
     who("محمد بن سلمان القحطاني", phone=GULF), SAME),
    ("Abdul apart and joined", who("Abdul Rahman Saleh", phone=GULF),
     who("Abdulrahman Saleh", phone=GULF), SAME),
    ("Abdul apart, in Arabic", who("عبد الرحمن صالح", phone=GULF),
     who("Abdulrahman Saleh", phone=GULF), SAME),
    ("the father's name left out", who("Mohammed Al-Harbi", phone=GULF),
     who("Mohammed Ahmed Al-Harbi", phone=GULF), SAME),
    ("Cyrillic", who("Иван Петров", email="ivan.petrov@post.bg"),
     who("Ivan Petrov", email="ivan.petrov@post.bg"), SAME),
    ("Greek", who("Γιώργος Παπαδόπουλος", phone="+306912345678"),
     who("Giorgos Papadopoulos", phone="+306912345678"), SAME),
    ("scripts that can't be compared, both keys", who("王伟", email="ww@post.cn", phone=MOBILE),
     who("Wang Wei", email="ww@post.cn", phone=MOBILE), SAME),
    ("scripts that can't be compared, a phone", who("王伟", phone=LINE),
     who("Wang Wei", phone=LINE), MAYBE),
    # Parts of a name
    ("given name alone", who("Anna", phone=MOBILE), who("Anna Müller", phone=MOBILE), SAME),
    ("family name alone, a mail", who("Müller", email="anna@mueller.de"),
     who("Anna Müller", email="anna@mueller.de"), SAME),
    ("family name alone, a phone", who("Müller", phone=LINE),
     who("Anna Müller", phone=LINE), MAYBE),
    ("initial, a mail", who("A. Müller", email="anna@mueller.de"),
     who("Anna Müller", email="anna@mueller.de"), SAME),
    ("initial, a phone", who("A. Müller", phone=LINE), who("Anna Müller", phone=LINE), MAYBE),
    ("another initial", who("P. Müller", phone=LINE), who("Anna Müller", phone=LINE), DIFFERENT),
    # Nobody said a name
    ("mail only", who(email="anna@mueller.de"), who(email="anna@mueller.de"), SAME),
    ("mail only, a name known", who(email="anna@mueller.de"),
     who("Anna Müller", email="anna@mueller.de"), SAME),
    ("mobile only, a name known", who(phone=MOBILE), who("Anna Müller", phone=MOBILE), SAME),
    ("landline only, a name known", who(phone=LINE), who("Anna Müller", phone=LINE), MAYBE),
    ("landline only, twice", who(phone=LINE), who(phone=LINE), SAME),
    ("phone and mail, a name known", who(email="anna@mueller.de", phone=LINE),
     who("Anna Müller", email="anna@mueller.de", phone=LINE), SAME),
    # Families
    ("couple on one phone", who("Peter Müller", phone=LINE),
     who("Anna Müller", phone=LINE), DIFFERENT),
    ("couple sharing a mail", who("Peter Müller", email="die@muellers.de"),
     who("Anna Müller", email="die@muellers.de"), DIFFERENT),
    ("couple sharing phone and mail", who("Peter Müller", email="die@muellers.de", phone=LINE),
     who("Anna Müller", email="die@muellers.de", phone=LINE), MAYBE),
    ("couple with two family names", who("Peter Schmidt", phone=LINE),
     who("Anna Müller", phone=LINE), DIFFERENT),
    ("Polish couple", who("Jan Kowalski", phone="+48221234567"),
     who("Anna Kowalska", phone="+48221234567"), DIFFERENT),
    ("brother and sister, a letter apart", who("Mario Rossi", phone="+390612345678"),
     who("Maria Rossi", phone="+390612345678"), DIFFERENT),
    ("father and daughter, a letter apart", who("Martin Weber", phone=LINE),
     who("Martina Weber", phone=LINE), DIFFERENT),
    ("father and son on one phone", who("Khalid Al-Harbi", phone=GULF),
     who("Fahad Al-Harbi", phone=GULF), DIFFERENT),
    ("father and son named for each other", who("Ahmed Mohammed Al-Harbi", phone=GULF),
     who("Mohammed Ahmed Al-Harbi", phone=GULF), MAYBE),
    ("son with his father's name", who("Mohammed Al-Harbi", phone=GULF),
     who("Ahmed Mohammed Al-Harbi", phone=GULF), MAYBE),
    ("senior and junior", who("John Smith Jr", phone=LINE), who("John Smith", phone=LINE), MAYBE),
    ("brothers, in Arabic and Latin", who("حسن علي", phone=GULF),
     who("Hussein Ali", phone=GULF), DIFFERENT),
    ("cousins", who("Mohammed Saad Al-Qahtani", phone=GULF),
     who("Mohammed Ali Al-Qahtani", phone=GULF), MAYBE),
    ("married, phone and mail kept", who("Anna Schmidt", email="anna@web.de", phone=MOBILE),
     who("Anna Müller", email="anna@web.de", phone=MOBILE), SAME),
    ("married, both names", who("Anna Müller-Schmidt", phone=MOBILE),
     who("Anna Müller", phone=MOBILE), SAME),
    ("married, mail kept", who("Anna Schmidt", email="anna@web.de"),
     who("Anna Müller", email="anna@web.de"), MAYBE),
    ("married, phone kept", who("Anna Schmidt", phone=LINE),
     who("Anna Müller", phone=LINE), MAYBE),
    ("a number given to somebody new", who("Jan Nowak", phone="+48501234567"),
     who("Ewa Wiśniewska", phone="+48501234567"), DIFFERENT),
    ("other names, phone and mail", who("Jan Nowak", email="x9@poczta.pl", phone="+48501234567"),
     who("Ewa Wiśniewska", email="x9@poczta.pl", phone="+48501234567"), MAYBE),
    # Companies
    ("switchboard, two people", who("Anna Müller", company="Acme GmbH", phone=LINE),
     who("Jonas Beck", company="Acme GmbH", phone=LINE), DIFFERENT),
    ("info address, two people", who("Anna Müller", company="Acme", email="info@acme.de"),
     who("Jonas Beck", company="Acme GmbH", email="info@acme.de"), DIFFERENT),
    ("info address, one person", who("Anna Müller", company="Acme", email="info@acme.de"),
     who("Müller, Anna", company="Acme GmbH", email="info@acme.de"), SAME),
    ("switchboard, nobody named", who(company="Acme GmbH", phone=LINE),
     who(company="ACME", phone=LINE), SAME),
    ("company calls, a person known", who(company="Acme GmbH", phone=LINE),
     who("Anna Müller", company="Acme GmbH", phone=LINE), MAYBE),
    ("company and private person", who(company="Acme GmbH", email="anna@acme.de"),
     who("Anna Müller", email="anna@acme.de"), MAYBE),
    ("company where the name belongs", who("Acme GmbH", phone=LINE),
     who(company="Acme", phone=LINE), SAME),
    ("company where the name belongs, a person known", who("Acme GmbH", phone=LINE),
     who("Anna Müller", phone=LINE), MAYBE),
    ("two companies, one phone", who(company="Acme GmbH", phone=LINE),
     who(company="Borealis Logistik", phone=LINE), MAYBE),
    ("info address, a name known", who(email="info@acme.de"),
     who("Anna Müller", email="info@acme.de"), MAYBE),
    # Addresses of mail
    ("dots and tags at gmail", who("Anna Müller", email="Anna.Mueller+auto@googlemail.com"),
     who("Anna Müller", email="annamueller@gmail.com"), SAME),
    ("tags at outlook", who("Anna Müller", email="anna.m+cars@outlook.com"),
     who("Anna Müller", email="anna.m@outlook.com"), SAME),
    ("dots elsewhere", who("Anna Müller", email="anna.m@firma.de"),
     who("Anna Müller", email="annam@firma.de"), DIFFERENT),
    ("tags elsewhere", who("Anna Müller", email="anna+x@firma.de"),
     who("Anna Müller", email="anna@firma.de"), DIFFERENT),
    ("case of the mail", who("Anna Müller", email="ANNA@Mueller.DE"),
     who("Anna Müller", email="anna@mueller.de"), SAME),
    ("placeholder phone", who("Anna Müller", phone="+490000000000"),
     who("Jonas Beck", phone="+490000000000"), DIFFERENT),
    ("placeholder phone, one name", who("Anna Müller", phone="+491710000000"),
     who("Anna Müller", phone="+491710000000"), DIFFERENT),
    ("placeholder mail", who("Anna Müller", email="test@test.de"),
     who("Anna Müller", email="test@test.de"), DIFFERENT),
    ("nobody's mail", who(email="noreply@firma.de"), who(email="noreply@firma.de"), DIFFERENT),
    # Names and places alone
    ("name, street and postcode", who("Anna Müller", **HOME),
     who("Anna Mueller", **{**HOME, "street": "Invalidenstr. 12"}), SAME),
    ("name and postcode, another number", who("Anna Müller", **HOME),
     who("Anna Müller", **{**HOME, "street": "Invalidenstr. 14"}), MAYBE),
    ("name and postcode", who("Anna Müller", **BERLIN), who("Anna Müller", **BERLIN), MAYBE),
    ("name and city", who("Anna Müller", country="DE", city="Berlin"),
     who("Anna Müller", **BERLIN), MAYBE),
    ("name and city, Arabic and Latin", who("محمد القحطاني", phone=GULF, **RIYADH),
     who("Mohammed Al-Qahtani", phone=GULF2, **RIYADH), MAYBE),
    ("name and another city", who("Anna Müller", **HAMBURG),
     who("Anna Müller", **BERLIN), DIFFERENT),
    ("name and another country", who("Anna Müller", country="AT", city="Berlin"),
     who("Anna Müller", country="DE", city="Berlin"), DIFFERENT),
    ("name alone", who("Anna Müller"), who("Anna Müller"), DIFFERENT),
    ("family at one address", who("Peter Müller", **HOME),
     who("Anna Müller", **HOME), DIFFERENT),
    ("neighbours", who("Jonas Beck", **HOME), who("Anna Müller", **HOME), DIFFERENT),
    ("given name and city", who("Anna", **BERLIN), who("Anna Müller", **BERLIN), DIFFERENT),
    ("nothing at all", who(), who(), DIFFERENT),
]  # fmt: skip


def _known(person: Person, customer_id: int = 1) -> Known:
    return Known(customer_id, person, (person.email,), (person.phone,))


@pytest.mark.parametrize(
    ("asked", "known", "expected"),
    [pair[1:] for pair in PAIRS],
    ids=[pair[0] for pair in PAIRS],
)
def test_the_verdict_is_a_persons(asked: Person, known: Person, expected: str) -> None:
    said = judge(asked, _known(known))
    assert said.verdict == expected, said
    turned = judge(known, _known(asked))
    assert (turned.score, turned.verdict) == (said.score, said.verdict)


def test_precision_and_recall_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    said = [judge(asked, _known(known)).verdict for _what, asked, known, _expected in PAIRS]
    meant = [expected for *_rest, expected in PAIRS]
    figures = {}
    for name, words in (("same", {SAME}), ("same or maybe", {SAME, MAYBE})):
        hits = sum(s in words and m in words for s, m in zip(said, meant, strict=True))
        precision = hits / sum(s in words for s in said)
        recall = hits / sum(m in words for m in meant)
        figures[name] = (precision, recall)
        with capsys.disabled():
            print(f"\n{name}: precision {precision:.3f}, recall {recall:.3f} of {len(PAIRS)} pairs")
    assert len(PAIRS) >= 60
    assert figures["same"] == (1.0, 1.0)
    assert figures["same or maybe"] == (1.0, 1.0)


# --- candidates ------------------------------------------------------------------------------


def test_a_phone_and_a_mail_of_two_people_name_neither() -> None:
    anna = _known(who("Anna Müller", email="anna@mueller.de"), 1)
    jonas = _known(who("Jonas Beck", phone=MOBILE), 2)
    found = match(who(email="anna@mueller.de", phone=MOBILE), [anna, jonas])
    assert found.same is None
    assert {known.customer_id for known, _verdict in found.maybe} == {1, 2}


def test_a_name_says_which_of_two() -> None:
    anna = _known(who("Anna Müller", email="die@muellers.de", phone=LINE), 1)
    peter = _known(who("Peter Müller", email="die@muellers.de", phone=LINE), 2)
    found = match(who("P. Müller", phone=LINE), [anna, peter])
    assert found.same is None
    found = match(who("Peter Mueller", email="die@muellers.de"), [anna, peter])
    assert found.same is peter
    assert found.maybe == ()


def test_one_person_known_twice_is_the_first_and_the_other_is_suggested() -> None:
    first = _known(who("Anna Müller", email="anna@mueller.de"), 1)
    second = _known(who("Anna Mueller", email="anna@mueller.de"), 2)
    found = match(who("Anna Müller", email="anna@mueller.de"), [second, first])
    assert found.same is first
    assert [known for known, _verdict in found.maybe] == [second]


def test_a_name_missing_where_a_couple_shares_the_mail_names_neither() -> None:
    anna = _known(who("Anna Müller", email="die@muellers.de"), 1)
    peter = _known(who("Peter Müller", email="die@muellers.de"), 2)
    found = match(who(email="die@muellers.de"), [anna, peter])
    assert found.same is None
    assert len(found.maybe) == 2


def test_every_mail_and_phone_of_a_customer_counts() -> None:
    known = Known(1, who("Anna Müller"), ("old@web.de", "anna@mueller.de"), (MOBILE, LINE))
    assert judge(who("Anna Müller", phone=LINE), known).verdict == SAME
    assert judge(who("Anna Müller", email="old@web.de"), known).verdict == SAME


# --- keys ------------------------------------------------------------------------------------


def _shared(a: Person, b: Person) -> set[tuple[str, str]]:
    return set(keys_of(a)) & set(keys_of(b))


def test_keys_are_phones_in_e164_and_mails_in_one_spelling() -> None:
    asked = who("Anna Müller", email="Anna.M+x@GMail.com", phone=MOBILE)
    assert keys_of(asked) == [("email", "annam@gmail.com"), ("phone", MOBILE)]
    assert keys_of(who("Anna Müller", email="test@test.de", phone="0171 123")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Müller", "MUELLER, Anna"),
        ("محمد القحطاني", "Mohamad Alkahtani"),
        ("محمد عبدالله القحطاني", "Mohammed Al-Qahtani"),
        ("Łukasz Wójcik", "lukasz wojcik"),
        ("Иван Петров", "Ivan Petrov"),
        ("Jan van den Berg", "Berg, Jan"),
    ],
)
def test_namesakes_at_a_place_find_each_other(one: str, other: str) -> None:
    assert _shared(who(one, **BERLIN), who(other, **BERLIN))
    assert not _shared(who(one, **BERLIN), who(other, **HAMBURG))
    assert not _shared(who(one), who(other))


def test_pairs_that_are_one_by_name_and_place_share_a_key() -> None:
    for what, asked, known, expected in PAIRS:
        if expected != DIFFERENT:
            assert _shared(asked, known), what


# --- whatever anybody types ------------------------------------------------------------------

texts = st.text(max_size=40) | st.sampled_from(
    ["Anna Müller", "محمد القحطاني", "Dr. van der", "a@b", "+49", "٣٤ شارع", "x" * 500, "\x00", "١"]
)
people = st.builds(
    Person, *([texts] * 4), texts, texts | st.just(MOBILE), *([texts] * 4)
)  # fmt: skip


@given(people, people)
@settings(max_examples=300, deadline=None)
def test_any_text_gets_a_verdict_and_the_two_may_change_places(a: Person, b: Person) -> None:
    said, turned = judge(a, _known(b)), judge(b, _known(a))
    assert (said.score, said.verdict) == (turned.score, turned.verdict)
    assert 0 <= said.score <= 1
    assert keys_of(a) == sorted(set(keys_of(a)))


@given(people)
@settings(max_examples=200, deadline=None)
def test_everybody_is_the_same_as_themselves(person: Person) -> None:
    if any(kind in ("phone", "email") for kind, _value in keys_of(person)):
        assert judge(person, _known(person)).verdict == SAME
        assert match(person, [_known(person)]).same is not None


@given(st.sampled_from(PAIRS), st.sampled_from([str.upper, str.title, str.lower]))
@settings(max_examples=200, deadline=None)
def test_case_and_blanks_do_not_count(
    pair: tuple[str, Person, Person, str], case: Callable[[str], str]
) -> None:
    _what, asked, known, expected = pair
    changed = replace(
        asked,
        full_name=f"  {case(asked.full_name)} ".replace(" ", "  "),
        email=asked.email.upper(),
        city=f" {asked.city.upper()} ",
    )
    assert judge(changed, _known(known)).verdict == expected


# --- needs -----------------------------------------------------------------------------------

VIN, VIN2 = "WVWZZZ1JZXW000001", "WVWZZZ1JZXW000002"


@pytest.mark.parametrize(
    ("asked", "open_", "expected"),
    [
        (Need(1, "test_drive", "Sierra"), Need(1, "test_drive", "Sierra"), True),
        (Need(1, "test_drive", "Sierra"), Need(1, "quote", "Tahoe"), True),
        (Need(1, "brochure"), Need(1, "finance"), True),
        (Need(1, ""), Need(1, "information"), True),
        (Need(1, "callback"), Need(1, ""), True),
        (Need(1, "trade_in"), Need(1, "other"), True),
        (Need(1, "test_drive"), Need(2, "test_drive"), False),
        (Need(None, "test_drive"), Need(2, "test_drive"), True),
        (Need(1, "test_drive"), Need(1, "used_car"), False),
        (Need(1, "used_car", "Sierra"), Need(1, "used_car", "Tahoe"), True),
        (Need(1, "test_drive"), Need(1, "after_sales"), False),
        (Need(1, "after_sales", vin=VIN), Need(1, "after_sales", vin=VIN2), False),
        (Need(1, "after_sales", vin=VIN), Need(1, "parts", vin=VIN.lower()), True),
        (Need(1, "after_sales", vin=VIN), Need(1, "after_sales"), True),
        (Need(1, "fleet"), Need(1, "quote"), False),
        (Need(1, "complaint"), Need(1, "after_sales"), False),
        (Need(1, "complaint"), Need(1, "complaint"), True),
        (Need(1, "insurance"), Need(1, "quote"), False),
        (Need(1, "insurance"), Need(1, "insurance"), True),
    ],
)
def test_the_same_need_again(asked: Need, open_: Need, expected: bool) -> None:
    assert same_need(asked, open_) is expected
    assert same_need(open_, asked) is expected
