"""The style sheet of a form: one for its page, its frame and its shadow root, with its theme."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from lmt.forms.contrast import TEXT_RATIO, contrast, passing
from lmt.forms.theme import COLOURS, style_variables

DARK_BACKGROUND = "#18212b"
"""What a form lies on in the dark, where its theme names no colours; as form.css has it."""
_RULE = re.compile(r"(?P<selectors>[^{}]+)\{[^{}]*\}")


def style_sheet(theme: Mapping[str, str]) -> str:
    """All rules for a form of this (checked) theme."""
    return base_rules("form.css", "picker.css") + theme_rules(theme)


def element_style_sheet(theme: Mapping[str, str]) -> str:
    """The rules for this form within somebody else's page. Those of the picker come with it."""
    return _RULE.sub(_unless_for_pages, base_rules("form.css")) + theme_rules(theme)


@cache
def base_rules(*names: str) -> str:
    """The rules in these files without comments and blanks: they travel to every visitor."""
    static = files("lmt.forms") / "static"
    text = "".join((static / name).read_text("utf-8") for name in names)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", re.sub(r"\s*([{};])\s*", r"\1", text)).strip()
    return re.sub(r"([:,]) ", r"\1", text).replace(";}", "}") + "\n"


def _unless_for_pages(rule: re.Match[str]) -> str:
    selectors = rule["selectors"].split(",")
    ours = all(each.startswith((".lmt-page", ".lmt-frame")) for each in selectors)
    return "" if ours else rule[0]


def theme_rules(theme: Mapping[str, str]) -> str:
    """The rules that a theme adds to form.css; "" for none.

    A theme that names a background or a text is made for that one scheme, light or dark. An accent
    alone is lightened in the dark as far as it must be.
    """
    properties = style_variables(theme)
    rules = []
    if theme.get("font") == "inherit":
        # As a custom property it would inherit that property, not the font.
        del properties["--lmt-font"]
        rules.append(":host{font-family:inherit!important}.lmt-form{font-family:inherit}")
    pinned = "background" in theme or "text" in theme
    if pinned:
        background = theme.get("background", COLOURS["background"])
        scheme = "light" if _ink_on(background) == "#000000" else "dark"
        rules.append(f".lmt-page,.lmt-frame,.lmt-form{{color-scheme:only {scheme}}}")
    if accent := theme.get("accent"):
        dark = accent if pinned else passing(accent, DARK_BACKGROUND, TEXT_RATIO)
        properties["--lmt-accent"] = f"light-dark({accent},{dark})"
        properties["--lmt-on-accent"] = f"light-dark({_ink_on(accent)},{_ink_on(dark)})"
    if properties:
        listed = ";".join(f"{name}:{value}" for name, value in properties.items())
        rules.append(f":root,:host{{{listed}}}")
    return "\n".join(rules)


def _ink_on(colour: str) -> str:
    """Black or white, whichever is read better on the colour."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, colour))
