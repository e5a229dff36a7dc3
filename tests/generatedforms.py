"""Forms and answers to them that nobody would think of, drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from lmt.forms.answers import SPACES
from lmt.forms.conditions import Condition, Group, Test
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.digits import ZEROS
from lmt.forms.fields import FIELD_TYPES, WITH_OPTIONS, FieldDefinition, OptionDefinition

TODAY = date(2026, 3, 6)
LANGUAGES = ("en", "pl", "ar", "tr")
# Keys that a JavaScript object has of itself are keys like any other.
KEYS = ("constructor", "city", "a", "b_2", "phone", "email", "wish", "home", "valueof", "x", "y")
OPTION_IDS = ("yes", "no", "1", "2", "10", "aurelia/vela", "09:00-12:00", "2026-03-10", "PL")
COUNTRIES = ("PL", "GB", "AE", "SA", "IE", "TR", "CA", "JP", "US", "HK")
BOUNDS = ("0", "5", "-3.5", "10", "2026-03-10", "2026-12-31", "1999-01-01", "999999999999999")

_NUMBERS = (
    "0", "-0", "007", "5", "-5", "5.5", "1,5", "٥٫٥", "१२", "１２", "−3", "1 000", "1\u00a0000,5",
    "1٬000", "1.2345678", "9" * 15, "9" * 16, "1e3", ".5", "5.", "+5", "--5", "5\n", "٠",
    "Infinity", "0x10", "1_000", "5-", "\ud7ff5", "-3.500000", "10.000001",
)  # fmt: skip
_DATES = (
    "2026-03-06", "2026-03-05", "2026-03-07", "2026-02-29", "2024-02-29", "1900-02-29",
    "2000-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01",
    "0001-01-01", "9999-12-31", "٢٠٢٦-٠٣-٠٦", "2026-3-6", "06.03.2026", "2026-03-06T10:00",
    "2026-03-10", "2027-01-01",
)  # fmt: skip
_EMAILS = (
    "a@b.cd", "nora@example.com", "nora@", "@example.com", "a@b", "a@@b.cd", "a@b@c.de", "a.b@c.de",
    ".a@c.de", "a.@c.de", "a..b@c.de", "a@-c.de", "a@c-.de", "a@c..de", "a@c.de.", "a@c.d3",
    "a@c.xn--p1ai", "a@c.XN--P1AI-", "żółw@łódź.pl", "用户@例子.广告", "a b@c.de", "a\u3000b@c.de",
    "a\u00a0b@c.de", "a@c.d\u202ee", "😀@c.de", "a@😀.de", "a@c.😀", '"a b"@c.de', "a@[127.0.0.1]",
    "a@c.de\nBcc: x@y.zz", "o'neil+x@c.co.uk", "a@c.de\u200b", "ｎ@ｃ.ｄｅ", "a\x00@c.de",
    "x" * 64 + "@c.de", "x" * 65 + "@c.de", "😀" * 64 + "@c.de", "a@" + "x" * 63 + ".de",
    "a@" + "x" * 64 + ".de", "a@" + "x." * 125 + "de", "a@" + "x." * 126 + "de", "a@c._d.ef",
    "a@1.de", "a@c.d-e", "a@c.xn--", "a@İ.ıı", "a\ufeffb@c.de",
)  # fmt: skip
_PHONES = (
    "+48 22 555 01 00", "050 123 4567", "٠٥٠ ١٢٣ ٤٥٦٧", "12345", "123456", "1" * 20, "1" * 21,
    "call me", "１２３４５６", "²³¹²³¹", "ⅷⅷⅷⅷⅷⅷ", "𝟏𝟐𝟑𝟒𝟓𝟔", "123\n456", "\U00010d40" * 6,
    "१२३४५६७", "①②③④⑤⑥", "\U0001fbf0" * 6,
)  # fmt: skip
_POSTCODES = (
    "00-950", "00950", "٠٠٩٥٠", "SW1A 1AA", "sw1a1aa", "ſW1A 1AA", "D02 X285", "K1A 0B1", "K1a0b1",
    "\u212a1A 0B1", "100-0001", "１００-０００１", "12345", "12345-6789", "34000", "x" * 21,
    "00-950 ",
)  # fmt: skip
_AREAS = ("Dubai", "Abu Dhabi", "Ontario", "Tokyo", "İstanbul", "Istanbul", "Texas", "Nowhere")
_FILES = (
    "car.jpg", "CAR.JPEG", "car.ĴPG", "car.pdf", "car.pdf.exe", "pdf", ".pdf", "car.heic\n",
    "a.WebP", "car.jpg ", "ſ.png", "car.heıc", "C:\\fakepath\\car.png",
)  # fmt: skip
_SIZES = ("", "0", "1048576", "1048577", "5242880", "5242881", "-1", "1e3", "٥", "x", "9" * 20)
_DEALERS = ("PL-001", "a_b", "", "PL 001", "ż", "x" * 60, "x" * 61, "../x", "a\nb")
_DEGREES = ("", "52.23", "-90", "90", "90.000001", "180", "-180.5", "181", "1e2", "٥٢", "x", "+5",
            "NaN", "1" * 3 + "." + "1" * 20, "-0.0")  # fmt: skip
_TEXTS = (
    "", " ", "yes", "no", "Nora", " Nora\t", "\u2003Nora\u3000", "\ufeffNora", "\u200bNora\u200b",
    "\x85x\x85", "\x1cx\x1f", "\u180ex", "two\nlines", "two\r\nlines", "two\rlines", "\r\n x \r\n",
    "a\x0bb", "a\u2028b", "nul\x00l", "😀😀😀", "e\u0301", "x" * 40, "x" * 41, "😀" * 40, "😀" * 41,
    "x" * 201, "الرياض", "5", "2026-03-10", "<script>", "__proto__",
)  # fmt: skip

_BY_TYPE: dict[str, Sequence[str]] = {
    "number": _NUMBERS,
    "date": _DATES,
    "email": _EMAILS,
    "phone": _PHONES,
    "postcode": _POSTCODES,
    "consent": ("yes", "yes", "on", "no", "true", "YES"),
    "file": _FILES,
    "dealer": _DEALERS,
}
_BAGS = {kind: st.sampled_from((*bag, "")) for kind, bag in _BY_TYPE.items()}
_PARTS = {
    "country": st.sampled_from((*COUNTRIES, "", "XX", "pl", "constructor")),
    "region": st.sampled_from((*_AREAS, "", "a\nb")),
    "city": st.sampled_from(_TEXTS),
    "postcode": st.sampled_from((*_POSTCODES, "")),
    "street": st.sampled_from(_TEXTS),
    "place": st.sampled_from(_TEXTS),
    "lat": st.sampled_from(_DEGREES),
    "lon": st.sampled_from(_DEGREES),
    "size": st.sampled_from(_SIZES),
}
_CHOSEN = st.sampled_from((*OPTION_IDS, "", "unknown", " yes ", "YES"))
_SEVERAL = st.lists(_CHOSEN, max_size=4).map("\n".join)
_PLAIN = st.sampled_from(_TEXTS)
_WILD = st.text(max_size=12)
_DIGITS = st.text(
    st.sampled_from([chr(zero + value) for zero in ZEROS for value in (0, 9)] + list("-., ٫٬−+")),
    max_size=12,
)
_AROUND = st.sampled_from(("", "", "", " ", "\r\n", "\u2009", *SPACES))
_LUCK = st.integers(0, 9)
_SMALL = st.integers(-10, 10)
_NEAR = _SMALL.map(lambda days: (TODAY + timedelta(days=days)).isoformat())
_BAGS["date"] = st.one_of(_BAGS["date"], _NEAR)
_BAGS["number"] = st.one_of(_BAGS["number"], _DIGITS)
_BAGS["phone"] = st.one_of(_BAGS["phone"], _DIGITS)
_FLAG = st.booleans()
_FIRST = st.integers(0, len(KEYS) - 1)
_HOW_MANY = st.integers(1, 8)
_IDS = st.lists(st.sampled_from(OPTION_IDS), min_size=1, max_size=4, unique=True)
_COUNTRIES = st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True)
_LENGTHS = st.sampled_from((1, 5, 40, 200, 254))
_MB = st.sampled_from((None, 1, 5))
_TESTS = st.sampled_from(("is", "is", "is_not", "filled", "at_least", "at_most"))
_YES_NO = st.sampled_from((("yes",), ("no",)))
_BOUND = st.sampled_from(BOUNDS)
_KINDS = st.sampled_from(("all", "any"))
_TYPES = st.sampled_from(FIELD_TYPES)
_TEST_VALUES = st.lists(st.sampled_from((*OPTION_IDS, "Nora")), min_size=1, max_size=3)


@st.composite
def forms(draw: st.DrawFn) -> FormDefinition:
    """One to three steps of up to eight fields, some of them shown by others above them."""
    first, several = draw(_FIRST), draw(_HOW_MANY)
    keys = (KEYS * 2)[first : first + several]
    steps: list[list[FieldDefinition]] = [[]]
    conditions: list[Condition | None] = [None]
    asking: list[str] = []
    for key in keys:
        if steps[-1] and len(steps) < 3 and draw(_LUCK) < 3:
            steps.append([])
            conditions.append(draw(_condition(asking)) if asking and draw(_FLAG) else None)
        shown_when = draw(_condition(asking)) if asking and draw(_LUCK) < 4 else None
        item = draw(_field(key, shown_when))
        steps[-1].append(item)
        if item.type != "section":
            asking.append(key)
    return FormDefinition(
        code="generated",
        title={},
        languages=LANGUAGES,
        default_language="pl",
        steps=tuple(
            StepDefinition(f"step{at}", tuple(items), shown_when=conditions[at])
            for at, items in enumerate(steps)
        ),
    )


@st.composite
def _field(draw: st.DrawFn, key: str, shown_when: Condition | None) -> FieldDefinition:
    kind = draw(_TYPES)
    data: dict[str, Any] = {"required": draw(_FLAG), "shown_when": shown_when}
    if kind in WITH_OPTIONS:
        data["options"] = tuple(OptionDefinition(id, {"": id}) for id in draw(_IDS))
    elif kind == "address":
        data["countries"] = tuple(draw(_COUNTRIES))
    elif kind == "hidden":
        data |= {"value": draw(_PLAIN), "prefill": draw(_FLAG)}
    elif kind not in {"section", "consent", "file"}:
        data["max_length"] = draw(_LENGTHS)
    if kind in {"number", "date", "choices"} and draw(_FLAG):
        bounds = sorted((draw(_SMALL), draw(_SMALL)))
        data |= {"least": bounds[0], "most": bounds[1]}
    if kind == "file":
        data["most"] = draw(_MB)
    if draw(_LUCK) == 0:
        data["error"] = {"en": "Not {most} like that", "ar": "ليس هكذا"}
    return FieldDefinition(key, kind, **data)


def _condition(asking: list[str]) -> st.SearchStrategy[Condition]:
    return _condition_on(tuple(asking))


@cache
def _condition_on(asking: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    test = _test(st.sampled_from(asking))
    return st.one_of(test, test, _group(test), _group(st.one_of(test, _group(test))))


def _group(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.builds(Group, _KINDS, several)


@st.composite
def _test(draw: st.DrawFn, fields: st.SearchStrategy[str]) -> Condition:
    test = draw(_TESTS)
    if test == "filled":
        values = draw(_YES_NO)
    elif test in {"at_least", "at_most"}:
        values = (draw(_BOUND),)
    else:
        values = tuple(draw(_TEST_VALUES))
    return Test(draw(fields), test, values)


@st.composite
def answers_to(draw: st.DrawFn, form: FormDefinition) -> dict[str, str]:
    """Raw, as they may be sent: good, bad, forged, in any script, some not sent at all."""
    found: dict[str, str] = {}
    for item in form.fields:
        names = [*item.inputs, *([f"{item.key}-size"] if item.type == "file" else [])]
        for name in names:
            luck = draw(_LUCK)
            if luck == 9:
                continue
            text = draw(_WILD if luck == 8 else _likely(item, name))
            around = draw(_AROUND) if luck < 3 else ""
            found[name] = around + text + around
    return found


def _likely(item: FieldDefinition, name: str) -> st.SearchStrategy[str]:
    part = name.removeprefix(item.key).removeprefix("-")
    if part:
        return _PARTS[part]
    if item.type == "choices":
        return _SEVERAL
    return _CHOSEN if item.type in WITH_OPTIONS else _BAGS.get(item.type, _PLAIN)


@st.composite
def answered_forms(draw: st.DrawFn) -> tuple[FormDefinition, dict[str, str]]:
    form = draw(forms())
    return form, draw(answers_to(form))


def edges(kind: str) -> tuple[FormDefinition, list[dict[str, str]]]:
    """One field of a type, once free and once required and bounded, with every answer to it that
    is likely to be decided differently; so that none is left to chance."""
    options = tuple(OptionDefinition(id, {"": id}) for id in OPTION_IDS)
    data: dict[str, Any] = {"options": options} if kind in WITH_OPTIONS else {}
    if kind == "address":
        data["countries"] = COUNTRIES
    bounded: dict[str, Any] = {"least": -5, "most": 5} if kind in {"number", "date"} else {}
    bounded |= {"most": 1} if kind in {"file", "choices"} else {}
    form = FormDefinition(
        code="edges",
        title={},
        steps=(
            StepDefinition("free", (FieldDefinition("a", kind, max_length=300, **data),)),
            StepDefinition(
                "bounded",
                (FieldDefinition("b", kind, required=True, max_length=40, **data, **bounded),),
            ),
        ),
    )
    return form, [
        {name.replace("q", key, 1): text for key in ("a", "b") for name, text in answers.items()}
        for answers in _edge_answers(kind)
    ]


def _edge_answers(kind: str) -> list[dict[str, str]]:
    if kind == "address":
        return [
            {"q-country": country, f"q-{part}": text}
            for country in (*COUNTRIES, "", "XX")
            for part, bag in (("postcode", _POSTCODES), ("region", _AREAS), ("city", _TEXTS[::5]))
            for text in (*bag, "")
        ]
    if kind == "file":
        return [{"q": name, "q-size": size} for name in _FILES for size in _SIZES]
    if kind == "dealer":
        places = [{"q": "a", f"q-{axis}": text} for axis in ("lat", "lon") for text in _DEGREES]
        return [*places, *({"q": code} for code in _DEALERS)]
    around = [(TODAY + timedelta(days=days)).isoformat() for days in range(-6, 7)]
    more = {"date": around, "number": ["-6", "6", "-5", "5"]}.get(kind, [])
    both = [f"{one}\n{other}" for one in OPTION_IDS[:3] for other in OPTION_IDS[:3]]
    bag = (*_BY_TYPE.get(kind, ()), *_TEXTS, *more, *OPTION_IDS, *both)
    return [{"q": text} for text in bag]
