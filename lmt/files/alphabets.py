"""Which eight-bit charset a text is in, by the letters that its possible languages write."""

from __future__ import annotations

import re

# In the order of which is likelier where several fit alike: "Müller" is the same in many.
_CHARSETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", ("de", "fr", "es", "pt", "it", "nl", "nordic")),
    ("cp1250", ("pl", "cs", "sk", "hu", "ro", "sl")),
    ("cp1255", ("he",)),
    ("cp1251", ("ru", "uk", "bg")),
    ("cp1254", ("tr",)),
    ("cp1256", ("ar", "fa")),
    ("cp1253", ("el",)),
    ("cp1257", ("baltic",)),
    ("iso8859-15", ("fr", "de", "es")),
    ("iso8859-2", ("pl", "cs", "sk", "hu", "ro", "sl")),
    ("iso8859-9", ("tr",)),
    ("iso8859-6", ("ar",)),
    ("iso8859-5", ("ru", "uk", "bg")),
    ("iso8859-7", ("el",)),
    ("koi8-u", ("ru", "uk")),
    ("mac-roman", ("fr", "de", "es")),
    ("cp850", ("de", "fr", "es", "nordic")),
    ("cp852", ("pl", "cs", "hu")),
    ("cp866", ("ru",)),
)
_ALPHABETS = {
    "de": "äöüß",
    "fr": "àâçèéêëîïôùûüœæÿ",
    "es": "áéíñóúüºª¿¡",
    "pt": "áâãàçéêíóôõúºª",
    "it": "àèéìòù",
    "nl": "éëïöüèá",
    "nordic": "åäöøæéü",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű",
    "ro": "ăâîșțşţ",
    "sl": "čšžćđ",
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "uk": "абвгдежзийклмнопрстуфхцчшщьюяґєії",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "tr": "çğıöşüâîûiİ",
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْ،؟ـ",
    "fa": "ءآأؤئابتثجحخدذرزسشصضطظعغفقلمنهوپچژکگیی،؟",
    "el": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "baltic": "āčēģīķļņšūžąęėįųõäöü",
}
# Where every byte is a letter in several charsets, how often it is written tells.
_FREQUENT = {
    "ru": "оеаинтсрвл",
    "uk": "оаиінвтерс",
    "bg": "аиоентрсвл",
    "el": "αοιεητνσρκλςάέίόήύώ",
    "he": "יוהלאמרתבנ",
    "ar": "اليمنورتبةعدسفكهح",
    "fa": "ایرندهمتوبسشک",
}
_RARER = 0.8
_LETTERS = {
    language: frozenset(letters + letters.upper()) - frozenset("iI")
    for language, letters in _ALPHABETS.items()
}
# Likelier than their neighbours where a word fits both; as Windows is, of all that writes.
_COMMON = frozenset(["de", "fr", "es", "nl", "pl", "tr", "ar", "ru"])
_LESS_COMMON = 0.95
_NOT_WINDOWS = 0.93
# What Excel and people write in every language.
_MARKS = frozenset("\u00a0–—‘’‚“”„«»…€§°·•№®©´²³½ªº")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
# What is seen only where letters are read in the wrong charset: marks inside a word, a Spanish
# letter without its vowel, two scripts in one word, a capital after a small letter.
_ODD_WORD = re.compile(
    r"[^\W\d_][\u00a1-\u00bf–—‘“”„…‰†‡][^\W\d_]|[ñÑ](?:\b|[b-df-hj-np-tv-z])", re.IGNORECASE
)
_MIXED_WORD = re.compile(r"[A-Za-z][\u0370-\u06ff]|[\u0370-\u06ff][A-Za-z]")
_INNER_CAPITAL = re.compile(r"[а-яё][А-ЯЁ]|[α-ω][Α-Ω]|[à-öø-þ][À-ÖØ-Þ]")


def likeliest_charset(sample: bytes) -> tuple[str, float]:
    """The charset and how well it fits, at most 1. `sample` holds bytes beyond ASCII."""
    best, best_fit = "cp1252", -2.0
    for charset, languages in _CHARSETS:
        fitting = _fit(sample, charset, languages)
        if fitting > best_fit + 0.001:
            best, best_fit = charset, fitting
    return best, best_fit


def fit(sample: bytes, charset: str) -> float:
    """How well a charset fits any of the languages known here; 1 for a script that isn't."""
    text = sample.decode(charset, "replace")
    beyond = _BEYOND_ASCII.findall(text)
    if beyond and sum(letter > "\u2e80" for letter in beyond) > 0.5 * len(beyond):
        return 1.0 if text.count("\ufffd") < 0.01 * len(beyond) else -1.0
    return _fit(sample, charset, tuple(_LETTERS))


def _fit(sample: bytes, charset: str, languages: tuple[str, ...]) -> float:
    text = sample.decode(charset, "replace")
    beyond = _BEYOND_ASCII.findall(text)
    if not beyond:
        return -2.0
    counts: dict[str, int] = {}
    for letter in beyond:
        counts[letter] = counts.get(letter, 0) + 1
    all_letters = frozenset().union(*(_LETTERS[language] for language in languages))
    odd = sum(len(each.findall(text)) for each in (_ODD_WORD, _MIXED_WORD, _INNER_CAPITAL))
    fits = []
    for language in languages:
        own, frequent = _LETTERS[language], _FREQUENT.get(language, "")
        points = 0.0
        for letter, count in counts.items():
            if letter in own:
                is_rare = frequent and letter.lower() not in frequent
                points += _RARER * count if is_rare else count
            elif letter in _MARKS:
                points += 0.5 * count
            elif letter in all_letters:
                points += 0.3 * count
            else:
                points -= count
        likely = 1.0 if language in _COMMON else _LESS_COMMON
        likely *= 1.0 if charset.startswith("cp125") else _NOT_WINDOWS
        fits.append((points * likely - odd) / len(beyond))
    return max(fits)
