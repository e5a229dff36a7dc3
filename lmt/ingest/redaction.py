"""What must not lie in the database in the clear is blacked out before a raw body is stored."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from werkzeug.http import parse_options_header

from lmt.mapping.charsets import text_of
from lmt.mapping.formdata import MAX_HEADERS_BYTES
from lmt.mapping.payload import unescaped
from lmt.mapping.payloaderror import PayloadError
from lmt.mapping.strictjson import json_value

BLACK = "…"
GOOGLE_KEY = "google_key"
_BETWEEN_PARTS = re.compile(rb"(\r?\n--)")
_DISPOSITION = re.compile(rb"content-disposition:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.I)
_FOLD = re.compile(rb"\r?\n[ \t]")
_VALUE = rb'\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)'


def redacted(body: bytes, names: Collection[str]) -> bytes:
    """The body with the values of these fields replaced by "…", every other byte as it came.

    A field is known by the last part of its path, wherever it stands. Only where a body hides a
    field (escapes in its name, another encoding, an object for its value) it is written anew.
    """
    last = {name.rpartition(".")[2] for name in names if name}
    if not last:
        return body
    # By what it is: senders label JSON as a form and the other way round.
    blackened, is_json = _json(body, last)
    if is_json:
        return blackened
    return (_parts if _DISPOSITION.search(body) else _form)(blackened, last)


def without_google_key(body: bytes, record: Mapping[str, Any]) -> bytes:
    """A redacted delivery of Google's, which `record` was read from, written anew where the key is
    still in it: under another name, or as text of another encoding, say."""
    key = str(record.get(GOOGLE_KEY) or "")
    if not key:
        return body
    spelled = [key.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    expected = _without(record, {GOOGLE_KEY})
    told = _mapped_texts(expected, lambda text: text.replace(key, BLACK))
    if told == expected and not any(each in body for each in spelled):
        return body
    return _written(told, body)


def _json(body: bytes, names: Collection[str]) -> tuple[bytes, bool]:
    """The body without what looks like these members; and whether it is JSON, through and through
    looked at then."""
    blackened = body
    for name in names:
        member = re.escape(json.dumps(name, ensure_ascii=False).encode())
        pattern = re.compile(rb"(" + member + rb")" + _VALUE)
        blackened = pattern.sub(_keep_all_but_value, blackened)
    try:
        # Read as the door will read it, so that it can't be hidden in what only one takes for JSON.
        read = json_value(text_of(blackened, ""))
    except PayloadError:
        return blackened, False
    if not isinstance(read, dict | list):
        return blackened, False
    if _shows(read, names):
        blackened = _written(_without(read, names), body)
    return blackened, True


def _keep_all_but_value(match: re.Match[bytes]) -> bytes:
    kept = match[0][: match.start(2) - match.start(0)]
    return kept + b'"' + BLACK.encode() + b'"'


def _shows(value: Any, names: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(
            (key in names and not _is_black(inner)) or _shows(inner, names)
            for key, inner in value.items()
        )
    return isinstance(value, list) and any(_shows(inner, names) for inner in value)


def _is_black(value: Any) -> bool:
    # A member that comes twice is read as a list.
    return value == BLACK or (isinstance(value, list) and all(each == BLACK for each in value))


def _without(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: BLACK if key in names else _without(inner, names) for key, inner in value.items()
        }
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


def _mapped_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(key): _mapped_texts(inner, change) for key, inner in value.items()}
    return [_mapped_texts(inner, change) for inner in value] if isinstance(value, list) else value


def _written(value: Any, instead_of: bytes) -> bytes:
    """As JSON in UTF-8, marked so where the sender may have declared another encoding."""
    try:
        instead_of.decode("utf-8")
        other = b"\0" in instead_of
    except UnicodeDecodeError:
        other = True
    mark = codecs.BOM_UTF8 if other else b""
    return mark + json.dumps(value, ensure_ascii=False).encode()


def _form(body: bytes, names: Collection[str]) -> bytes:
    pairs = []
    for pair in body.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if unquote_plus(name.decode("latin-1")).strip() in names:
            value = BLACK.encode()
        elif value.lstrip(b"+ ")[:1] in (b"{", b"%"):
            # Some form builders post all their answers as one field of JSON.
            plain = unescaped(value)
            hidden = _json(plain, names)[0] if plain.lstrip()[:1] == b"{" else plain
            value = value if hidden == plain else quote_plus(hidden).encode()
        pairs.append(name + equals + value)
    return b"&".join(pairs)


def _parts(body: bytes, names: Collection[str]) -> bytes:
    """Part by part, so that no body takes longer than it is long."""
    pieces = _BETWEEN_PARTS.split(body)
    for number, piece in enumerate(pieces):
        head, blank, content = piece.partition(b"\r\n\r\n" if b"\r\n" in piece else b"\n\n")
        if not blank:
            continue
        if _part_name(head) in names:
            pieces[number] = head + blank + BLACK.encode()
        elif content.lstrip()[:1] == b"{":
            pieces[number] = head + blank + _json(content, names)[0]
    return b"".join(pieces)


def _part_name(head: bytes) -> str:
    """As whoever reads the form will understand it."""
    found = _DISPOSITION.search(head[:MAX_HEADERS_BYTES])
    line = _FOLD.sub(b" ", found[1]).decode("utf-8", "replace") if found else ""
    return parse_options_header(line)[1].get("name", "").strip()
