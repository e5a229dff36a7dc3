"""How a person is called: parts in order, titles apart, companies aside, capitals mended."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.companies import company_and_person, is_company
from lmt.ingest.namecase import proper_case
from lmt.ingest.names import person_name


@pytest.mark.parametrize(
    ("full", "language", "title", "first", "last", "shown"),
    [
        # Capitals, or none at all, become what the bearer writes.
        ("ANNA NOWAK", "pl", "", "Anna", "Nowak", "Anna Nowak"),
        ("anna nowak", "pl", "", "Anna", "Nowak", "Anna Nowak"),
        ("ANNA-MARIA WILK-SOWA", "pl", "", "Anna-Maria", "Wilk-Sowa", "Anna-Maria Wilk-Sowa"),
        ("JAN VAN DER BERG", "nl", "", "Jan", "van der Berg", "Jan van der Berg"),
        ("jan van der berg", "", "", "Jan", "van der Berg", "Jan van der Berg"),
        ("IJSBRAND DE BOER", "nl", "", "IJsbrand", "de Boer", "IJsbrand de Boer"),
        ("SEAN O'NEILL", "en", "", "Sean", "O'Neill", "Sean O'Neill"),
        ("RONALD MCDONALD", "en", "", "Ronald", "McDonald", "Ronald McDonald"),
        ("Ronald McDonald", "en", "", "Ronald", "McDonald", "Ronald McDonald"),
        ("KARL MAIER III", "en", "", "Karl", "Maier III", "Karl Maier III"),
        ("IŞIK YILDIRIM", "tr", "", "Işık", "Yıldırım", "Işık Yıldırım"),
        ("İBRAHİM ÇELİK", "tr", "", "İbrahim", "Çelik", "İbrahim Çelik"),
        ("ibrahim ışık", "tr", "", "İbrahim", "Işık", "İbrahim Işık"),
        ("ibrahim khan", "en", "", "Ibrahim", "Khan", "Ibrahim Khan"),
        ("JEAN-PIERRE DE LA TOUR", "fr", "", "Jean-Pierre", "de la Tour", None),
        ("CHARLES D'ARTAGNAN", "fr", "", "Charles", "d'Artagnan", "Charles d'Artagnan"),
        ("FAHAD AL OTAIBI", "en", "", "Fahad", "Al Otaibi", "Fahad Al Otaibi"),
        ("MOHAMMED BIN SALMAN", "", "", "Mohammed", "bin Salman", "Mohammed bin Salman"),
        ("ЗОЯ ИВАНОВА", "", "", "Зоя", "Иванова", "Зоя Иванова"),
        ("JJ", "en", "", "JJ", "", "JJ"),
        # A surname in capitals tells itself, wherever it stands.
        ("Jean DUPONT", "fr", "", "Jean", "Dupont", "Jean Dupont"),
        ("DUPONT Jean", "fr", "", "Jean", "Dupont", "Jean Dupont"),
        ("María LÓPEZ GARCÍA", "es", "", "María", "López García", "María López García"),
        ("NOWAK, Jan Piotr", "pl", "", "Jan Piotr", "Nowak", "Jan Piotr Nowak"),
        ("Müller, Dr. Karl", "de", "Dr.", "Karl", "Müller", "Karl Müller"),
        ("Kowalska Anna", "pl", "", "Anna", "Kowalska", "Anna Kowalska"),
        ("Anna Kowalska", "pl", "", "Anna", "Kowalska", "Anna Kowalska"),
        ("von der Leyen", "de", "", "", "von der Leyen", "von der Leyen"),
        # Two surnames, and given names that come in twos.
        ("María José García", "es", "", "María José", "García", "María José García"),
        ("Juan García López", "es", "", "Juan", "García López", "Juan García López"),
        # Arabic chains and halves.
        ("عبد الرحمن بن محمد آل سعود", "ar", "", "عبد الرحمن", "بن محمد آل سعود", None),
        ("أم كلثوم إبراهيم", "ar", "", "أم كلثوم", "إبراهيم", "أم كلثوم إبراهيم"),
        ("نور الدين أحمد", "ar", "", "نور الدين", "أحمد", "نور الدين أحمد"),
        ("Nour El Din Ahmed", "", "", "Nour El Din", "Ahmed", "Nour El Din Ahmed"),
        ("Abd Al Rahman Khan", "", "", "Abd Al Rahman", "Khan", "Abd Al Rahman Khan"),
        # Titles of every language shipped.
        ("Prof. Dr. med. Karl Maier", "de", "Prof. Dr. med.", "Karl", "Maier", "Karl Maier"),
        ("Herrn Karl Maier", "de", "Herrn", "Karl", "Maier", "Karl Maier"),
        ("Sra. Ana Ruiz", "es", "Sra.", "Ana", "Ruiz", "Ana Ruiz"),
        ("Mme Zoé Petit", "fr", "Mme", "Zoé", "Petit", "Zoé Petit"),
        ("Pani Anna Nowak", "", "Pani", "Anna", "Nowak", "Anna Nowak"),
        ("mgr inż. Jan Nowak", "pl", "mgr inż.", "Jan", "Nowak", "Jan Nowak"),
        ("Bay Ali Kaya", "tr", "Bay", "Ali", "Kaya", "Ali Kaya"),
        ("Bayan Ayşe Kaya", "tr", "Bayan", "Ayşe", "Kaya", "Ayşe Kaya"),
        ("De heer Jan de Wit", "nl", "De heer", "Jan", "de Wit", "Jan de Wit"),
        ("Mevr. A. Jansen", "nl", "Mevr.", "A.", "Jansen", "A. Jansen"),
        ("م. أحمد علي", "ar", "م.", "أحمد", "علي", "أحمد علي"),
        ("د/ أحمد علي", "ar", "د", "أحمد", "علي", "أحمد علي"),
        ("الشيخ/ محمد علي", "ar", "الشيخ", "محمد", "علي", "محمد علي"),
        # Drawings are no part of a name.
        ("😀 Anna Nowak 🚗", "pl", "", "Anna", "Nowak", "Anna Nowak"),
        ("★Anna★", "en", "", "Anna", "", "Anna"),
        ("𝓐𝓷𝓷𝓪 Nowak", "pl", "", "Anna", "Nowak", "Anna Nowak"),
        ("Ａｎｎａ", "en", "", "Anna", "", "Anna"),
        ("😀", "en", "", "", "", ""),
        # Two people in one field are nobody's first and last name.
        ("Anna i Jan Nowak", "pl", "", "", "", "Anna i Jan Nowak"),
        ("Anna and Jan Nowak", "en", "", "", "", "Anna and Jan Nowak"),
        ("Herr und Frau Müller", "de", "", "", "", "Herr und Frau Müller"),
        ("M. et Mme Dupont", "fr", "", "", "", "M. et Mme Dupont"),
        ("Juan y María López", "es", "", "", "", "Juan y María López"),
        ("José Ortega y Gasset", "es", "", "José", "Ortega y Gasset", "José Ortega y Gasset"),
        ("Ayşe ve Ali Yılmaz", "tr", "", "", "", "Ayşe ve Ali Yılmaz"),
        ("Jan en Anna de Vries", "nl", "", "", "", "Jan en Anna de Vries"),
        ("محمد و سارة العتيبي", "ar", "", "", "", "محمد و سارة العتيبي"),
        ("Anna Nowak / Jan Nowak", "pl", "", "", "", "Anna Nowak / Jan Nowak"),
        # What is no name is not taken apart.
        ("Jan Nowak (red car)", "pl", "", "", "", "Jan Nowak (red car)"),
        ("anna@example.com", "", "", "", "", "anna@example.com"),
    ],
)
def test_a_whole_name(
    full: str, language: str, title: str, first: str, last: str, shown: str | None
) -> None:
    name = person_name(full=full, language=language)
    assert (name.title, name.first, name.last) == (title, first, last)
    assert name.full == (f"{first} {last}" if shown is None else shown)
    assert name.company == ""


@pytest.mark.parametrize(
    ("text", "company", "person"),
    [
        ("Acme GmbH", "Acme GmbH", ""),
        ("Acme GmbH & Co. KG", "Acme GmbH & Co. KG", ""),
        ("Maier AG", "Maier AG", ""),
        ("Nowak Sp. z o.o.", "Nowak Sp. z o.o.", ""),
        ("Nowak sp.z o.o.", "Nowak sp.z o.o.", ""),
        ("NOWAK SP. Z O.O.", "NOWAK SP. Z O.O.", ""),
        ("Nova S.A.", "Nova S.A.", ""),
        ("Nova SA", "Nova SA", ""),
        ("Garage Petit SARL", "Garage Petit SARL", ""),
        ("Ruiz S.L.", "Ruiz S.L.", ""),
        ("De Vries B.V.", "De Vries B.V.", ""),
        ("Yıldız A.Ş.", "Yıldız A.Ş.", ""),
        ("Yılmaz San. ve Tic. Ltd. Şti.", "Yılmaz San. ve Tic. Ltd. Şti.", ""),
        ("Gulf Trading LLC", "Gulf Trading LLC", ""),
        ("Gulf Trading L.L.C", "Gulf Trading L.L.C", ""),
        ("Gulf Trading FZE", "Gulf Trading FZE", ""),
        ("Acme, Inc.", "Acme, Inc.", ""),
        ("النور ش.م.م", "النور ش.م.م", ""),
        ("شركة النور للسيارات", "شركة النور للسيارات", ""),
        ("Acme GmbH c/o Jan Nowak", "Acme GmbH", "Jan Nowak"),
        ("Jan Nowak c/o Acme GmbH", "Acme GmbH", "Jan Nowak"),
        ("Jan Nowak, Acme GmbH", "Acme GmbH", "Jan Nowak"),
        ("Acme GmbH (Jan Nowak)", "Acme GmbH", "Jan Nowak"),
        ("Acme GmbH - Jan Nowak", "Acme GmbH", "Jan Nowak"),
        ("Jan Nowak c/o Schmidt", "", "Jan Nowak"),
        ("MARIA SA", "", "MARIA SA"),
        ("Mohammed S.A. Khan", "", "Mohammed S.A. Khan"),
        ("GmbH", "", "GmbH"),
        ("Jan Nowak", "", "Jan Nowak"),
        ("Nowak, Jan", "", "Nowak, Jan"),
        ("", "", ""),
    ],
)
def test_companies_in_a_name_field(text: str, company: str, person: str) -> None:
    assert company_and_person(text) == (company, person)
    assert is_company(text) == bool(company and not person) or person != ""


@pytest.mark.parametrize(
    ("first", "last", "language", "expected"),
    [
        ("ANNA", "NG", "en", ("", "Anna", "Ng", "Anna Ng", "")),
        ("Jan", "VAN DER BERG", "nl", ("", "Jan", "van der Berg", "Jan van der Berg", "")),
        ("John", "smith", "en", ("", "John", "Smith", "John Smith", "")),
        ("JOSÉ", "DE LA CRUZ", "es", ("", "José", "de la Cruz", "José de la Cruz", "")),
        ("ali", "ışık", "tr", ("", "Ali", "Işık", "Ali Işık", "")),
        ("", "Herr Müller", "de", ("Herr", "", "Müller", "Müller", "")),
        ("JJ", "Abrams", "en", ("", "JJ", "Abrams", "JJ Abrams", "")),
        ("Acme", "GmbH", "de", ("", "", "", "", "Acme GmbH")),
        ("Anna Maria", "Łęcka", "pl", ("", "Anna Maria", "Łęcka", "Anna Maria Łęcka", "")),
    ],
)
def test_a_name_in_parts(
    first: str, last: str, language: str, expected: tuple[str, str, str, str, str]
) -> None:
    name = person_name(first=first, last=last, language=language)
    assert (name.title, name.first, name.last, name.full, name.company) == expected


@settings(max_examples=150, deadline=None)
@given(
    st.text(), st.text(), st.text(), st.sampled_from(["", "en", "es", "pl", "tr", "nl", "ar", "fr"])
)
def test_any_name_is_read_without_raising(a: str, b: str, c: str, language: str) -> None:
    person_name(title=a, first=b, last=c, language=language)
    person_name(full=a, language=language)
    person_name(full=f"{a} {b} {c}", first=b, language=language)
    proper_case(a, language)
    company_and_person(a)
