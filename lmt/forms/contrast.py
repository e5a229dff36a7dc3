"""Whether the colours of a form can be told apart, by the measure of WCAG 2.2."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls

TEXT_RATIO = 4.5
"""SC 1.4.3, text of the size a form has."""
SHAPE_RATIO = 3.0
"""SC 1.4.11, the edges of inputs and what marks the focus."""
_STEPS = 200


def contrast(one: str, other: str) -> float:
    """The ratio of two colours (`#rrggbb`), 1 to 21, whichever is lighter."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def passing(colour: str, against: str, least: float) -> str:
    """The colour of the same hue nearest in lightness that reaches `least` against the other.

    Black or white where the hue can't; of these the better one where neither does.
    """
    hue, lightness, saturation = rgb_to_hls(*_channels(colour))
    for step in range(_STEPS + 1):
        for moved in (lightness - step / _STEPS, lightness + step / _STEPS):
            if 0 <= moved <= 1:
                candidate = _hexadecimal(hls_to_rgb(hue, moved, saturation))
                if contrast(candidate, against) >= least:
                    return candidate
    return max("#000000", "#ffffff", key=lambda extreme: contrast(extreme, against))


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hexadecimal(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(colour: str) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
