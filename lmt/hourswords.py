"""What people call days and times when they write down a dealer's opening hours, by language.

Words are folded as `folded` folds text: without case, accents and Arabic hamzas. Each stands for a
kind of token and its value: `D` a weekday (0 Monday … 6 Sunday, 7 a public holiday, 8 every day),
`W` Monday up to a weekday, `-` up to, `,` and, `C` closed, `H` around the clock, ` ` nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

HOLIDAY = 7
EVERY_DAY = 8

Word = tuple[str, int]

_DASHES = dict.fromkeys("‐‑‒–—―−～~〜ー", "-")
_SIGNS = str.maketrans(
    {**_DASHES, "ł": "l", "ı": "i", "ى": "ي", "،": ",", "؛": ";", "٫": ".", "ـ": None, "’": "'"}
)


def folded(text: str) -> str:
    """Text in the form in which words of any of the languages are compared, digits as 0–9."""
    plain = []
    for sign in unicodedata.normalize("NFKD", text.translate(_SIGNS).casefold()):
        kind = unicodedata.category(sign)
        if kind == "Nd":
            plain.append(str(unicodedata.decimal(sign)))
        elif kind == "Zs" or sign == "\t":
            plain.append(" ")
        elif kind not in {"Mn", "Cf"}:
            plain.append(sign)
    return "".join(plain).translate(_SIGNS)


def _words(days: tuple[str, ...], **others: str) -> Mapping[str, Word]:
    """Words by the days' order, then by name; "|" parts those of one meaning."""
    kinds = {
        "holiday": ("D", HOLIDAY),
        "daily": ("D", EVERY_DAY),
        "to_friday": ("W", 4),
        "to_saturday": ("W", 5),
        "to_sunday": ("W", 6),
        "to": ("-", 0),
        "joined": (",", 0),
        "closed": ("C", 0),
        "whole_day": ("H", 0),
        "noise": (" ", 0),
    }
    found: dict[str, Word] = {}
    for day, names in enumerate(days):
        found |= {folded(name): ("D", day) for name in names.split("|")}
    for meaning, names in others.items():
        found |= {folded(name): kinds[meaning] for name in names.split("|")}
    return found


OSM_CODES = _words(("mo", "tu", "we", "th", "fr", "sa", "su"), holiday="ph", closed="off|closed")
"""The codes of the syntax itself, which people mix with words of their own."""

