"""Made-up people: common given names beside surnames nobody carries, in the script they'd use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from lmt.demo.countries import BY_CODE
from lmt.routing.names import place_key

_EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net")

#: Given names and surnames, "written|latin" where the two differ.
_NAMES: Mapping[str, tuple[str, str]] = {
    "pl": (
        "Anna Marek Katarzyna Piotr Agnieszka Tomasz Zofia Paweł Magda Jakub Ewa Michał Julia",
        "Brzezinkiewicz Zawilczak Jarzębiński-Las Modrzewkowski Kalinogórski Wrzosiński-Maj"
        " Śnieżkowiak Łęgowicki-Bór Dąbrowodzki Mgiełkowski Żurawinek Pszczelnicki",
    ),
    "fr": (
        "Camille Julien Léa Antoine Chloé Mathieu Élise Hugo Inès Thomas Aurélie Nicolas Zoé",
        "Valcourtin Montferrière Brévannois Delatournelle Troisormes Belleriveau Saint-Aubrac"
        " Champfleurin Rocheclaire Duverlanges Hautemare Lavigneraie",
    ),
    "de": (
        "Anna Lukas Sabine Jürgen Lea Felix Ute Björn Greta Tobias Katrin Jonas Marlene",
        "Brennick Tannhöfer Wieselring Morgenthalert Kastenhöf Birkengrund Lindwieser Eschenrode"
        " Quellmüller Steinauerin Haselbrink Großwald-Au",
    ),
    "nl": (
        "Sanne Daan Femke Bram Lotte Sven Anouk Jeroen Fleur Ruben Maaike Thijs Noor",
        "Zonderwaal Oosterveldt Kromwijker Blauwesluis Wilgenhoek Molenschouw Rietlander"
        " Duindamme Zeegrachter Hooiveldt Lindescheer Waterkamper",
    ),
    "tr": (
        "Ayşe Mehmet Elif Mustafa Zeynep Emre Şule Can İpek Burak Gülşen Oğuz Derya",
        "Karaçınarlı Yelkovancı Akpınarlıoğlu Gökçedereli Zeytincioğulları Bozkayalar Ulusırtlı"
        " Işıkdağlı Çamlıbeller Kumsaloğlu Şenırmaklı Taşköprülüce",
    ),
    "ar": (
        "محمد|Mohammed سارة|Sara عبدالله|Abdullah نورة|Noura خالد|Khalid فاطمة|Fatimah"
        " أحمد|Ahmed مريم|Maryam يوسف|Yousef هند|Hind سلطان|Sultan ليلى|Layla عمر|Omar",
        "الواحاتي|Alwahati النجمطريق|Alnajmtariq الرمالية|Alrimaliya البيانصحراوي|Albayansahrawi"
        " النخيلاني|Alnakhilani المشرقاوية|Almashriqawiya الغديراني|Alghadirani"
        " السدرتين|Alsidratain الهضباوي|Alhadbawi الزعفرانين|Alzaafaranin"
        " الكثيبي|Alkathibi المرجانية|Almarjaniya",
    ),
    "en": (
        "Grace Daniel Priya Samuel Olivia Ravi Hannah Joseph Meera Adam Chloe Imran Nadia",
        "Bramblewick Oakhaven Larkspurton Penhollow Fernsby-Moor Ashgrovely Thistlewood"
        " Merriden-Vale Stonebeck Willowmere Harrowfield-Lea Dunsmoor",
    ),
}
_COMPANIES: Mapping[str, tuple[str, ...]] = {
    "pl": ("Zawilec Logistyka", "Modrzew Serwis", "Jarzębina Handel"),
    "fr": ("Transports Valcourtin", "Boulangeries Trois Ormes", "Bureau Montferrière"),
    "de": ("Brennick Gebäudetechnik", "Tannhöfer Pflegedienst", "Haselbrink Logistik"),
    "nl": ("Zonderwaal Installatie", "Molenschouw Thuiszorg", "Kromwijk Advies"),
    "tr": ("Karaçınar Lojistik", "Gökçedere İnşaat", "Yelkovan Danışmanlık"),
    "ar": ("مؤسسة الواحات للخدمات", "شركة الرمال للنقل", "مكتب النخيل للاستشارات"),
    "en": ("Oakhaven Facilities", "Stonebeck Consulting", "Willowmere Rentals"),
}
_COMMENTS: Mapping[str, tuple[str, ...]] = {
    "pl": (
        "Proszę o kontakt po 16:00.",
        "Interesuje mnie wersja z automatem i hakiem.",
        "Czy można przyjechać w sobotę?",
    ),
    "fr": (
        "Merci de me rappeler en fin de journée.",
        "Je voudrais comparer la version hybride et l'électrique.",
        "Reprise de mon ancien véhicule possible ?",
    ),
    "de": (
        "Bitte rufen Sie mich abends an.",
        "Ich interessiere mich für die Version mit Anhängerkupplung.",
        "Ist eine Probefahrt am Samstag möglich?",
    ),
    "nl": (
        "Graag terugbellen na vijf uur.",
        "Is de elektrische versie snel leverbaar?",
        "Ik wil mijn huidige auto inruilen.",
    ),
    "tr": (
        "Lütfen öğleden sonra arayın.",
        "Otomatik vitesli modelin fiyatını öğrenmek istiyorum.",
        "Cumartesi test sürüşü mümkün mü?",
    ),
    "ar": (
        "يرجى الاتصال بعد صلاة العصر.",
        "أرغب في معرفة سعر الفئة الكاملة.",
        "هل يمكن حجز تجربة قيادة يوم السبت؟",
    ),
    "en": (
        "Please call me in the evening.",
        "How long is the delivery time for the electric one?",
        "I would like to trade in my present car.",
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, or somebody who logs in; `latin` is the name in Latin letters."""

    full_name: str
    latin: str
    email: str
    phone: str
    language: str
    country: str


def person(rng: Random, country: str, language: str, number: int) -> Person:
    """Somebody; `number` keeps mail addresses apart."""
    given, surnames = (text.split() for text in _NAMES[language])
    first, first_latin = _scripts(rng.choice(given))
    last, last_latin = _scripts(rng.choice(surnames))
    domain = rng.choice(_EXAMPLE_DOMAINS)
    email = f"{place_key(first_latin)}.{place_key(last_latin)}{number}@{domain}"
    return Person(
        f"{first} {last}",
        f"{first_latin} {last_latin}",
        email,
        phone(rng, country),
        language,
        country,
    )


def phone(rng: Random, country: str) -> str:
    """A number of the country that rings nowhere."""
    return drawn(rng, rng.choice(BY_CODE[country].phones))


def drawn(rng: Random, pattern: str) -> str:
    """`pattern` with a digit for each # and a capital for each @."""
    digits = {"#": "0123456789", "@": "ABCDEFGHJKLMNPRSTVWXZ"}
    return "".join(rng.choice(digits[sign]) if sign in digits else sign for sign in pattern)


def company(rng: Random, language: str) -> str:
    return rng.choice(_COMPANIES[language])


def comment(rng: Random, language: str) -> str:
    return rng.choice(_COMMENTS[language])


def _scripts(name: str) -> tuple[str, str]:
    written, _, latin = name.partition("|")
    return written, latin or written
