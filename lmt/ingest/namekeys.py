"""How names are compared when a lead's person is looked for among those known: folded words.

Names of every script that the table below knows are spelled in plain Latin letters; Arabic ones,
which leave short vowels out, as their consonants and long vowels. Titles go, particles stay only
as another way to write the word that follows (`van den Berg`, `Vandenberg`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache


def words_of(text: str) -> frozenset[str]:
    """A table of words, written as one text."""
    return frozenset(text.split())


LONGEST_NAME = 200
MOST_WORDS = 8

_CYRILLIC = "абвгдезийклмнопрстуфыэіїґ", "abvgdeziiklmnoprstufieiig"
_CYRILLIC_PAIRS = "жzh хkh цts чch шsh щsh юiu яia єie ёe ъ ь"
_GREEK = "αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstifo"
_GREEK_PAIRS = "θth χch ψps"
_LATIN_PAIRS = "łl đd øo ħh ŧt ıi þth ðd ŋn əa æae œoe"
_PAIRS = f"{_CYRILLIC_PAIRS} {_GREEK_PAIRS} {_LATIN_PAIRS}"
_LETTERS = str.maketrans(
    {
        **dict(zip(*_CYRILLIC, strict=True)),
        **dict(zip(*_GREEK, strict=True)),
        **{pair[0]: pair[1:] for pair in _PAIRS.split()},
    }
)
# Consonants one letter each, "i" and "u" for the long vowels (and y, w), no short vowels.
_ARABIC = dict(
    zip(
        "بتثجحخدذرزسشصضطظغفقكلمنهوي" + "ئؤىپچژڤگیک" + "ہھ",
        "bttjhxddrzsSsdtzgfkklmnhui" + "iu" + " " + "bSzfkik" + "hh",
        strict=True,
    )
)
_ARABIC_LETTER = re.compile("[\u0620-\u06ff\u0750-\u077f]")
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cc"})
_APART = re.compile(r"[^\w]+|[_\d]+")
_APOSTROPHES = re.compile("['`´ʹʻʼʽʾʿ‘’‛′]")

_TITLES = words_of(
    "mr mrs ms miss mx dr prof professor sir madam ing dipl med herr frau monsieur madame"
    " mademoiselle mme mlle senor senora senorita sra srta dhr mevr mevrouw meneer heer sayin"
    " bay bayan bey hanim pan pani mgr inz phd md mba esq hr fr don dona"
    " السيد السيده الانسه الاستاذ الاستاذه الدكتور الدكتوره المهندس المهندسه دكتور دكتوره"
)
_PARTICLES = words_of(
    "van von der den de del della delle di da dal dos das do du des la las le les los lo ter ten te"
    " tot zu zum zur af av bin ibn ben bint bat al el ad as ash ar at az an ould d l e y i und"
    " بن ابن بنت ال ولد"
)
_FIRST_HALVES = words_of("abdul abdel abdal abd abu abou umm oum عبد ابو ام")
_GENERATIONS = words_of("jr sr junior senior ii iii iv filho neto")
_LEGAL_FORMS = words_of(
    "inc ltd limited llc llp gmbh ag kg ohg ug mbh co company corp corporation plc sa sarl sas sl"
    " srl spa bv nv cv oy ab as aps sp zoo o oo spzoo spolka ltda anonim sirketi sti ltdsti group"
    " holding wll fze fzco est establishment cie ev ek eg the مؤسسه شركه"
)
# Written together they are a company's, one by one they may be anybody's.
_SURELY_COMPANY = words_of(
    "ltd llc llp gmbh mbh plc sarl bv srl ltda fze fzco wll sirketi limited corporation شركه مؤسسه"
)

# Names that are one: by habit of spelling, or because people call themselves so.
_ALIKE = """
mohammed mohamed mohammad mohamad muhammad muhammed muhamed mohd mohamet mhd
ahmed ahmad ahmet|hussein hussain husein husain hosein huseyin|hassan hasan
khaled khalid|yousef yusuf yousuf yosef usuf|omar omer umar|saleh salih salah
saeed said sayeed saied|abdullah abdallah abdulla abdellah|fatima fatma fatimah fatema
noura nora nura nourah|aisha aysha ayesha aicha ayse|ibrahim ebrahim|osama usama|majed majid
fahad fahd|faisal faysal feisal|sultan soltan|walid waleed|rashid rashed|nasser nasir naser
khadija khadijah hatice|mariam maryam miriam|zainab zeinab zaynab zeynep|jamal gamal|tariq tarek
alexander alex sascha sasha aleksander alexandre alejandro iskander|alexandra ola sandra aleksandra
william bill will billy wilhelm willi|robert bob rob bobby|richard rick dick|james jim jimmy jamie
john johnny jack|joseph joe josef sepp jupp|michael mike mick michel|thomas tom tommy tomasz tomek
edward ed eddie ted|charles charlie chuck|daniel dan danny|david dave|matthew matt|anthony tony
antonio toni|elizabeth liz beth betty lisa elisabeth|margaret maggie peggy meg|katherine kate katie
kathy catherine katharina kathrin katrin|jennifer jen jenny|patricia pat patty|rebecca becky
susan sue|johannes hans johann|heinrich heinz|friedrich fritz|maximilian max|benjamin ben
sebastian basti|andreas andi|stefan stephan steffen steven stephen steve|christopher chris
christoph|matthias mathias|wolfgang wolf|guenther gunther gunter|katarzyna kasia|malgorzata gosia
agnieszka aga|krzysztof krzysiek|piotr piotrek|jan janek|grzegorz grzesiek|barbara basia
wojciech wojtek|francisco paco pancho|jose pepe|ignacio nacho|manuel manolo|enrique quique
guadalupe lupe|jesus chuy|jacobus jaap|cornelis kees|hendrik henk|johannes jan joop
gerardus gerard|pieter piet|mustafa moustafa mostafa|mahmoud mahmud mahmut|osman othman usman
"""

_VOWELS = "aeiou"
_CONSONANTS = str.maketrans("cqgjzvp", "kkkksfb")
_SILENT = str.maketrans({**dict.fromkeys("aeiouywh "), "z": "s"})
_DOUBLED = re.compile(r"(.)\1+")
_SOUNDS = (("sch", "sh"), ("ph", "f"), ("ck", "k"), ("tz", "z"), ("dt", "t"), ("ae", "a"))
_MORE_SOUNDS = (("oe", "o"), ("ue", "u"), ("y", "i"))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name, folded; `joined` with the particles before it, as some write it."""

    text: str
    joined: str
    arabic: bool

    @property
    def is_initial(self) -> bool:
        return len(self.text) == 1 and not self.arabic


