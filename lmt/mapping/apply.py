"""One record through the table: a lead in the shape of the API, with nothing of it lost."""

from __future__ import annotations

import json
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lmt.mapping.flatten import flat, titles
from lmt.mapping.model import Line, Mapping
from lmt.mapping.targets import Target, target_of
from lmt.mapping.withheld import is_machinery, is_secret

#: The lead JSON's own limits.
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTES_BYTES = 20_000
_NAME_LENGTH = 200
_MOST_BYTES = 6
#: Where platforms put a person's answers: an attribute's name need not repeat it.
_CONTAINERS = (
    "user_column_data.",
    "field_data.",
    "fields.",
    "changes.",
    "form_response.answers.",
    "form_response.hidden.",
    "form_response.variables.",
    "payload.data.",
    "data.",
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """`lead` has the shape of the lead JSON and may be wrong everywhere, as any sender's.

    `used` are the paths that lines took; `rest` what is left, secrets apart, as {path: text}. It
    becomes the lead's attributes as far as their limits allow; `left_off` names what didn't fit.
    """

    lead: dict[str, Any]
    used: tuple[str, ...]
    rest: dict[str, str]
    left_off: tuple[str, ...] = ()


def mapped(mapping: Mapping, record: Any) -> Mapped:
    """The record, an object of a payload or a row of a table, read by the mapping's lines."""
    fields = flat(record)
    by_case = {path.casefold(): path for path in reversed(fields)}
    lead: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    used: dict[str, None] = {}
    asked = titles(fields)
    labels = {f"{path}.label" for path in asked}
    for line in mapping.lines:
        target = target_of(line.target)
        if target is None:
            continue
        text, paths = _filled(line, target, fields, by_case)
        used.update(dict.fromkeys(paths))
        if text and line.target.startswith("attributes."):
            attributes[line.target.removeprefix("attributes.")] = text
        elif text:
            put(lead, target, text)
    rest = {
        path: text
        for path, text in fields.items()
        if text.strip()
        and path not in used
        and path not in labels
        and not is_secret(path)
        and not is_machinery(path)
    }
    kept, left_off = attributes_of(attributes, rest, asked)
    if kept:
        lead["attributes"] = kept
    return Mapped(lead, tuple(used), rest, left_off)


def _filled(
    line: Line, target: Target, fields: ReadOnly[str, str], by_case: ReadOnly[str, str]
) -> tuple[str, list[str]]:
    """What the line gives, and the paths that it took it from."""
    translations = {given.strip().casefold(): ours for given, ours in line.values.items()}
    texts: list[str] = []
    paths: list[str] = []
    for wanted in line.paths:
        path = wanted if wanted in fields else by_case.get(wanted.casefold(), "")
        text = fields.get(path, "").strip()
        if not text or path in paths or is_secret(path):
            continue
        paths.append(path)
        if meant := translations.get(text.casefold(), text):
            texts.append(meant)
            if line.how == "first":
                break
    return written(line, target, texts), paths


def written(line: Line, target: Target, texts: Sequence[str]) -> str:
    """What the line makes of the texts that its paths gave, none of them empty."""
    text = ("\n" if target.kind == "lines" else " ").join(texts) or line.fixed
    if target.kind == "tokens":
        return " ".join(line.prefix + token for token in text.split())
    if target.path == "customer.phone" and line.how == "join" and line.prefix == "+":
        return _with_country_code(texts, len(line.paths)) or text
    return line.prefix + text if text else ""


def _with_country_code(texts: Sequence[str], columns: int) -> str:
    """`49` and `0151 234` as `+490151 234`; a number alone, or with its own plus, as it stands.

    Diallers keep the country's code apart. "" where there is no number.
    """
    if not texts or len(texts) < columns or texts[-1].startswith(("+", "00")):
        return texts[-1] if texts else ""
    code = texts[0].lstrip("+0")
    return f"+{code}{''.join(texts[1:])}" if code.isdecimal() else texts[-1]


def put(lead: dict[str, Any], target: Target, text: str) -> None:
    """Set the target in a lead that is being built."""
    section, _, name = target.path.partition(".")
    if section == "consents":
        _put_consent(lead, name, text, target.kind)
        return
    holder = lead
    *sections, name = target.path.split(".", 2)
    for each in sections:
        holder = holder.setdefault(each, {})
    if target.kind == "tokens" and name in holder:
        text = f"{holder[name]} {text}"
    holder[name] = _instant(text) if target.kind == "instant" else text


def _put_consent(lead: dict[str, Any], name: str, text: str, kind: str) -> None:
    purpose, _, part = name.partition(".")
    consents: list[dict[str, Any]] = lead.setdefault("consents", [])
    consent = next((each for each in consents if each["purpose"] == purpose), None)
    if consent is None:
        consent = {"purpose": purpose}
        consents.append(consent)
    consent[part or "given"] = _instant(text) if kind == "instant" else text


def _instant(text: str) -> str | int:
    """As given; a bare count of seconds or milliseconds as the number that it is."""
    return int(text) if text.isdecimal() and 9 <= len(text) <= 13 else text


def attributes_of(
    named: ReadOnly[str, str], rest: ReadOnly[str, str], asked: ReadOnly[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What no field of ours holds, under names a person understands; and what didn't fit."""
    kept: dict[str, str] = {}
    left_off: list[str] = []
    room = MAX_ATTRIBUTES_BYTES - 2
    listed = [(name, name, text) for name, text in named.items()]
    taken = set(named)
    for path, text in rest.items():
        name = (asked.get(path) or _short(path))[:_NAME_LENGTH]
        if name in taken:
            name = path
        taken.add(name)
        listed.append((path, name, text))
    # No character takes more than this as JSON, so that what is small need not be written to know.
    if (
        len(listed) <= MAX_ATTRIBUTES
        and _MOST_BYTES * sum(len(name) + len(text) + 1 for _path, name, text in listed) <= room
    ):
        return {_printable(name): _printable(text) for _path, name, text in listed}, ()
    for path, name, text in listed:
        clean = _printable(text)
        size = len(json.dumps({_printable(name): clean}, ensure_ascii=False).encode())
        if len(kept) >= MAX_ATTRIBUTES or size > room:
            left_off.append(path)
            continue
        kept[_printable(name)] = clean
        room -= size
    return kept, tuple(left_off)


def _short(path: str) -> str:
    container = next((head for head in _CONTAINERS if path.startswith(head)), "")
    return path.removeprefix(container) or path


def _printable(text: str) -> str:
    """Without the control characters that the lead JSON refuses in attributes."""
    if text.isprintable():
        return text
    return "".join(
        c for c in text if c in "\n\r\t" or not ("\0" <= c < " " or "\x7f" <= c < "\xa0")
    )
