"""Whatever a stranger posts is read as it was meant, or refused by name, at a bounded price."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lmt.i18n import reading
from lmt.mapping.apply import mapped
from lmt.mapping.flatten import flat
from lmt.mapping.payload import PayloadError, records
from lmt.mapping.presets import PRESETS
from lmt.mapping.suggest import suggestions
from lmt.mapping.words import payload_words

JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
CUT = "----ours7"


def part(name: str, value: bytes | str, more: str = "", kind: str = "") -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    kind = f"Content-Type: {kind}\r\n" if kind else ""
    head = f'--{CUT}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{kind}\r\n'
    return head.encode() + raw + b"\r\n"


END = f"--{CUT}--\r\n".encode()
TWO = part("name", "Elif Şahin") + part("email", "elif@example.com") + END
ELIF = {"name": "Elif Şahin", "email": "elif@example.com"}
OLD_NAME = part("pr", "x").replace(b'"pr"', b'"pr\xe9nom"')
NAMELESS = f"--{CUT}\r\nContent-Disposition: form-data\r\n\r\n1\r\n".encode()
GOOD: list[tuple[str, bytes, str, list[Any]]] = [
    ("an object", b'{"a": 1}', JSON, [{"a": 1}]),
    ("a list", b'[{"a": 1}, {"a": 2}, {}]', JSON, [{"a": 1}, {"a": 2}]),
    ("JSON called a form", b' {"a": "b=c&d"}', FORM, [{"a": "b=c&d"}]),
    ("JSON called nothing", b'{"a": 1}', "", [{"a": 1}]),
    ("JSON called parts", b'{"a": 1}', PARTS, [{"a": 1}]),
    ("JSON with a mark", b'\xef\xbb\xbf{"a": "\xc3\xa9"}', JSON, [{"a": "é"}]),
    ("JSON in UTF-16", '{"a": "é"}'.encode("utf-16"), JSON, [{"a": "é"}]),
    ("JSON in unmarked UTF-16", '{"a": "éa"}'.encode("utf-16-le"), JSON, [{"a": "éa"}]),
    ("JSON in cp1250", '{"a": "Łódź"}'.encode("cp1250"), f"{JSON}; charset=windows-1250",
     [{"a": "Łódź"}]),
    ("JSON in cp1256", '{"a": "الرياض"}'.encode("cp1256"), f'{JSON}; charset="cp1256"',
     [{"a": "الرياض"}]),
    ("UTF-8 called ASCII", '{"a": "é"}'.encode(), f"{JSON}; charset=us-ascii", [{"a": "é"}]),
    ("Latin called UTF-8", '{"a": "Müller"}'.encode("latin-1"), f"{JSON}; charset=utf-8",
     [{"a": "Müller"}]),
    ("a charset nobody has", b'{"a": 1}', f"{JSON}; charset=klingon", [{"a": 1}]),
    ("no charset at all", b'{"a": 1}', f"{JSON}; charset=idna", [{"a": 1}]),
    ("a key twice", b'{"a": 1, "a": 2, "b": 3}', JSON, [{"a": [1, 2], "b": 3}]),
    ("NUL and half a pair", b'{"a": "x\\u0000y\\ud800z", "b": "\\ud83d\\ude97"}', JSON,
     [{"a": "xyz", "b": "🚗"}]),
    ("line ends in a text", b'{"a": "x\ny"}', JSON, [{"a": "x\ny"}]),
    ("a long number", b'{"a": ' + b"9" * 60 + b"}", JSON, [{"a": "9" * 60}]),
    ("a form", b"a=1&b=x+y%20z&c=", FORM, [{"a": "1", "b": "x y z", "c": ""}]),
    ("a form called JSON", b"a=1&b=2", JSON, [{"a": "1", "b": "2"}]),
    ("a form called nothing", b"email=x%40example.com", "", [{"email": "x@example.com"}]),
    ("many values", b"a=1&a=2&b=3&a=4", FORM, [{"a": ["1", "2", "4"], "b": "3"}]),
    ("a form in UTF-8", b"city=%C5%81%C3%B3d%C5%BA", FORM, [{"city": "Łódź"}]),
    ("a form, bytes as they are", "city=Łódź".encode(), FORM, [{"city": "Łódź"}]),
    ("a form in cp1250", b"city=%A3%F3d%9F", f"{FORM}; charset=windows-1250", [{"city": "Łódź"}]),
    ("a form that says so", b"city=%A3%F3d%9F&_charset_=windows-1250", FORM,
     [{"city": "Łódź", "_charset_": "windows-1250"}]),
    ("a form in UTF-16", "a=1&b=é".encode("utf-16-le"), FORM, [{"a": "1", "b": "é"}]),
    ("odd escapes", b"a=100%&b=%zz&c=%00d", FORM, [{"a": "100%", "b": "%zz", "c": "d"}]),
    ("dots and brackets", b"1.3=A&input[x][]=B", FORM, [{"1.3": "A", "input[x][]": "B"}]),
    ("JSON in a form", b"id=1&answers=" + urlencode({"": '{"e": [1]}'}).encode()[1:], FORM,
     [{"id": "1", "answers": {"e": [1]}}]),
    ("a brace in a form", b"a=%7Bx&b=2", FORM, [{"a": "{x", "b": "2"}]),
    ("parts", TWO, f"{PARTS}; boundary={CUT}", [ELIF]),
    ("parts in quotes", TWO, f'{PARTS}; boundary="{CUT}"', [ELIF]),
    ("parts without boundary", TWO, PARTS, [ELIF]),
    ("parts with a wrong one", TWO, f"{PARTS}; boundary=other", [ELIF]),
    ("parts called JSON", TWO, JSON, [ELIF]),
    ("a file", part("cv", b"\x00\xff" * 500, '; filename="lebenslauf ü.pdf"', "application/pdf")
     + part("a", "1") + END, PARTS, [{"cv": "lebenslauf ü.pdf", "a": "1"}]),
    ("parts twice", part("a", "1") + part("a", "2") + END, PARTS, [{"a": ["1", "2"]}]),
    ("a part's charset", part("a", "Łódź".encode("cp1250"), "", "text/plain; charset=cp1250")
     + part("b", "é") + END, PARTS, [{"a": "Łódź", "b": "é"}]),
    ("parts in cp1250", part("a", "Łódź".encode("cp1250")) + END, f"{PARTS}; charset=cp1250",
     [{"a": "Łódź"}]),
    ("an old name", OLD_NAME + END, PARTS, [{"prénom": "x"}]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "content_type", "expected"), [case[1:] for case in GOOD],
                         ids=[case[0] for case in GOOD])  # fmt: skip
def test_payloads_are_read_as_they_were_meant(
    body: bytes, content_type: str, expected: list[Any]
) -> None:
    assert records(body, content_type) == expected


def test_numbers_stay_as_they_were_written() -> None:
    (record,) = records(
        b'{"id": 9007199254740993123, "price": 1.10, "big": 1e999, "e": 2.50e3}', JSON
    )
    assert flat(record) == {
        "id": "9007199254740993123",
        "price": "1.10",
        "big": "1e999",
        "e": "2.50e3",
    }
    assert json.loads(json.dumps(record))["price"] == 1.1


BAD: list[tuple[str, bytes, str, str]] = [
    ("nothing", b"", JSON, "empty"),
    ("blanks", b" \r\n\x00", "", "empty"),
    ("only a mark", b"\xef\xbb\xbf", JSON, "empty"),
    ("half an object", b'{"a": 1', JSON, "no_json"),
    ("two objects", b'{"a": 1}{"b": 2}', JSON, "no_json"),
    ("words", b"hello there", JSON, "no_json"),
    ("a bare text", b'"hello"', JSON, "no_json"),
    ("NaN", b'{"a": NaN}', JSON, "no_number"),
    ("Infinity", b'{"a": -Infinity}', JSON, "no_number"),
    ("a list of texts", b'["a"]', JSON, "no_object"),
    ("a list of lists", b"[[1]]", JSON, "no_object"),
    ("an empty object", b"{}", JSON, "no_fields"),
    ("an empty list", b"[]", JSON, "no_fields"),
    ("too many leads", json.dumps([{"a": 1}] * 1_001).encode(), JSON, "too_many_records"),
    ("words called a form", b"hello there", FORM, "no_fields"),
    ("markup", b'<adf version="1.0"><prospect/></adf>', FORM, "no_fields"),
    ("no names", b"=1&=2", FORM, "no_fields"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40, "image/png", "not_text"),
    ("deep", b"[" * 40 + b"]" * 40, JSON, "too_deep"),
    ("parts without end", part("a", "1"), PARTS, "no_form"),
    ("parts without names", NAMELESS + END, PARTS, "no_fields"),
    ("parts without heads", f"--{CUT}\r\n\r\n1\r\n".encode() + END, f"{PARTS}; boundary={CUT}",
     "no_form"),
    ("many parts", part("a", "1") * 2_001 + END, PARTS, "too_many_fields"),
    ("many pairs", b"&".join(b"a%d=1" % n for n in range(2_001)), FORM, "too_many_fields"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "content_type", "code"), [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(PayloadError) as caught:
        records(body, content_type)
    assert caught.value.code == code
    with reading("en"):
        assert payload_words(code).endswith(".")


MEGA = 2_000_000
BOMBS: list[tuple[str, bytes, str]] = [
    ("brackets", b"[" * MEGA, JSON),
    ("braces", b'{"a":' * (MEGA // 5), JSON),
    ("tiny keys", b"{" + b",".join(b'"%d":1' % n for n in range(200_000)) + b"}", JSON),
    ("tiny lists", b"[" + b"[]," * (MEGA // 3) + b"[]]", JSON),
    ("quotes", b'{"a"' + b'""' * (MEGA // 2), JSON),
    ("backslashes", b'{"a": "' + b"\\" * MEGA, JSON),
    ("escaped quotes", b'{"a": "' + b'\\"' * (MEGA // 2), JSON),
    ("a long number", b'{"a": ' + b"9" * MEGA + b"}", JSON),
    ("a long fraction", b'{"a": 1.' + b"9" * MEGA + b"}", JSON),
    ("pairs", b"a=1&" * (MEGA // 4), FORM),
    ("ampersands", b"a=1" + b"&" * MEGA, FORM),
    ("percents", b"a=" + b"%" * MEGA, FORM),
    ("escapes", b"a=" + b"%C3%A9" * (MEGA // 6), FORM),
    ("one word", b"a" * MEGA, FORM),
    ("blanks", b" " * MEGA + b"a", FORM),
    ("boundaries", f"--{CUT}\r\n".encode() * (MEGA // 12), f"{PARTS}; boundary={CUT}"),
    ("short boundaries", b"--a\r\n" * (MEGA // 5), f"{PARTS}; boundary=a"),
    ("one long head", f"--{CUT}\r\n".encode() + b"a\r\n" * (MEGA // 3), f"{PARTS}; boundary={CUT}"),
    ("a long name", part("a" * MEGA, "1") + END, PARTS),
    ("a name of parts", part('a"; name*0="b' * 80_000, "1") + END, PARTS),
    ("line ends", part("a", b"\r\n" * (MEGA // 2)) + END, PARTS),
    ("almost the end", part("a", f"\r\n--{CUT}".encode()[:-1] * (MEGA // 10)) + END, PARTS),
    ("a JSON bomb in a form", b"a=" + b"%7B%22a%22:" * 100_000, FORM),
]


@pytest.mark.parametrize(("body", "content_type"), [bomb[1:] for bomb in BOMBS],
                         ids=[bomb[0] for bomb in BOMBS])  # fmt: skip
def test_bombs_cost_little_time_and_memory(body: bytes, content_type: str) -> None:
    begun = time.process_time()
    try:
        for record in records(body, content_type):
            mapped(PRESETS["hubspot"].mapping, record)
    except PayloadError:
        pass
    assert time.process_time() - begun < 1.5


@pytest.mark.parametrize("name", ["brackets", "tiny keys", "tiny lists", "pairs", "one long head"])
def test_bombs_are_not_built(name: str) -> None:
    body, content_type = next(bomb[1:] for bomb in BOMBS if bomb[0] == name)
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError):
            records(body, content_type)
        assert tracemalloc.get_traced_memory()[1] < 6 * len(body) + 4_000_000
    finally:
        tracemalloc.stop()


CODES = {case[3] for case in BAD}
TYPES = st.sampled_from(
    ["", JSON, FORM, PARTS, f"{PARTS}; boundary={CUT}", f"{JSON}; charset=utf-16",
     f"{FORM}; charset=x", f"{FORM}; charset=utf-7", f"{JSON}; charset=utf-32",
     f"{JSON}; charset=zlib", ";;=", "a;b=c;\x00"]
) | st.text(max_size=40)  # fmt: skip
BODIES = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u0000", b"\\ud800", b"\\", b"NaN", b"1e9999",
         b"a", b"=", b"&", b"%", b"%ff", b"\x00", b"\xff\xfe", b"\r\n", f"--{CUT}".encode(), b"--",
         b'Content-Disposition: form-data; name="a"\r\n\r\n', b"Content-Disposition: form-data;",
         b"; filename*=utf-8''%ff", "é".encode("utf-16-be"), b" "]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(body=BODIES, content_type=TYPES)
@example(body=b"\xff\xfe{\x00", content_type=JSON)
@example(body=f"--{CUT}--".encode(), content_type=f"{PARTS}; boundary={CUT}")
def test_any_bytes_are_records_or_a_named_error(body: bytes, content_type: str) -> None:
    code, found = "", []
    try:
        found = records(body, content_type)
    except PayloadError as error:
        code = error.code
    assert bool(found) != (code in CODES)
    for record in found:
        assert record
        json.dumps(record, allow_nan=False).encode("utf-8")
        json.dumps(mapped(PRESETS["hubspot"].mapping, record).lead, ensure_ascii=False).encode()


def test_a_bounded_fuzz_of_every_preset() -> None:
    chance = random.Random(4)
    ends = time.process_time() + 2
    tried = read = 0
    while time.process_time() < ends and tried < 3_000:
        preset = PRESETS[chance.choice(list(PRESETS))]
        body = bytearray(preset.sample.encode())
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            match chance.randrange(4):
                case 0:
                    body[at] = chance.randrange(256)
                case 1:
                    del body[at : at + chance.randint(1, 20)]
                case 2:
                    body[at:at] = chance.choice(
                        [b'"', b"{", b"]", b"\x00", b"\xff", b"\\", b"&=", b"--"]
                    )
                case _:
                    body[at:at] = body[at : at + chance.randint(1, 60)]
        tried += 1
        try:
            found = records(bytes(body), preset.sample_type)
        except PayloadError:
            continue
        read += 1
        for record in found:
            json.dumps(mapped(preset.mapping, record).lead, allow_nan=False).encode()
        if tried % 20 == 0:
            suggestions([flat(record) for record in found])
    assert tried >= 200
    assert 0 < read < tried