@dataclass(frozen=True, slots=True)
class Words:
    """A name as its words in order, and what tells father from son (`jr`, `iii`)."""

    words: tuple[Word, ...]
    generation: str = ""


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in apart if unicodedata.category(c) not in _DROPPED)
    return plain.translate(_LETTERS).replace("ة", "ه").replace("ـ", "")


# Among these each letter is folded for itself: none is a mark that could change places.
_LATIN_ENDS = "\u0250"
_latin = {number: _plain(chr(number)) for number in range(ord(_LATIN_ENDS))}


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Lower case, no marks, Latin, Cyrillic and Greek in plain Latin letters, other scripts kept;
    words parted by one blank."""
    plain = text.translate(_latin) if text and max(text) < _LATIN_ENDS else _plain(text)
    return " ".join(w for w in _APART.split(_APOSTROPHES.sub("", plain)) if w)


@lru_cache(maxsize=2048)
def name_words(name: str) -> Words:
    """The words by which a person's name is compared. Empty for a name without letters."""
    found: list[Word] = []
    generation, before = "", ""
    given = [w for w in folded(name[:LONGEST_NAME]).split() if w not in _TITLES][:MOST_WORDS]
    # "Ben Müller" has no particle: one is only what leaves a name of two words.
    rest = sum(w not in _PARTICLES and w not in _GENERATIONS for w in given)
    for position, word in enumerate(given):
        last = position == len(given) - 1
        if word in _GENERATIONS and found:
            generation = {"junior": "jr", "senior": "sr"}.get(word, word)
        elif not last and _goes_with_next(word, named=rest >= 2 or bool(found)):
            before += word
        else:
            found.append(_word(word, before))
            before = ""
    return Words(tuple(found), generation)


def _goes_with_next(word: str, *, named: bool) -> bool:
    return word in _FIRST_HALVES or (word in _PARTICLES and named)


def _word(word: str, before: str) -> Word:
    half = next((h for h in _FIRST_HALVES if h in before), "")
    if half:
        # Abdul Rahman is one name, and "Rahman" another man's.
        whole = before[before.index(half) :] + word
        return Word(whole, whole, bool(_ARABIC_LETTER.search(whole)))
    joined = before + word
    if word.startswith("ال") and len(word) > 4:
        return Word(word[2:], joined, arabic=True)
    return Word(word, joined, bool(_ARABIC_LETTER.search(word)))


