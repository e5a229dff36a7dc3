"""Pure: a specification in which every text is one that Vega draws, whatever people call things.

Some texts end more than a drawing: what XML can't hold ends the whole process that makes a picture
of it, and whoever names a report chooses such a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NO_XML = re.compile("[^\t\n\r\x20-\x84\x86-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for, and ends of lines at which Vega's expressions break off."""
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
"""Two halves to JavaScript, which shortens a name between them; no font of ours has them."""
_JS_WORDS = frozenset({
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
    "toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__",
    "__lookupGetter__", "__lookupSetter__",
})  # fmt: skip
"""What every object of JavaScript has: Vega takes a text of this name for that."""


def drawable(spec: Any, *, printed: bool = False) -> Any:
    """The same specification; texts that differ stay different. `printed`: with the signs alone
    that a picture made on the server can have."""
    names = _names(set(_texts(spec)), printed)
    return _replaced(spec, names) if names else spec


def _names(texts: set[str], printed: bool) -> dict[str, str]:
    """What each text is called that can't stay as it is."""
    wanted = {text: clean for text in texts if (clean := _clean(text, printed)) != text}
    taken = texts - wanted.keys()
    names = {}
    for text, clean in sorted(wanted.items()):
        name, number = clean, 1
        while name in taken:
            number += 1
            name = f"{clean} ({number})"
        taken.add(name)
        names[text] = name
    return names


def _clean(text: str, printed: bool) -> str:
    if text.isascii() and text.isprintable():
        return f"{text}\N{NO-BREAK SPACE}" if text in _JS_WORDS else text
    clean = _NO_XML.sub(" ", text)
    if printed and _BEYOND.search(clean):
        clean = " ".join(_BEYOND.sub(" ", clean).split()) or "\N{HORIZONTAL ELLIPSIS}"
    return clean


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)


def _replaced(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, str):
        return names.get(part, part)
    if isinstance(part, dict):
        return {key: _replaced(value, names) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_replaced(value, names) for value in part]
    return part
