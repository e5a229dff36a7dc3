"""Regions by name, where they are not called after a city: they tell namesakes apart.

Values are GeoNames admin1 codes (https://download.geonames.org/export/dump/admin1CodesASCII.txt),
as `Place.admin1` holds them. A region named after its city (Utrecht, İstanbul, Riyadh) is found
through that city instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lmt.routing.names import index_keys, place_key

REGIONS: Mapping[str, Mapping[str, str]] = {
    "DE": {
        "01": "Baden-Württemberg|BW",
        "02": "Bayern|Bavaria|Bavière|BY",
        "03": "Bremen|HB",
        "04": "Hamburg|HH",
        "05": "Hessen|Hesse|HE",
        "06": "Niedersachsen|Lower Saxony|NI",
        "07": "Nordrhein-Westfalen|North Rhine-Westphalia|NRW|NW",
        "08": "Rheinland-Pfalz|Rhineland-Palatinate|RP",
        "09": "Saarland|SL",
        "10": "Schleswig-Holstein|SH",
        "11": "Brandenburg|BB",
        "12": "Mecklenburg-Vorpommern|Mecklenburg-Western Pomerania|MV",
        "13": "Sachsen|Saxony|SN",
        "14": "Sachsen-Anhalt|Saxony-Anhalt|ST",
        "15": "Thüringen|Thuringia|TH",
        "16": "Berlin|BE",
    },
    "FR": {
        "11": "Île-de-France|IDF",
        "24": "Centre-Val de Loire|CVL",
        "27": "Bourgogne-Franche-Comté|BFC",
        "28": "Normandie|Normandy",
        "32": "Hauts-de-France|HDF",
        "44": "Grand Est",
        "52": "Pays de la Loire|PDL",
        "53": "Bretagne|Brittany",
        "75": "Nouvelle-Aquitaine",
        "76": "Occitanie",
        "84": "Auvergne-Rhône-Alpes|ARA",
        "93": "Provence-Alpes-Côte d'Azur|PACA",
        "94": "Corse|Corsica",
    },
    "PL": {
        "72": "dolnośląskie|Lower Silesia",
        "73": "kujawsko-pomorskie",
        "74": "łódzkie",
        "75": "lubelskie",
        "76": "lubuskie",
        "77": "małopolskie|Lesser Poland",
        "78": "mazowieckie|Masovia",
        "79": "opolskie",
        "80": "podkarpackie|Subcarpathia",
        "81": "podlaskie",
        "82": "pomorskie|Pomerania",
        "83": "śląskie|Silesia",
        "84": "świętokrzyskie|Holy Cross",
        "85": "warmińsko-mazurskie",
        "86": "wielkopolskie|Greater Poland",
        "87": "zachodniopomorskie|West Pomerania",
    },
    "NL": {
        "01": "Drenthe|DR",
        "02": "Friesland|Fryslân|FR",
        "03": "Gelderland|GE",
        "04": "Groningen|GR",
        "05": "Limburg|LI",
        "06": "Noord-Brabant|North Brabant|NB",
        "07": "Noord-Holland|North Holland|NH",
        "09": "Utrecht|UT",
        "10": "Zeeland|ZE",
        "11": "Zuid-Holland|South Holland|ZH",
        "15": "Overijssel|OV",
        "16": "Flevoland|FL",
    },
    "SA": {
        "06": "Eastern Province|Ash Sharqiyah|الشرقية|المنطقة الشرقية",
        "08": "Qassim|Al Qassim|القصيم",
        "11": "Asir|Aseer|عسير",
        "15": "Northern Borders|الحدود الشمالية",
        "20": "Al Jawf|Al Jouf|الجوف",
    },
}

_KINDS = ("wojewodztwo", "province", "provincie", "منطقه", "اماره")


def region_code(country: str, region: str) -> str | None:
    """The admin1 code of a region by name, short name or code; None for one not known here."""
    known = _codes(country)
    for key in (place_key(region), *sorted(index_keys(region))):
        for kind in ("", *_KINDS):
            if code := known.get(key.removeprefix(kind).removesuffix(kind)):
                return code
    return None


@lru_cache(maxsize=64)
def _codes(country: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, names in REGIONS.get(country, {}).items():
        codes[place_key(code)] = code
        for name in names.split("|"):
            for key in index_keys(name):
                codes.setdefault(key, code)
    return codes