def company_words(company: str) -> tuple[str, ...]:
    """A company's name without its legal form, as folded words."""
    words = folded(company[:LONGEST_NAME]).split()[:MOST_WORDS]
    return tuple(w for w in words if w not in _LEGAL_FORMS) or tuple(words)


def is_company_name(name: str) -> bool:
    """Whether what stands where a person's name belongs is surely a company's."""
    return not _SURELY_COMPANY.isdisjoint(folded(name[:LONGEST_NAME]).split())


@lru_cache(maxsize=8192)
def sounding(word: str) -> str:
    """A Latin word as it sounds, roughly: double letters and habits of spelling levelled."""
    for written, spoken in (*_SOUNDS, *_MORE_SOUNDS):
        word = word.replace(written, spoken)
    return _DOUBLED.sub(r"\1", word)


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(_ALIKE.replace("\n", "|").split("|")):
        for word in line.split():
            groups.setdefault(sounding(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in groups.items()}


def one_name(a: str, b: str) -> bool:
    """Whether two words as they sound are forms of one name (Bill and William)."""
    return not _groups().get(a, frozenset()).isdisjoint(_groups().get(b, frozenset()))


@lru_cache(maxsize=8192)
def consonants(word: str) -> str:
    """The consonants of a Latin or Arabic word in few classes: equal for spellings of one name."""
    if _ARABIC_LETTER.search(word):
        word = "".join(_ARABIC.get(c, "") for c in word)
        word = word.replace("x", "k").replace("S", "s").translate(str.maketrans("gj", "kk"))
    else:
        for written, spoken in (("sch", "s"), ("sh", "s"), ("ch", "s"), ("ph", "f"), ("x", "ks")):
            word = word.replace(written, spoken)
        word = word.translate(_CONSONANTS).removesuffix("h")
    return _DOUBLED.sub(r"\1", word.translate(_SILENT))


@lru_cache(maxsize=4096)
def arabic_spelling(word: str) -> str:
    """An Arabic word as its consonants and long vowels: محمد is mhmd, سعود sud."""
    return re.sub(r"(.)\1+", r"\1", "".join(_ARABIC.get(c, "") for c in word).replace(" ", ""))


@lru_cache(maxsize=4096)
def arabic_pattern(word: str) -> re.Pattern[str]:
    """What a Latin word may be spelled like in Arabic: short vowels may be left out, long not."""
    sounds = _latin_sounds(word)
    pattern = "".join(_ARABIC_OF.get(s, re.escape(s)) for s in sounds)
    # Sara and Noura end in a letter that is written, and not heard.
    return re.compile(pattern + "h?" if sounds and sounds[-1] == "a" else pattern)


_LATIN_SOUND = re.compile(
    "sch|sh|ch|kh|gh|th|dh|ph|dj|ck|[aeiou]*(?:ei|ai|ee|ie|ou|oo|au|ii|uu)[aeiou]*|ae|h$|(.)\\1?"
)
_ARABIC_OF = {
    "U": "u", "I": "i", "sch": "S", "sh": "S", "ch": "[Sk]", "kh": "[xh]", "gh": "g",
    "th": "[td]", "dh": "[dz]", "ph": "f", "dj": "j", "ck": "k", "c": "[ks]", "q": "[kg]",
    "g": "[kjg]", "z": "[zd]", "d": "d", "v": "[fu]", "p": "b", "w": "u", "y": "i?", "x": "ks",
    "e": "i?", "i": "i?", "o": "u?", "u": "u?", "a": "", "ae": "i?", "h$": "h?",
}  # fmt: skip


def _latin_sounds(word: str) -> list[str]:
    sounds = []
    for found in _LATIN_SOUND.finditer(word):
        sound = found[0]
        if len(sound) == 2 and sound[0] == sound[1] and sound[0] not in _VOWELS:
            sound = sound[0]
        if sound == "h" and found.end() == len(word):
            sound = "h$"
        elif len(sound) > 1 and sound not in _ARABIC_OF:
            # A long vowel: it is written in Arabic, unless it is a long a.
            sound = "u" if set(sound) & set("uo") else "i" if set(sound) & set("ie") else "a"
            sounds.append("U" if sound == "u" else "I" if sound == "i" else "a")
            continue
        elif sound == "aa":
            sound = "a"
        sounds.append(sound)
    return sounds
