"""The contact form that a market begins with: general enough for any brand site, as data."""

from __future__ import annotations

from collections.abc import Sequence

from lmt.config import LOCALES
from lmt.forms import fieldwords as words
from lmt.forms import systemfields as ready
from lmt.forms.definition import FieldDefinition, FormDefinition, StepDefinition
from lmt.forms.fieldwords import in_all
from lmt.forms.systemfields import BrandModels

__all__ = ["INTRO", "SUBMIT", "TITLE", "BrandModels", "contact_form"]

TITLE = in_all(
    "Contact us",
    "Contactez-nous",
    "Kontakt aufnehmen",
    "Contacte con nosotros",
    "Skontaktuj się z nami",
    "Neem contact op",
    "Bize ulaşın",
    "تواصل معنا",
)
INTRO = in_all(
    "Tell us what you would like. A dealer near you will answer.",
    "Dites-nous ce que vous souhaitez. Un concessionnaire proche de chez vous vous répondra.",
    "Sagen Sie uns, was Sie wünschen. Ein Händler in Ihrer Nähe meldet sich bei Ihnen.",
    "Díganos qué desea. Un concesionario cercano le responderá.",
    "Napisz, czego potrzebujesz. Odpowie dealer z Twojej okolicy.",
    "Vertel ons wat u wenst. Een dealer bij u in de buurt antwoordt.",
    "Ne istediğinizi bize yazın. Size yakın bir bayi yanıt verecek.",
    "أخبرنا بما تريد، وسيجيبك وكيل قريب منك.",
)
SUBMIT = in_all(
    "Send request",
    "Envoyer la demande",
    "Anfrage senden",
    "Enviar solicitud",
    "Wyślij zapytanie",
    "Aanvraag versturen",
    "Talebi gönder",
    "إرسال الطلب",
)


def contact_form(
    code: str,
    *,
    countries: Sequence[str],
    brands: Sequence[BrandModels],
    languages: Sequence[str] = LOCALES,
    default_language: str = "en",
) -> FormDefinition:
    """The form of a market: its `countries` (alpha-2; with one only, it isn't asked) and brands.

    Raises BadForm for no country or no brand.
    """
    return FormDefinition(
        code=code,
        title=TITLE,
        intro=INTRO,
        submit=SUBMIT,
        languages=tuple(languages),
        default_language=default_language,
        steps=(
            StepDefinition(
                "all",
                (
                    ready.REQUEST_TYPE,
                    FieldDefinition(
                        "model", "model", words.MODEL, options=ready.model_options(brands)
                    ),
                    ready.NAME,
                    ready.PHONE,
                    ready.EMAIL,
                    ready.country_field(countries),
                    ready.CITY,
                    ready.POSTCODE,
                    ready.COMMENTS,
                    ready.CONSENT,
                ),
            ),
        ),
    )
