"""Which of a stranger's fields is which of ours: headers in every shipped language, and values."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from lmt.config import LOCALES
from lmt.mapping.flatten import flat
from lmt.mapping.names import named_targets
from lmt.mapping.payload import records
from lmt.mapping.presets import PRESETS
from lmt.mapping.suggest import THRESHOLD, suggestions
from lmt.mapping.targets import TARGETS

# The header a sender uses, and the field that it means; "" where a guess would be wrong.
TABLE = """
First Name -> customer.first_name
lastName -> customer.last_name
FULL_NAME -> customer.full_name
Customer E-Mail Address * -> customer.email
Mobile No. -> customer.phone
What is the best phone number to reach you? -> customer.phone
Zip/Postal Code -> address.postcode
which_model_are_you_interested_in? -> request.model
what_is_your_preferred_dealership? -> request.preferred_dealer
When are you planning to buy? -> request.timeframe
Anything else we should know? -> request.comments
Current vehicle make -> vehicle.trade_in.make
utm_campaign -> campaign.utm_campaign
GCLID -> campaign.gclid
Submission Date -> sent_at
Newsletter subscription -> consents.marketing
Chassis Number -> vehicle.vin
Best time to call -> request.contact_time
Prénom -> customer.first_name
Nom de famille -> customer.last_name
Votre adresse e-mail : -> customer.email
Numéro de portable -> customer.phone
Code postal (obligatoire) -> address.postcode
Ville -> address.city
Civilité -> customer.title
Concession souhaitée -> request.preferred_dealer
Type de demande -> request.type
Modèle souhaité -> request.model
1. Ihre Telefonnummer? -> customer.phone
Vorname -> customer.first_name
Nachname* -> customer.last_name
E-Mail-Adresse -> customer.email
PLZ -> address.postcode
Wohnort -> address.city
Straße und Hausnummer -> address.street
Wunschhändler -> request.preferred_dealer
Fahrgestellnummer -> vehicle.vin
Anrede -> customer.title
Kilometerstand -> vehicle.trade_in.odometer
Nombre y apellidos -> customer.full_name
Correo electrónico -> customer.email
Teléfono móvil -> customer.phone
Código Postal -> address.postcode
Concesionario -> request.preferred_dealer
¿Cuándo piensa comprar? -> request.timeframe
Imię i nazwisko -> customer.full_name
Twój adres e-mail -> customer.email
Nr telefonu -> customer.phone
Kod pocztowy -> address.postcode
Miejscowość -> address.city
Treść wiadomości -> request.comments
Zgoda marketingowa -> consents.marketing
Voornaam -> customer.first_name
Achternaam -> customer.last_name
Uw telefoonnummer -> customer.phone
Woonplaats -> address.city
Voorkeursdealer -> request.preferred_dealer
Inruilauto -> vehicle.trade_in.description
Adınız Soyadınız -> customer.full_name
E-posta adresiniz -> customer.email
Cep Telefonu -> customer.phone
Şehir -> address.city
Yetkili satıcı -> request.preferred_dealer
Satın alma zamanı -> request.timeframe
الاسم الكامل -> customer.full_name
البريد الإلكتروني -> customer.email
رقم الجوّال -> customer.phone
المدينة -> address.city
الرمز البريدى -> address.postcode
اسم العائلة -> customer.last_name
المعرض المفضل -> request.preferred_dealer
رسالتك -> request.comments
Telphone Number -> customer.phone
fields[email][value] -> customer.email
contact.address.zip -> address.postcode
Page Name ->
Form name ->
IP address ->
Date of birth ->
Geburtsdatum ->
Email verified ->
How did you hear about us? ->
Dealer phone ->
Dealer email ->
Salesperson name ->
Phone type ->
Lead status ->
Company size ->
Job title ->
Event name ->
User agent ->
Favourite colour ->
Preferred contact method ->
License plate number ->
Do you have a driving licence? ->
"""
HEADERS = [
    (header, expected.strip())
    for header, _, expected in (line.partition(" ->") for line in TABLE.strip().splitlines())
]


def test_headers_in_every_language(capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong, missed = 0, [], []
    for header, expected in HEADERS:
        found = suggestions([{header: ""}])
        target = found[0].target if found else ""
        if target == expected:
            right += bool(target)
        else:
            (wrong if target else missed).append((header, target, expected))
    wanted = sum(bool(expected) for _header, expected in HEADERS)
    precision, recall = right / (right + len(wrong)), right / wanted
    with capsys.disabled():
        print(
            f"\nsuggestions by header: {len(HEADERS)} headers, precision {precision:.3f},"
            f" recall {recall:.3f}"
        )
    assert not wrong
    assert not missed


def test_every_header_of_every_language_stands_for_one_field() -> None:
    """A word in the book for two fields would be right for one of them only."""
    book = json.loads(files("lmt.mapping").joinpath("synonyms.json").read_text("utf-8"))["targets"]
    assert set(book) <= set(TARGETS)
    for target, languages in book.items():
        assert set(languages) <= set(LOCALES)
        for synonym in "|".join(languages.values()).split("|"):
            assert named_targets(synonym.removeprefix("=")) == {target: 1.0}, synonym
    for target in TARGETS:
        if target.startswith(("customer.", "address.", "request.")):
            assert set(book[target]) == set(LOCALES), target


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (["ann@example.com", "bo@example.org"], "customer.email"),
        (["+48 512 345 678", "+33 6 12 34 56 78"], "customer.phone"),
        (["00-950", "31-042"], "address.postcode"),
        (["1017 CA"], "address.postcode"),
        (["WVWZZZ1JZXW000001"], "vehicle.vin"),
        (["2026-03-06T09:12:00+03:00"], "sent_at"),
        (["pl_PL", "de-DE"], "customer.language"),
        (["https://www.example.com/a?utm_source=x"], "campaign.landing_page"),
        (["EAIaIQobChMI4sample_click_51"], "campaign.gclid"),
        (["512345678"], ""),
        (["1984-05-03"], ""),
        (["yes", "no"], ""),
        (["34117"], ""),
        (["Elvaro"], ""),
        (["https://www.example.com/a"], ""),
        (["", " "], ""),
    ],
)
def test_what_values_alone_tell(values: list[str], target: str) -> None:
    found = suggestions([{"q9": value} for value in values])
    assert [each.target for each in found] == ([target] if target else [])
    assert all(each.why == "value" and each.score >= THRESHOLD for each in found)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        # A name that its values belie is not believed.
        ({"Email": "yes", "Contact": "ann@example.com"}, {"customer.email": "Contact"}),
        ({"Phone": "ann@example.com"}, {"customer.email": "Phone"}),
        ({"Name": "true"}, {}),
        ({"I agree to be contacted": "Elvaro"}, {}),
        # One path for each target, and the surer one.
        ({"Contact phone number": "512345678", "Phone": "512345679"}, {"customer.phone": "Phone"}),
        # Beside a first name, a bare name is the family's; and the reverse.
        ({"Vorname": "Jana", "Name": "Köhler"},
         {"customer.first_name": "Vorname", "customer.last_name": "Name"}),
        ({"Nombre": "Lucía", "Apellidos": "Serrano"},
         {"customer.first_name": "Nombre", "customer.last_name": "Apellidos"}),
        ({"Nom": "Girard"}, {"customer.full_name": "Nom"}),
        # Secrets and machinery are nobody's.
        ({"google_key": "ann@example.com", "_wpcf7_locale": "pl_PL"}, {}),
        ({"lat": "52.2297", "lng": "21.0122"}, {"address.lat": "lat", "address.lon": "lng"}),
        ({"current_vehicle_model": "Sorrel", "model": "Elvaro"},
         {"request.model": "model", "vehicle.trade_in.model": "current_vehicle_model"}),
        ({"marketing_opt_in": "1", "gdpr": "on"},
         {"consents.contact": "gdpr", "consents.marketing": "marketing_opt_in"}),
    ],
)  # fmt: skip
def test_names_and_values_together(sample: dict[str, str], expected: dict[str, str]) -> None:
    assert {each.target: each.path for each in suggestions([sample])} == expected


def test_what_is_taken_is_left_alone() -> None:
    sample = {"email": "ann@example.com", "phone": "+48512345678", "mail": "bo@example.com"}
    found = suggestions([sample], taken=["customer.email", "phone"])
    assert found == []


def test_a_stranger_s_form_is_mapped_by_its_questions_and_answers() -> None:
    preset = PRESETS["typeform"]
    (record,) = records(preset.sample.encode(), preset.sample_type)
    answers = record["form_response"]["answers"]
    for number, answer in enumerate(answers):
        answer["field"]["ref"] = f"f{number}c9"
    for number, field in enumerate(record["form_response"]["definition"]["fields"]):
        field["ref"] = f"f{number}c9"
    found = {each.target: each for each in suggestions([flat(record)])}
    assert found["customer.full_name"].path == "form_response.answers.f0c9"
    assert found["customer.email"].path == "form_response.answers.f1c9"
    assert found["customer.email"].why == "value"


def test_the_presets_own_fields_are_found_without_them() -> None:
    """What the ready-made tables say by hand is mostly guessed right, and never guessed wrong."""
    right = wrong = 0
    for preset in PRESETS.values():
        (record,) = records(preset.sample.encode(), preset.sample_type)
        ours = {path: line.target for line in preset.mapping.lines for path in line.paths}
        for each in suggestions([flat(record)]):
            if each.path in ours and not each.target.startswith("campaign."):
                right += ours[each.path] == each.target
                wrong += ours[each.path] != each.target
    assert wrong == 0
    assert right >= 40


def test_a_wide_table_is_read_in_no_time() -> None:
    wide = [{f"column {number} {number % 7}": "x" for number in range(2_000)} for _ in range(5)]
    assert suggestions(wide) == []
