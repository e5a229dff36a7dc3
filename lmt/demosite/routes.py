"""Pages as a brand's site would have them, each with a working embed and the lines that make it.

They are served where the demo lives, and nowhere else.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import any_, select

from lmt import i18n, web
from lmt.demosite.origin import site_origin
from lmt.models import Form, FormVersion, Market, Source, User
from lmt.scope import SYSTEM, act_as

blueprint = Blueprint(
    "demosite",
    __name__,
    url_prefix="/demo/site",
    template_folder="templates",
    static_folder="static",
)
web.public(blueprint)

PAGES = ("home", "frame", "offer", "link")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """The form in the page, by its script."""
    return _page("home")


@blueprint.get("/<any(frame, offer, link):name>")
def page(name: str) -> ResponseReturnValue:
    """The form in a frame; a landing page without one; links to the form's own page."""
    return _page(name)


def _page(name: str) -> ResponseReturnValue:
    base_url = web.settings().base_url
    origin = site_origin(base_url)
    session = act_as(web.open_session(), SYSTEM)
    lives = session.scalars(select(User.id).where(User.demo, User.active).limit(1)).first()
    if lives is None or not origin:
        abort(404)
    if request.host == urlsplit(base_url).netloc:
        # Embeds are to be seen at work on another origin.
        return redirect(origin + request.full_path.rstrip("?"), 302)
    forms = {
        market: (code, definition["languages"], definition["default_language"])
        for market, code, definition in session.execute(
            select(Market.code, Form.code, FormVersion.definition)
            .join(Source, Source.id == Form.source_id)
            .join(Market, Market.id == Source.market_id)
            .join(FormVersion, FormVersion.id == Form.published_id)
            .where(Form.active, any_(Form.origins) == origin)
            .order_by(Market.code, Form.code)
        )
    }
    if not forms:
        abort(404)
    market = request.args.get("market", "")
    market = market if market in forms else next(iter(forms))
    code, languages, default_language = forms[market]
    wanted = request.args.get("lang", "")
    language = wanted if wanted in languages else default_language
    with i18n.reading(language):
        shown = render_template(
            f"demosite/{name}.html",
            language=language,
            languages=languages,
            market=market,
            markets=list(forms),
            form=code,
            base=base_url,
            here=name,
            address=lambda name, **values: url_for(
                ".home" if name == "home" else ".page",
                **({} if name == "home" else {"name": name}),
                **{"market": market, "lang": language} | values,
            ),
        )
    return Response(
        shown,
        headers={
            "Content-Security-Policy": strict_policy(base_url),
            # A visitor may be asked where they are, by the form in the page or in the frame.
            "Permissions-Policy": f'geolocation=(self "{base_url}")',
            "Referrer-Policy": "strict-origin-when-cross-origin",
        },
    )


def strict_policy(base_url: str) -> str:
    """As strict as a brand's site may be: docs/embedding.md tells its developers the same."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {base_url}",
            f"connect-src {base_url}",
            f"frame-src {base_url}",
            "style-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lmt-form",
        )
    )
