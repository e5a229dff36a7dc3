"""The programs of a form as browsers get them: put together, without what only people read."""

from __future__ import annotations

import hashlib
import json
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import rjsmin

from lmt.forms.definition import FormDefinition
from lmt.forms.look import base_rules

PARTS = (
    "rules.js",
    "visit.js",
    "draft.js",
    "sending.js",
    "answers.js",
    "address.js",
    "problems.js",
    "form.js",
    "embed.js",
)
"""In the order in which they need each other."""
PICKER = "picker.js"
"""Follows by itself, with its style sheet, once the form is seen: it needs the network anyway."""
_NEEDED_FOR = {"address.js": "address"}


def runtime(definition: FormDefinition) -> str:
    """Everything that the form's script needs to show it, without its data."""
    types = {item.type for item in definition.fields}
    names = [name for name in PARTS if _NEEDED_FOR.get(name, name) in {name, *types}]
    found = [path for name in names for path in [_found(name)] if path]
    return _joined(tuple((path, path.stat().st_mtime_ns) for path in found))


def picker_mark(definition: FormDefinition) -> str:
    """The mark of the program that picks dealers; "" for a form that asks for none."""
    if all(item.type != "dealer" for item in definition.fields):
        return ""
    return mark(static_text(PICKER))


def static_text(name: str, package: str = "lmt.forms") -> str:
    """A script (made small) or style sheet among the package's `static`. Raises LookupError for
    none of those."""
    path = _found(name, package)
    if path is None:
        raise LookupError(name)
    text = _text(path, path.stat().st_mtime_ns)
    return f"{text};\n{_picker_style()}" if name == PICKER else text


def mark(text: str) -> str:
    """Changes with the text: for addresses and ETags."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _found(name: str, package: str = "lmt.forms") -> Path | None:
    return _static(package).get(name)


@cache
def _static(package: str) -> dict[str, Path]:
    """By the names that are there, so that no name leads out of the folder."""
    folder = Path(str(files(package) / "static"))
    return {path.name: path for path in folder.iterdir() if path.is_file()}


def _picker_style() -> str:
    return f"LmtPicker.css={json.dumps(base_rules('picker.css'), ensure_ascii=False)};\n"


@lru_cache(maxsize=8)
def _joined(parts: tuple[tuple[Path, int], ...]) -> str:
    return ";\n".join(_text(path, modified) for path, modified in parts) + ";\n"


@lru_cache(maxsize=64)
def _text(path: Path, _modified: int) -> str:
    """An edited file is read again without a restart."""
    text = path.read_text("utf-8")
    return str(rjsmin.jsmin(text)) if path.suffix == ".js" else text
