"""A brand's site on an origin of its own, with our forms on its pages: friendly and hostile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.stand_ins import Asked, Reply, stand_in

HOSTILE_CSS = """
* { all: unset; }
html { font-size: 40px !important; }
body { font: 700 44px/3 fantasy; letter-spacing: 0.3em; text-transform: uppercase; }
* { box-sizing: content-box !important; color: rgb(255, 0, 0) !important;
    background: rgb(0, 0, 0) !important; line-height: 3 !important; font-size: 40px !important; }
head, script { display: none; }
div, lmt-form, iframe { display: block; float: none; }
lmt-form { padding: 3rem; writing-mode: vertical-rl; text-align: right; visibility: visible; }
iframe { inline-size: 100%; }
input, button, select, label, fieldset { border: 9px solid lime !important; margin: 40px; }
"""
"""What a form must survive: the resets of old themes, and worse."""


def strict_policy(forms: str) -> str:
    """The Content-Security-Policy that the guide asks a brand for, and nothing beyond it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {forms}",
            f"connect-src {forms}",
            f"frame-src {forms}",
            "style-src 'self'",
            "require-trusted-types-for 'script'",
            "trusted-types lmt-form",
        )
    )


def page(body: str, language: str = "en", head: str = "") -> bytes:
    direction = "rtl" if language == "ar" else "ltr"
    return (
        f"<!doctype html><html lang='{language}' dir='{direction}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Aurel</title>{head}</head>"
        f"<body>{body}</body></html>"
    ).encode()


class BrandSite:
    """Pages by path; `?form=` and `?lang=` say which form and language, `forms` where we are.

    `/script` and `/frame` are hostile and strict, `/plain` is a page as most are, `/offer` has no
    form and remembers how its visitor came, `/bare` has the script alone, `/twice` two elements
    and the script twice.
    """

    def __init__(self) -> None:
        self.url = ""
        self.forms = ""

    def reply(self, asked: Asked) -> Reply:
        if asked.path == "/site.css":
            return Reply(HOSTILE_CSS.encode(), headers={"Content-Type": "text/css"})
        form, language = asked.query.get("form", ""), asked.query.get("lang", "en")
        script = f"<script async src='{self.forms}/embed/{form}.js?lang={language}'></script>"
        element = f"<lmt-form form='{form}'></lmt-form>"
        sheet = "<link rel='stylesheet' href='/site.css'>"
        headers = {"Content-Type": "text/html; charset=utf-8"}
        strict = headers | {"Content-Security-Policy": strict_policy(self.forms)}
        frame = (
            f"<script src='{self.forms}/embed/visit.js'></script>"
            f"<script src='{self.forms}/embed/frame.js'></script>"
            "<iframe data-lmt-form title='Aurel'"
            f" src='{self.forms}/embed/{form}?lang={language}'></iframe>"
        )
        remembers = f"<script src='{self.forms}/embed/visit.js' data-remember></script>"
        if asked.path == "/script":
            return Reply(page(f"<div>{element}</div>{script}", language, sheet), headers=strict)
        if asked.path == "/frame":
            return Reply(page(f"<div>{frame}</div>", language, sheet), headers=strict)
        bodies = {
            "/plain": f"<h1>Aurel</h1>{element}{script}",
            "/offer": f"<h1>Aurel</h1>{remembers}<a href='/plain?form={form}'>Mira</a>",
            "/bare": f"<h1>Aurel</h1><main><p>Mira</p>{script}</main>",
            "/twice": f"<h1>Aurel</h1>{element}{script}{script}{element}",
            "/empty": "<h1>Aurel</h1>",
        }
        if asked.path in bodies:
            return Reply(page(bodies[asked.path], language), headers=headers)
        return Reply(b"", 404)


@contextmanager
def brand_site() -> Iterator[BrandSite]:
    site = BrandSite()
    with stand_in(site.reply) as server:
        site.url = server.url
        yield site
