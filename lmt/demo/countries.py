"""How showrooms live in each country of the demo: hours, streets, postcodes, numbers to dial.

Hours follow what showrooms there keep, dealer by dealer: a country's weekend implies none of
them. Phone numbers are ranges set aside for fiction where a country has such (France, Germany),
else numbers whose subscriber part begins with 0, which no exchange hands out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DemoCountry:
    """`zones` are leading postcode digits by city, as the gazetteer names it; `local` is what
    the city is called at home, where that is another name.

    In `postcode` and `phones` each # is a digit and each @ a letter, drawn; {zone} is the zone.
    """

    code: str
    dealers: int
    hours: tuple[str, ...]
    workshop_hours: str
    phones: tuple[str, ...]
    streets: tuple[str, ...]
    houses: tuple[str, ...]
    """Made-up trade names; {brand} and {city} are filled in."""
    postcode: str = ""
    zones: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)

    def called(self, city: str) -> str:
        return self.local.get(city, city)


_GULF_HOUSES = (
    "{brand} {city} – Al Waha Motors",
    "Najm Al Tariq {brand}, {city}",
    "{brand} Nakheel Auto {city}",
    "Rimal Motors {city}",
    "Bayan Al Sahra Automotive {city}",
    "Mashriq Wheels {city}",
)
_GULF_STREETS = ("Airport Road", "Corniche Street", "Industrial Area", "Ring Road", "Palm Street")

COUNTRIES = (
    DemoCountry(
        "PL",
        76,
        (
            "Mo-Fr 09:00-18:00; Sa 09:00-14:00; PH off",
            "Mo-Fr 08:00-18:00; Sa 09:00-15:00; PH off",
            "Mo-Fr 09:00-19:00; Sa 10:00-15:00; PH off",
            "Mo-Fr 08:00-17:00; PH off",
        ),
        "Mo-Fr 07:30-17:00; PH off",
        ("+4822000####", "+4812000####", "+4861000####"),
        ("ul. Lipowa", "ul. Fabryczna", "al. Słoneczna", "ul. Kolejowa", "ul. Krótka"),
        (
            "Auto Brzezin {city}",
            "{brand} {city} – Salon Wiślanka",
            "Motosalon Jarzębina {city}",
            "Auto Park Zawilec {city}",
            "Salon {brand} Modrzewski",
            "Autodom Kalinowe {city}",
        ),
        "{zone}-###",
        {
            "Warsaw": "02",
            "Kraków": "30",
            "Łódź": "90",
            "Wrocław": "50",
            "Poznań": "60",
            "Gdańsk": "80",
            "Szczecin": "70",
            "Lublin": "20",
            "Katowice": "40",
            "Białystok": "15",
        },
        {"Warsaw": "Warszawa"},
    ),
    DemoCountry(
        "FR",
        86,
        (
            "Mo-Fr 09:00-12:00,14:00-19:00; Sa 09:00-12:00,14:00-18:00; PH off",
            "Mo 14:00-19:00; Tu-Fr 09:00-12:00,14:00-19:00; Sa 09:00-12:00,14:00-18:00; PH off",
            "Mo-Fr 08:30-12:00,13:30-18:30; Sa 09:00-12:00,14:00-17:30; PH off",
            "Mo-Fr 08:00-19:00; Sa 09:00-18:00; PH off",
            "Tu-Sa 09:00-12:30,14:00-19:00; PH off",
        ),
        "Mo-Fr 08:00-12:00,13:30-18:00; PH off",
        ("+3319900####", "+3326191####", "+3335301####", "+3346571####", "+3353649####"),
        ("rue des Tilleuls", "avenue de la Gare", "route de Bellerive", "rue du Moulin-Neuf"),
        (
            "Garage de la Tournelle {city}",
            "{brand} {city} – Automobiles Valcourtin",
            "Espace {brand} {city}",
            "Automobiles Brévannes-Sud {city}",
            "Garage des Trois Ormes {city}",
            "Ateliers Montferrière {city}",
        ),
        "{zone}##0",
        {
            "Paris": "75",
            "Marseille": "13",
            "Lyon": "69",
            "Toulouse": "31",
            "Nice": "06",
            "Nantes": "44",
            "Montpellier": "34",
            "Strasbourg": "67",
            "Bordeaux": "33",
            "Lille": "59",
        },
    ),
    DemoCountry(
        "DE",
        96,
        (
            "Mo-Fr 09:00-18:30; Sa 09:00-14:00; PH off",
            "Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off",
            "Mo-Fr 07:30-18:30; Sa 08:30-14:00; PH off",
            "Mo-Fr 09:00-19:00; Sa 10:00-14:00; PH off",
            "Mo-Fr 08:00-12:30,13:30-18:00; Sa 09:00-12:00; PH off",
        ),
        "Mo-Fr 07:00-17:00; PH off",
        (
            "+493023125###",
            "+496990009###",
            "+494066969###",
            "+492214710###",
            "+498999998###",
        ),
        ("Lindenstraße", "Am Alten Werk", "Bahnhofsring", "Industriestraße", "Birkenallee"),
        (
            "Autohaus Brennick {city}",
            "{brand} Zentrum {city}",
            "Autohaus Tannhöfer & Sohn {city}",
            "{brand} {city} – Autohaus Wieselring",
            "Fahrzeughaus Morgenthaler {city}",
            "Autohaus am Kastanienhof {city}",
        ),
        "{zone}###",
        {
            "Berlin": "10",
            "Hamburg": "20",
            "Munich": "80",
            "Köln": "50",
            "Frankfurt am Main": "60",
            "Stuttgart": "70",
            "Düsseldorf": "40",
            "Leipzig": "04",
            "Dresden": "01",
            "Hannover": "30",
            "Nürnberg": "90",
            "Bremen": "28",
        },
        {"Munich": "München"},
    ),
    DemoCountry(
        "NL",
        50,
        (
            "Mo-We,Fr 09:00-18:00; Th 09:00-21:00; Sa 10:00-17:00; PH off",
            "Mo-Fr 08:30-18:00; Sa 09:30-16:00; PH off",
            "Mo 13:00-18:00; Tu-We,Fr 09:00-18:00; Th 09:00-20:30; Sa 09:00-17:00; PH off",
            "Mo-Fr 09:00-18:00; Sa 10:00-17:00; Su[-1] 12:00-17:00; PH off",
        ),
        "Mo-Fr 08:00-17:30; PH off",
        ("+3160000####", "+3160001####"),
        ("Molenweg", "Handelskade", "Lindelaan", "Industrieweg", "Dorpsstraat"),
        (
            "Autobedrijf Zonderwaal {city}",
            "{brand} {city} – Garage De Wilgenhoek",
            "Autohuis Oosterveldt {city}",
            "{brand} Dealer Kromwijk {city}",
            "Garage Blauwesluis {city}",
        ),
        "{zone}## @@",
        {
            "Amsterdam": "10",
            "Rotterdam": "30",
            "The Hague": "25",
            "Utrecht": "35",
            "Eindhoven": "56",
            "Groningen": "97",
            "Tilburg": "50",
            "Breda": "48",
            "Nijmegen": "65",
            "Arnhem": "68",
        },
        {"The Hague": "Den Haag"},
    ),
    DemoCountry(
        "TR",
        70,
        (
            "Mo-Fr 08:30-18:30; Sa 09:00-17:00; PH off",
            "Mo-Sa 09:00-19:00; PH off",
            "Mo-Sa 09:00-18:30; Su 11:00-17:00; PH off",
            "Mo-Fr 09:00-12:30,13:30-18:00; Sa 09:00-14:00; PH off",
        ),
        "Mo-Fr 08:00-17:30; Sa 08:00-13:00; PH off",
        ("+90212000####", "+90312000####", "+90232000####"),
        ("Çınar Caddesi", "Sanayi Bulvarı", "Gül Sokak", "Yeni Yol Caddesi", "Zeytin Caddesi"),
        (
            "Karaçınar Otomotiv {city}",
            "{brand} {city} – Yelkovan Otomotiv",
            "Akpınarlı Motorlu Araçlar {city}",
            "{brand} Plaza {city}",
            "Gökçedere Otomotiv {city}",
        ),
        "{zone}##0",
        {
            "Istanbul": "34",
            "Ankara": "06",
            "İzmir": "35",
            "Bursa": "16",
            "Antalya": "07",
            "Adana": "01",
            "Konya": "42",
            "Gaziantep": "27",
        },
        {"Istanbul": "İstanbul"},
    ),
    DemoCountry(
        "SA",
        28,
        (
            "Su-Th 09:00-12:30,16:30-21:00; PH off",
            "Sa-Th 09:00-12:00,16:00-21:00; PH off",
            "Sa-Th 09:00-21:00; Fr 16:30-21:30; PH off",
            "Su-Th 09:00-18:00; PH off",
        ),
        "Sa-Th 08:00-17:00; PH off",
        ("+96611000####", "+96612000####"),
        _GULF_STREETS,
        _GULF_HOUSES,
        "{zone}####",
        {"Riyadh": "1", "Jeddah": "2", "Makkah": "2", "Dammam": "3", "Madinah": "4"},
    ),
    DemoCountry(
        "AE",
        16,
        (
            "Mo-Sa 08:30-20:00; PH off",
            "Mo-Fr 08:00-18:00; PH off",
            "Mo-Th 08:00-18:30; Fr 08:00-12:00,14:30-19:00; Sa 09:00-18:00; PH off",
            "Mo-Sa 09:00-21:00; Su 10:00-18:00; PH off",
        ),
        "Mo-Sa 07:30-18:00; PH off",
        ("+9714000####", "+9712000####"),
        _GULF_STREETS,
        _GULF_HOUSES,
    ),
    DemoCountry(
        "KW",
        7,
        (
            "Sa-Th 09:00-13:00,16:30-20:30; PH off",
            "Su-Th 08:30-20:00; Sa 09:00-17:00; PH off",
        ),
        "Su-Th 07:00-16:00; PH off",
        ("+9650000####",),
        _GULF_STREETS,
        _GULF_HOUSES,
    ),
    DemoCountry(
        "QA",
        6,
        (
            "Sa-Th 08:00-12:00,16:00-20:00; PH off",
            "Su-Th 08:00-18:00; Sa 09:00-14:00; PH off",
        ),
        "Su-Th 07:00-16:00; PH off",
        ("+9740000####",),
        _GULF_STREETS,
        _GULF_HOUSES,
    ),
    DemoCountry(
        "BH",
        5,
        (
            "Sa-Th 08:00-13:00,15:00-18:30; PH off",
            "Su-Th 08:00-18:00; Sa 09:00-16:00; PH off",
        ),
        "Su-Th 07:30-16:30; PH off",
        ("+9730000####",),
        _GULF_STREETS,
        _GULF_HOUSES,
        local={"Madīnat Ḩamad": "Hamad Town"},
    ),
    DemoCountry(
        "OM",
        7,
        (
            "Sa-Th 08:00-13:00,16:00-19:00; PH off",
            "Su-Th 08:30-18:30; Sa 09:00-14:00; PH off",
        ),
        "Su-Th 07:30-16:30; PH off",
        ("+9680000####",),
        _GULF_STREETS,
        _GULF_HOUSES,
        local={"Şalālah": "Salalah"},
    ),
    DemoCountry(
        "IQ",
        11,
        (
            "Sa-Th 09:00-17:00; PH off",
            "Su-Th 09:00-16:00; PH off",
            "Sa-Th 09:00-19:00; Fr 15:00-19:00",
        ),
        "Sa-Th 08:00-16:00; PH off",
        ("+9641000####",),
        _GULF_STREETS,
        _GULF_HOUSES,
    ),
)
BY_CODE: Mapping[str, DemoCountry] = {country.code: country for country in COUNTRIES}

#: What customers who write Arabic call the large cities of the Gulf.
IN_ARABIC: Mapping[str, str] = {
    "Riyadh": "الرياض",
    "Jeddah": "جدة",
    "Makkah": "مكة المكرمة",
    "Madinah": "المدينة المنورة",
    "Dammam": "الدمام",
    "Tabuk": "تبوك",
    "Ha'il": "حائل",
    "Dubai": "دبي",
    "Abu Dhabi": "أبوظبي",
    "Sharjah": "الشارقة",
    "Ajman City": "عجمان",
    "Doha": "الدوحة",
    "Manama": "المنامة",
    "Muscat": "مسقط",
    "Kuwait City": "الكويت",
    "Baghdad": "بغداد",
    "Basrah": "البصرة",
    "Mosul": "الموصل",
    "Erbil": "أربيل",
}
