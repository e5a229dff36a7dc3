"""The forms of the demo: in each market a contact form, and a test drive asked in three steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.demo.markets import MARKETS, DemoMarket
from lmt.demosite.origin import site_origin
from lmt.forms.conditions import Test
from lmt.forms.defaults import contact_form
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fieldwords import in_all
from lmt.forms.systemfields import SYSTEM_FIELDS, BrandModels, market_fields
from lmt.models import Brand, Form, FormVersion, Source

_TITLE = in_all(
    "Book a test drive",
    "Réservez un essai",
    "Probefahrt vereinbaren",
    "Reserve una prueba de conducción",
    "Umów jazdę próbną",
    "Boek een proefrit",
    "Test sürüşü ayarlayın",
    "احجز تجربة قيادة",
)
_WISH = in_all(
    "Your wish",
    "Votre souhait",
    "Ihr Wunsch",
    "Su deseo",
    "Czego sobie życzysz",
    "Uw wens",
    "İsteğiniz",
    "ما ترغب فيه",
)
_DEALER = in_all(
    "Your dealer",
    "Votre concessionnaire",
    "Ihr Händler",
    "Su concesionario",
    "Twój dealer",
    "Uw dealer",
    "Bayiniz",
    "وكيلك",
)
_YOU = in_all("You", "Vous", "Sie", "Usted", "Ty", "U", "Siz", "أنت")


def open_forms(
    session: Session, sources: Mapping[str, Source], base_url: str, at: datetime
) -> list[Form]:
    """The forms of every market, published; `sources` are their sources by the market's code."""
    brands = [
        BrandModels(
            brand.code, brand.name, tuple((model.code, model.name) for model in brand.models)
        )
        for brand in session.scalars(select(Brand).order_by(Brand.code))
    ]
    forms = []
    for market in MARKETS:
        contact = contact_form(
            f"{market.code.lower()}-contact",
            countries=market.countries,
            brands=brands,
            default_language=market.default_language,
        )
        for name, definition in (("Contact", contact), ("Test drive", drive_form(market, brands))):
            form = _published(session, sources[market.code], name, definition, at)
            if name == "Test drive" and (origin := site_origin(base_url)):
                form.origins = [origin]
            forms.append(form)
    session.flush()
    return forms


def _published(
    session: Session, source: Source, name: str, definition: FormDefinition, at: datetime
) -> Form:
    plain = definition.to_json()
    form = Form(code=definition.code, name=name, source_id=source.id, draft=plain)
    session.add(form)
    session.flush()
    form.published = FormVersion(form_id=form.id, number=1, definition=plain, published_at=at)
    return form


def drive_form(market: DemoMarket, brands: Sequence[BrandModels]) -> FormDefinition:
    """The test drive of a market, in three steps."""
    ready = {item.key: item for item in SYSTEM_FIELDS}
    ready |= {item.key: item for item in market_fields(market.countries, brands)}
    wants = Test("request_type", "is", ("test_drive",))
    asked = replace(ready["request_type"], options=ready["request_type"].options[:3])
    return FormDefinition(
        code=f"{market.code.lower()}-test-drive",
        title=_TITLE,
        languages=market.languages,
        default_language=market.default_language,
        steps=(
            StepDefinition(
                "wish",
                (
                    asked,
                    replace(ready["model"], required=True),
                    replace(ready["test_drive_date"], shown_when=wants),
                    replace(ready["timeframe"], shown_when=Test("request_type", "is", ("quote",))),
                ),
                title=_WISH,
            ),
            StepDefinition("place", (ready["country"], ready["dealer"]), title=_DEALER),
            StepDefinition(
                "you",
                (
                    ready["name"],
                    ready["phone"],
                    ready["email"],
                    ready["contact_time"],
                    ready["comments"],
                    ready["consent"],
                    ready["marketing"],
                ),
                title=_YOU,
            ),
        ),
    )
