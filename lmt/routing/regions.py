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
    "ES": {
        "07": "Illes Balears|Islas Baleares|Balearic Islands",
        "27": "La Rioja",
        "29": "Comunidad de Madrid|Madrid",
        "31": "Región de Murcia|Murcia",
        "32": "Navarra|Navarre|Comunidad Foral de Navarra",
        "34": "Asturias|Principado de Asturias",
        "39": "Cantabria",
        "51": "Andalucía|Andalusia|Andalousie|Andalusien",
        "52": "Aragón",
        "53": "Canarias|Islas Canarias|Canary Islands",
        "54": "Castilla-La Mancha",
        "55": "Castilla y León|Castile and León",
        "56": "Cataluña|Catalunya|Catalonia",
        "57": "Extremadura",
        "58": "Galicia|Galiza",
        "59": "País Vasco|Euskadi|Basque Country",
        "60": "Comunidad Valenciana|Comunitat Valenciana|Valencia",
    },
    "IT": {
        "01": "Abruzzo",
        "02": "Basilicata",
        "03": "Calabria",
        "04": "Campania",
        "05": "Emilia-Romagna",
        "06": "Friuli-Venezia Giulia",
        "07": "Lazio|Latium",
        "08": "Liguria",
        "09": "Lombardia|Lombardy",
        "10": "Marche",
        "11": "Molise",
        "12": "Piemonte|Piedmont",
        "13": "Puglia|Apulia",
        "14": "Sardegna|Sardinia",
        "15": "Sicilia|Sicily",
        "16": "Toscana|Tuscany",
        "17": "Trentino-Alto Adige|Südtirol|South Tyrol",
        "18": "Umbria",
        "19": "Valle d'Aosta|Aosta Valley",
        "20": "Veneto",
    },
    "AT": {
        "01": "Burgenland",
        "02": "Kärnten|Carinthia",
        "03": "Niederösterreich|Lower Austria",
        "04": "Oberösterreich|Upper Austria",
        "05": "Salzburg",
        "06": "Steiermark|Styria",
        "07": "Tirol|Tyrol",
        "08": "Vorarlberg",
        "09": "Wien|Vienna",
    },
    "BE": {
        "BRU": "Bruxelles-Capitale|Brussels|Brussel",
        "VLG": "Vlaanderen|Flanders|Flandre",
        "WAL": "Wallonie|Wallonia|Wallonië",
    },
    "GB": {
        "ENG": "England",
        "NIR": "Northern Ireland",
        "SCT": "Scotland",
        "WLS": "Wales|Cymru",
    },
    "US": {
        "AK": "Alaska",
        "AL": "Alabama",
        "AR": "Arkansas",
        "AZ": "Arizona",
        "CA": "California",
        "CO": "Colorado",
        "CT": "Connecticut",
        "DC": "District of Columbia",
        "DE": "Delaware",
        "FL": "Florida",
        "GA": "Georgia",
        "HI": "Hawaii",
        "IA": "Iowa",
        "ID": "Idaho",
        "IL": "Illinois",
        "IN": "Indiana",
        "KS": "Kansas",
        "KY": "Kentucky",
        "LA": "Louisiana",
        "MA": "Massachusetts",
        "MD": "Maryland",
        "ME": "Maine",
        "MI": "Michigan",
        "MN": "Minnesota",
        "MO": "Missouri",
        "MS": "Mississippi",
        "MT": "Montana",
        "NC": "North Carolina",
        "ND": "North Dakota",
        "NE": "Nebraska",
        "NH": "New Hampshire",
        "NJ": "New Jersey",
        "NM": "New Mexico",
        "NV": "Nevada",
        "NY": "New York",
        "OH": "Ohio",
        "OK": "Oklahoma",
        "OR": "Oregon",
        "PA": "Pennsylvania",
        "RI": "Rhode Island",
        "SC": "South Carolina",
        "SD": "South Dakota",
        "TN": "Tennessee",
        "TX": "Texas",
        "UT": "Utah",
        "VA": "Virginia",
        "VT": "Vermont",
        "WA": "Washington",
        "WI": "Wisconsin",
        "WV": "West Virginia",
        "WY": "Wyoming",
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
