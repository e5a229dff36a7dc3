"""The catalogues of texts: collect, compile, and check that every shipped locale is complete.

`python tools/catalogues.py update|compile|check`
"""

from __future__ import annotations

import io
import sys
from copy import deepcopy
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "translations"
LOCALES = ("en", "fr", "de", "es", "pl", "nl", "tr", "ar")
SOURCE = "en"
METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


def collected() -> Catalog:
    """Every text of the package, from its code and its templates."""
    catalog = Catalog(project="LMT", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        ROOT / "lmt",
        method_map=METHODS,
        options_map={"**.html": {"silent": "false"}, "**.txt": {"silent": "false"}},
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
    )
    for file, _line, message, comments, context in found:
        catalog.add(message, None, [(f"lmt/{file}", 0)], auto_comments=comments, context=context)
    return catalog


def update() -> None:
    """Merge new texts into every locale's catalogue, without line numbers to keep changes small."""
    template = collected()
    for locale in LOCALES:
        path = _po(locale, "messages")
        catalog = _read(path, locale) if path.exists() else _empty(locale)
        # A copy: a catalogue takes over the messages it is brought up to date with.
        catalog.update(deepcopy(template), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        if locale == SOURCE:
            _fill_source(catalog)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(
                file, catalog, width=100, omit_header=False, sort_output=True, no_location=True
            )


def compile_all() -> None:
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/*.po")):
        catalog = _read(path, path.parent.parent.name)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)


def check() -> list[str]:
    """What is missing or wrong, a line each; empty when every locale is complete."""
    template = collected()
    problems = []
    for locale in LOCALES:
        path = _po(locale, "messages")
        if not path.exists():
            problems.append(f"{locale}: there is no catalogue")
            continue
        catalog = _read(path, locale)
        for message in template:
            if message.id:
                problems += _message_problems(locale, catalog, message)
        problems += _own_problems(locale, catalog)
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/flask_security.po")):
        locale = path.parent.parent.name
        problems += _own_problems(
            f"{locale} (accounts)", _read(path, locale), empty=locale != SOURCE
        )
    return problems


def _message_problems(locale, catalog, message) -> list[str]:  # type: ignore[no-untyped-def]
    known = catalog.get(message.id, message.context)
    if known is None:
        return [f"{locale}: {message.id!r} is not in the catalogue: make translations"]
    strings = known.string if isinstance(known.string, tuple | list) else [known.string]
    if isinstance(message.id, tuple | list) and len(strings) != catalog.num_plurals:
        return [f"{locale}: {message.id!r} needs {catalog.num_plurals} plural forms"]
    if not all(strings):
        return [f"{locale}: {message.id!r} is not translated"]
    return []


def _own_problems(locale: str, catalog: Catalog, *, empty: bool = False) -> list[str]:
    problems = [
        f"{locale}: {message.id!r}: {error}"
        for message, errors in catalog.check()
        for error in errors
    ]
    for message in catalog:
        if message.id and message.fuzzy:
            problems.append(f"{locale}: {message.id!r} is fuzzy")
        if empty and message.id and not message.string:
            problems.append(f"{locale}: {message.id!r} is not translated")
    return problems


def _fill_source(catalog: Catalog) -> None:
    """English is its own translation, so that completeness means the same everywhere."""
    for message in catalog:
        if message.id:
            message.string = message.id


def _empty(locale: str) -> Catalog:
    return Catalog(
        locale,
        project="LMT",
        version="0",
        copyright_holder="The LMT authors",
        header_comment=f"# LMT in {Locale(locale).get_language_name('en')}. MIT License.",
        msgid_bugs_address="see CONTRIBUTING.md",
        last_translator="The LMT authors",
        language_team=locale,
        charset="utf-8",
        fuzzy=False,
    )


def _po(locale: str, domain: str) -> Path:
    return FOLDER / locale / "LC_MESSAGES" / f"{domain}.po"


def _read(path: Path, locale: str) -> Catalog:
    return read_po(io.BytesIO(path.read_bytes()), locale=locale)


def main() -> None:
    match sys.argv[1:]:
        case ["update"]:
            update()
        case ["compile"]:
            compile_all()
        case ["check"]:
            problems = check()
            print("\n".join(problems[:40]) or "Every catalogue is complete.")
            if len(problems) > 40:
                print(f"… and {len(problems) - 40} more")
            sys.exit(1 if problems else 0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
