"""Copy the front end's parts from `node_modules` into the package, with their licences.

Run after `npm ci`; what it writes is kept in the repository, so that running LMT needs no Node.
    python tools/assets.py [NODE_MODULES]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from basemap import base_map

VENDOR = Path(__file__).parent.parent / "lmt" / "static" / "vendor"

FILES = {
    "tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler/tabler.rtl.min.css": "@tabler/core/dist/css/tabler.rtl.min.css",
    "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    "leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "topojson/topojson-client.min.js": "topojson-client/dist/topojson-client.min.js",
    "vega/vega.min.js": "vega/build/vega.min.js",
    "vega-lite/vega-lite.min.js": "vega-lite/build/vega-lite.min.js",
    "vega-embed/vega-embed.min.js": "vega-embed/build/vega-embed.min.js",
    "htmx/LICENSE": "htmx.org/LICENSE",
    "icons/LICENSE": "@tabler/icons/LICENSE",
    "leaflet/LICENSE": "leaflet/LICENSE",
    "topojson/LICENSE": "topojson-client/LICENSE",
    "world/LICENSE": "world-atlas/LICENSE",
    "vega/LICENSE": "vega/LICENSE",
    "vega-lite/LICENSE": "vega-lite/LICENSE",
    "vega-embed/LICENSE": "vega-embed/LICENSE",
    "vega-interpreter/LICENSE": "vega-interpreter/LICENSE",
}

FONTS = Path(__file__).parent.parent / "lmt" / "reports" / "fonts"
"""Of charts that the server draws; no page uses them."""
FONT_FILES = {
    "DejaVuSans.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
    "LICENSE": "dejavu-fonts-ttf/LICENSE",
}

ICONS = """
adjustments alarm alert-triangle arrow-back-up arrow-down arrow-right arrow-up arrows-exchange at
ban bolt bookmark brand-whatsapp building-community building-store calendar calendar-check
calendar-event calendar-off calendar-plus calendar-time calendar-x car chart-bar chart-line check
chevron-down chevron-left chevron-right circle-check click clock clock-exclamation columns copy
corner-up-left download edit external-link eye file-import file-text filter flame hand-stop help
help-circle history hourglass inbox info-circle key keyboard language layout-kanban layout-list
link list list-check lock logout mail mail-cog mail-forward mailbox map-2 map-pin message message-2
mood-smile moon note pencil phone player-pause player-play plug plus printer refresh rocket route
scale search send settings shield snowflake star steering-wheel sun tags target temperature
template thumb-down thumb-up trash trophy user user-check user-off user-plus user-share users world
x
"""

_LICENCE_OF_TABLER = """MIT License

{holders}

"""


def copy(modules: Path) -> None:
    """Write every part; raises FileNotFoundError naming the one that npm did not bring."""
    for target, source in FILES.items():
        _write(target, (modules / source).read_text(encoding="utf-8"))
    _write("icons/icons.svg", sprite(modules / "@tabler/icons/icons/outline"))
    atlas = (modules / "world-atlas/countries-50m.json").read_text(encoding="utf-8")
    _write("world/countries.json", base_map(atlas))
    _write("vega-interpreter/vega-interpreter.js", interpreter(modules))
    _write("tabler/LICENSE", tabler_licence(modules))
    FONTS.mkdir(parents=True, exist_ok=True)
    for name, source in FONT_FILES.items():
        (FONTS / name).write_bytes((modules / source).read_bytes())


def sprite(folder: Path) -> str:
    """One SVG of the icons in use, each a symbol under its own name."""
    symbols = []
    for name in sorted(ICONS.split()):
        text = (folder / f"{name}.svg").read_text(encoding="utf-8")
        drawing = re.sub(r"(?s)^.*?<svg[^>]*>|</svg>|<path stroke=\"none\"[^>]*/>", "", text)
        drawing = re.sub(r"\s*\n\s*", "", drawing)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def interpreter(modules: Path) -> str:
    """The interpreter is published as a module only; the pages load plain scripts beside vega."""
    text = (modules / "vega-interpreter/build/vega-interpreter.js").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^import (\{[^}]*\}) from 'vega-util';", r"const \1 = vega;", text)
    text = re.sub(r"export \{ expression as expressionInterpreter \};", "", text)
    text = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text).strip()
    indented = text.replace("\n", "\n  ")
    return (
        "(function () {\n  'use strict';\n  "
        + indented
        + "\n  globalThis.vegaExpressionInterpreter = expression;\n})();\n"
    )


def tabler_licence(modules: Path) -> str:
    """Tabler's package carries its licence only as a banner: its holders, with the MIT text."""
    css = (modules / "@tabler/core/dist/css/tabler.min.css").read_text(encoding="utf-8")
    holders = "\n".join(re.findall(r"Copyright [^\n*]+", css[:600]))
    mit = (modules / "@tabler/icons/LICENSE").read_text(encoding="utf-8")
    return _LICENCE_OF_TABLER.format(holders=holders) + mit[mit.index("Permission is") :]


def _write(target: str, text: str) -> None:
    text = re.sub(r"(?m)^/[/*]# sourceMappingURL=.*$\n?", "", text)
    path = VENDOR / target
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    copy(Path(sys.argv[1] if len(sys.argv) > 1 else "node_modules"))
