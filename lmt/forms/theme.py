"""How a form looks on a brand's page: a few tokens that can only be what they are meant to be."""

from __future__ import annotations

import re
from collections.abc import Mapping

COLOURS = {"accent": "#064f8c", "background": "#ffffff", "text": "#16202c"}
FONTS = {
    "system": 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif',
    "serif": 'Georgia, "Noto Serif", "Noto Naskh Arabic", serif',
    "inherit": "inherit",
}
"""`inherit` takes the font of the page around the form."""
MOST_RADIUS_PX = 24
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class BadTheme(ValueError):
    """A token or a value that isn't known; the message names the token."""


def checked_theme(tokens: Mapping[str, str]) -> dict[str, str]:
    """The tokens, known to be safe in a style sheet. Raises BadTheme."""
    return {name: _checked(name, str(value)) for name, value in tokens.items() if value}


def _checked(name: str, value: str) -> str:
    if name in COLOURS:
        known = _COLOUR.fullmatch(value) is not None
    elif name == "font":
        known = value in FONTS
    elif name == "radius":
        known = value.isascii() and value.isdecimal() and int(value) <= MOST_RADIUS_PX
    else:
        known = False
    if not known:
        raise BadTheme(f"{name}: {value!r} can't be used")
    return value


def style_variables(tokens: Mapping[str, str]) -> dict[str, str]:
    """The custom properties that a form's style sheet reads, for the tokens that were chosen."""
    properties = {f"--lmt-{name}": tokens[name] for name in COLOURS if name in tokens}
    if "radius" in tokens:
        properties["--lmt-radius"] = f"{tokens['radius']}px"
    if "font" in tokens:
        properties["--lmt-font"] = FONTS[tokens["font"]]
    return properties
