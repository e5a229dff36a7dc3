"""A form as one script: its program, its HTML, its style sheet and its rules in one response."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request, url_for

from lmt import i18n, web
from lmt.embed.recent import kept_here
from lmt.embed.shown import ShownForm, asked_language
from lmt.forms.look import element_style_sheet
from lmt.forms.page import form_fragment
from lmt.forms.pagefacts import page_facts
from lmt.forms.scriptfiles import PICKER, picker_mark, runtime
from lmt.forms.scriptwords import script_words
from lmt.forms.token import issue_token

FRESH_SECONDS = 60
"""What a browser keeps holds a token, and a form that was changed should be seen."""
_HOUR_SECONDS = 3600
_MARKUP = re.compile("<(?=!|script)|[\u2028\u2029]", re.IGNORECASE)
"""With `</`, all that a script's text is read for by HTML."""


@dataclass(frozen=True, slots=True)
class _Face:
    """All that decides what a form's data says. A version never changes; its form's origins may."""

    version_id: int
    language: str
    base_url: str
    origins: tuple[str, ...]
    today: date


def form_data(shown: ShownForm, language: str, today: date) -> dict[str, Any]:
    """What the program shows a form by, but for its token. No key for sending is in it: a response
    that several visitors may share would make them one lead."""
    definition, settings = shown.definition, web.settings()
    zone = shown.form.source.market.timezone
    with i18n.reading(language, zone):
        html = form_fragment(
            definition,
            language=language,
            action=settings.base_url + url_for("embed.submit", code=shown.form.code),
            version=str(shown.version.number),
            today=today,
        )
        return {
            "code": shown.form.code,
            "version": shown.version.number,
            "lang": language,
            "languages": list(definition.languages),
            "dir": i18n.direction(language),
            "css": element_style_sheet(definition.theme),
            "facts": _travelling(page_facts(definition, language, today)),
            "messages": script_words(language),
            "base": settings.base_url,
            "origins": list(shown.form.origins),
            "picker": _picker_address(shown),
            "html": re.sub(r">\n\s*<", "><", html),
        }


def answer_script(shown: ShownForm, at: datetime) -> Response:
    """The program and its data, as JavaScript."""
    before = f"{runtime(shown.definition)}LmtEmbed.show("
    return _answer(shown, at, "text/javascript", before, ");\n")


def answer_data(shown: ShownForm, at: datetime) -> Response:
    """The data alone, as JSON: the form in another language than the script brought."""
    return _answer(shown, at, "application/json", "", "\n")


def in_script(data: Mapping[str, Any]) -> str:
    """JSON that can stand in any script, also in one within a page: nothing ends it early, and no
    line ends where JavaScript of old says one does."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _answer(shown: ShownForm, at: datetime, mimetype: str, before: str, after: str) -> Response:
    """Nothing of a visitor is in it: what was put together for one serves all, for as long as
    browsers may keep it. Whether the form may be seen at all was asked before."""
    language = asked_language(shown.definition)
    zone = ZoneInfo(shown.form.source.market.timezone)
    face = _Face(
        shown.version.id,
        language,
        web.settings().base_url,
        tuple(shown.form.origins),
        at.astimezone(zone).date(),
    )
    kept = kept_here("scripts")
    minute = int(at.timestamp()) // FRESH_SECONDS
    packed = request.accept_encodings["gzip"] > 0

    def data() -> dict[str, Any]:
        return form_data(shown, language, face.today)

    def made() -> tuple[str, bytes]:
        told = kept.get(face, data)
        # A token within an hour of a fresh one is as good: the form needn't travel again for it.
        hour = int(at.timestamp()) // _HOUR_SECONDS
        mark = _digest(before, in_script(told), str(hour))
        token = issue_token(web.settings().secret_key, shown.form.code, shown.version.number, at)
        text = before + in_script({**told, "token": token}) + after
        body = text.encode("utf-8", "replace")
        return (f"{mark}-gzip", gzip.compress(body, 9)) if packed else (mark, body)

    mark, body = kept.get((face, minute, before, packed), made)
    response = Response(body, mimetype=mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(mark)
    response.cache_control.public = True
    response.cache_control.max_age = FRESH_SECONDS
    response.vary.update(["Accept-Language", "Accept-Encoding"])
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response


def _travelling(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what form.js finds in the HTML: a maker's models are many."""
    return {**facts, "fields": [_travelling_field(field) for field in facts["fields"]]}


def _travelling_field(field: dict[str, Any]) -> dict[str, Any]:
    found = {"options"} | ({"inputs"} if field["inputs"] == [field["key"]] else set())
    return {name: fact for name, fact in field.items() if name not in found}


def _picker_address(shown: ShownForm) -> str | None:
    marked = picker_mark(shown.definition)
    path = url_for("embed.static_file", name=PICKER, v=marked)
    return web.settings().base_url + path if marked else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:20]