_ENGLISH = _words(
    (
        "monday|mondays|mon|mo",
        "tuesday|tuesdays|tues|tue|tu",
        "wednesday|wednesdays|weds|wed|we",
        "thursday|thursdays|thurs|thur|thu|th",
        "friday|fridays|fri|fr",
        "saturday|saturdays|sat|sa",
        "sunday|sundays|sun|su",
    ),
    holiday="public holidays|public holiday|bank holidays|holidays|ph",
    to_friday="m-f|m - f",
    daily="daily|every day|everyday|7 days a week|7 days|7/7",
    to="to|till|until|through|thru",
    joined="and",
    closed="closed|off",
    whole_day="24 hours|24hours|24 hrs|24hrs|24/7|24 h|24h|24x7|around the clock|all day",
    noise="from|open|hours|opening hours|on|o'clock|between|hrs",
)
_GERMAN = _words(
    (
        "montag|montags|mo",
        "dienstag|dienstags|di",
        "mittwoch|mittwochs|mi",
        "donnerstag|donnerstags|do",
        "freitag|freitags|fr",
        "samstag|samstags|sonnabend|sonnabends|sa",
        "sonntag|sonntags|so",
    ),
    holiday="feiertag|feiertage|feiertags|an feiertagen",
    daily="täglich|jeden tag|7/7",
    to="bis",
    joined="und|u",
    closed="geschlossen|zu|ruhetag",
    whole_day="24 stunden|24 std|24h|24 h|24/7|rund um die uhr|durchgehend",
    noise="uhr|von|geöffnet|öffnungszeiten|am|offen",
)
_FRENCH = _words(
    (
        "lundi|lundis|lun|lu",
        "mardi|mardis|mar|ma",
        "mercredi|mercredis|mer|me",
        "jeudi|jeudis|jeu|je",
        "vendredi|vendredis|ven|ve",
        "samedi|samedis|sam|sa",
        "dimanche|dimanches|dim|di",
    ),
    holiday="jours fériés|jour férié|fériés",
    to_friday="l-v|l - v",
    to_saturday="l-s|l - s",
    to_sunday="l-d|l - d",
    daily="tous les jours|7j/7|7/7|7 jours sur 7",
    to="à|au|a|jusqu'à|jusqu'au",
    joined="et",
    closed="fermé|fermée|fermés|ferme",
    whole_day="24 heures|24h/24|24 h/24|24 h / 24|24/24|24h|24 h|24/7|24 heures sur 24",
    noise="du|de|des|le|les|ouvert|horaires|heures|h",
)
_SPANISH = _words(
    (
        "lunes|lun|lu",
        "martes|mar|ma",
        "miércoles|mié|mier|mi",
        "jueves|jue|ju",
        "viernes|vie|vi",
        "sábado|sábados|sáb|sa",
        "domingo|domingos|dom|do",
    ),
    holiday="festivo|festivos|días festivos|feriados",
    to_friday="l-v|l - v|l a v",
    to_saturday="l-s|l - s|l a s",
    to_sunday="l-d|l - d|l a d",
    daily="todos los días|diario|diariamente|7/7",
    to="a|al|hasta",
    joined="y|e",
    closed="cerrado|cerrada",
    whole_day="24 horas|24h|24 h|24/7",
    noise="de|del|desde|los|el|las|la|abierto|horario|horas|h|hs",
)
_POLISH = _words(
    (
        "poniedziałek|poniedziałku|poniedziałki|pon|pn",
        "wtorek|wtorku|wtorki|wt",
        "środa|środy|środę|śr",
        "czwartek|czwartku|czwartki|czw|cz",
        "piątek|piątku|piątki|pią|pt",
        "sobota|soboty|sobotę|sob|sb|so",
        "niedziela|niedzieli|niedzielę|niedziele|niedz|nd|ndz|nie",
    ),
    holiday="święta|dni świąteczne|w święta",
    daily="codziennie|7/7",
    to="do",
    joined="i|oraz",
    closed="zamknięte|nieczynne|zamknięty|nieczynny",
    whole_day="24 godziny|24h|24 h|24/7|całodobowo|całą dobę",
    noise="od|w|we|godz|godziny|w godzinach|godzinach|czynne|otwarte",
)
_DUTCH = _words(
    (
        "maandag|maandags|ma",
        "dinsdag|dinsdags|di",
        "woensdag|woensdags|wo",
        "donderdag|donderdags|do",
        "vrijdag|vrijdags|vr|vrij",
        "zaterdag|zaterdags|za|zat",
        "zondag|zondags|zo|zon",
    ),
    holiday="feestdagen|feestdag|op feestdagen",
    daily="dagelijks|elke dag|alle dagen|7/7",
    to="tot|t/m|tot en met|tm",
    joined="en",
    closed="gesloten|dicht",
    whole_day="24 uur|24h|24 h|24/7",
    noise="uur|van|open|geopend|openingstijden|op",
)
_TURKISH = _words(
    (
        "pazartesi|pzt|pts",
        "salı|sal",
        "çarşamba|çar|çrş",
        "perşembe|per|prş",
        "cuma|cum",
        "cumartesi|cmt|cts",
        "pazar|paz|pzr",
    ),
    holiday="resmi tatil|resmi tatiller|resmi tatillerde",
    daily="her gün|hergün|7/7",
    to="ile|ila|ilâ",
    joined="ve",
    closed="kapalı",
    whole_day="24 saat|24/7|24h",
    noise="saat|saatleri|saatler|arası|arasında|açık|günleri|günü|çalışma saatleri",
)
_ARABIC = _words(
    (
        "الاثنين|اثنين|يوم الاثنين",
        "الثلاثاء|ثلاثاء|يوم الثلاثاء",
        "الأربعاء|أربعاء|الاربعا|يوم الأربعاء",
        "الخميس|خميس|يوم الخميس",
        "الجمعة|جمعة|الجمعه|يوم الجمعة",
        "السبت|سبت|يوم السبت",
        "الأحد|أحد|يوم الأحد",
    ),
    holiday="العطل الرسمية|العطلات الرسمية|أيام العطل الرسمية",
    daily="يوميا|كل يوم|طوال الأسبوع|جميع أيام الأسبوع",
    to="إلى|الي|حتى",
    joined="و|ثم",
    closed="مغلق|مغلقة|عطلة",
    whole_day="24 ساعة|على مدار الساعة|24/7",
    noise="من|الساعة|ساعات العمل|مفتوح|أيام|يوم|أوقات العمل",
)

LANGUAGES: Mapping[str, Mapping[str, Word]] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "pl": _POLISH,
    "nl": _DUTCH,
    "tr": _TURKISH,
    "ar": _ARABIC,
}

MORNING = {"am", "a.m.", "a.m", *map(folded, ("ص", "صباحا", "صباحاً"))}
AFTERNOON = {"pm", "p.m.", "p.m", *map(folded, ("م", "مساء", "مساءً"))}


def vocabularies() -> Iterator[tuple[bool, Mapping[str, Word]]]:
    """The languages as they are, then each with the syntax's own codes and English beside it.

    The flag says which of the two rounds a vocabulary belongs to: words of one language alone go
    before a mixture, in which "Di" of "Di-Fr" could be a French Sunday.
    """
    for words in LANGUAGES.values():
        yield False, words
    for words in LANGUAGES.values():
        yield True, {**_ENGLISH, **OSM_CODES, **words}
