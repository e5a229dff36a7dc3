"""The contact form that a market begins with: general enough for any brand site, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale

from lmt.config import LOCALES
from lmt.forms.definition import (
    LONGEST,
    FieldDefinition,
    FormDefinition,
    OptionDefinition,
    StepDefinition,
    Words,
)


@dataclass(frozen=True, slots=True)
class BrandModels:
    """A brand's code and name, with the (code, name) of each model offered."""

    code: str
    name: str
    models: Sequence[tuple[str, str]] = ()


def _words(en: str, fr: str, de: str, es: str, pl: str, nl: str, tr: str, ar: str) -> Words:
    return {
        "en": en,
        "fr": fr,
        "de": de,
        "es": es,
        "pl": pl,
        "nl": nl,
        "tr": tr,
        "ar": ar,
    }


TITLE = _words(
    "Contact us",
    "Contactez-nous",
    "Kontakt aufnehmen",
    "Contacte con nosotros",
    "Skontaktuj się z nami",
    "Neem contact op",
    "Bize ulaşın",
    "تواصل معنا",
)
INTRO = _words(
    "Tell us what you would like. A dealer near you will answer.",
    "Dites-nous ce que vous souhaitez. Un concessionnaire proche de chez vous vous répondra.",
    "Sagen Sie uns, was Sie wünschen. Ein Händler in Ihrer Nähe meldet sich bei Ihnen.",
    "Díganos qué desea. Un concesionario cercano le responderá.",
    "Napisz, czego potrzebujesz. Odpowie dealer z Twojej okolicy.",
    "Vertel ons wat u wenst. Een dealer bij u in de buurt antwoordt.",
    "Ne istediğinizi bize yazın. Size yakın bir bayi yanıt verecek.",
    "أخبرنا بما تريد، وسيجيبك وكيل قريب منك.",
)
SUBMIT = _words(
    "Send request",
    "Envoyer la demande",
    "Anfrage senden",
    "Enviar solicitud",
    "Wyślij zapytanie",
    "Aanvraag versturen",
    "Talebi gönder",
    "إرسال الطلب",
)
NAME = _words(
    "Your name",
    "Votre nom",
    "Ihr Name",
    "Su nombre",
    "Imię i nazwisko",
    "Uw naam",
    "Adınız ve soyadınız",
    "اسمك",
)
PHONE = _words(
    "Phone",
    "Téléphone",
    "Telefon",
    "Teléfono",
    "Telefon",
    "Telefoon",
    "Telefon",
    "الهاتف",
)
PHONE_HELP = _words(
    "A phone number or a mail address is enough.",
    "Un numéro de téléphone ou une adresse e-mail suffit.",
    "Eine Telefonnummer oder eine E-Mail-Adresse genügt.",
    "Basta con un teléfono o un correo electrónico.",
    "Wystarczy numer telefonu lub adres e-mail.",
    "Een telefoonnummer of een e-mailadres is genoeg.",
    "Telefon numarası veya e-posta adresi yeterlidir.",
    "يكفي رقم هاتف أو بريد إلكتروني.",
)
EMAIL = _words(
    "E-mail",
    "E-mail",
    "E-Mail",
    "Correo electrónico",
    "E-mail",
    "E-mail",
    "E-posta",
    "البريد الإلكتروني",
)
COUNTRY = _words("Country", "Pays", "Land", "País", "Kraj", "Land", "Ülke", "البلد")
CITY = _words(
    "City",
    "Ville",
    "Ort",
    "Ciudad",
    "Miejscowość",
    "Plaats",
    "Şehir",
    "المدينة",
)
POSTCODE = _words(
    "Postcode",
    "Code postal",
    "Postleitzahl",
    "Código postal",
    "Kod pocztowy",
    "Postcode",
    "Posta kodu",
    "الرمز البريدي",
)
MODEL = _words("Model", "Modèle", "Modell", "Modelo", "Model", "Model", "Model", "الطراز")
ANY_MODEL = _words(
    "Any model",
    "Tous les modèles",
    "Alle Modelle",
    "Cualquier modelo",
    "Dowolny model",
    "Elk model",
    "Herhangi bir model",
    "أي طراز",
)
REQUEST = _words(
    "What would you like?",
    "Que souhaitez-vous ?",
    "Was wünschen Sie?",
    "¿Qué desea?",
    "Czego potrzebujesz?",
    "Wat wenst u?",
    "Ne istersiniz?",
    "ماذا تريد؟",
)
REQUEST_TYPES = {
    "information": _words(
        "Information",
        "Des informations",
        "Informationen",
        "Información",
        "Informacje",
        "Informatie",
        "Bilgi",
        "معلومات",
    ),
    "test_drive": _words(
        "A test drive",
        "Un essai routier",
        "Eine Probefahrt",
        "Una prueba de conducción",
        "Jazda próbna",
        "Een proefrit",
        "Test sürüşü",
        "تجربة قيادة",
    ),
    "quote": _words(
        "A quote",
        "Un devis",
        "Ein Angebot",
        "Un presupuesto",
        "Oferta cenowa",
        "Een offerte",
        "Fiyat teklifi",
        "عرض سعر",
    ),
    "used_car": _words(
        "A used car",
        "Une voiture d'occasion",
        "Einen Gebrauchtwagen",
        "Un coche de ocasión",
        "Samochód używany",
        "Een tweedehands auto",
        "İkinci el araç",
        "سيارة مستعملة",
    ),
    "after_sales": _words(
        "Service or repair",
        "Un entretien ou une réparation",
        "Wartung oder Reparatur",
        "Mantenimiento o reparación",
        "Serwis lub naprawa",
        "Onderhoud of reparatie",
        "Bakım veya onarım",
        "صيانة أو إصلاح",
    ),
    "complaint": _words(
        "To complain",
        "Faire une réclamation",
        "Eine Beschwerde",
        "Presentar una queja",
        "Złożyć reklamację",
        "Een klacht melden",
        "Şikâyette bulunmak",
        "تقديم شكوى",
    ),
}
COMMENTS = _words(
    "Anything else we should know?",
    "Autre chose à nous dire ?",
    "Was sollten wir noch wissen?",
    "¿Algo más que debamos saber?",
    "Co jeszcze powinniśmy wiedzieć?",
    "Wat moeten wij nog weten?",
    "Bilmemiz gereken başka bir şey var mı?",
    "هل هناك شيء آخر تود إخبارنا به؟",
)
CONSENT = _words(
    "I agree that the maker and one of its dealers contact me about this request.",
    "J'accepte que le constructeur et l'un de ses concessionnaires me contactent au sujet de"
    " cette demande.",
    "Ich bin einverstanden, dass mich der Hersteller und einer seiner Händler zu dieser Anfrage"
    " kontaktieren.",
    "Acepto que el fabricante y uno de sus concesionarios se pongan en contacto conmigo por esta"
    " solicitud.",
    "Zgadzam się, aby producent i jeden z jego dealerów skontaktowali się ze mną w sprawie tego"
    " zapytania.",
    "Ik ga ermee akkoord dat de fabrikant en een van zijn dealers contact met mij opnemen over"
    " deze aanvraag.",
    "Üreticinin ve bayilerinden birinin bu talep hakkında benimle iletişime geçmesini kabul"
    " ediyorum.",
    "أوافق على أن تتواصل معي الشركة المصنّعة وأحد وكلائها بخصوص هذا الطلب.",
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
                    _choice("request_type", REQUEST, REQUEST_TYPES, to="request.type"),
                    FieldDefinition("model", "model", MODEL, options=_models(brands)),
                    FieldDefinition("name", "name", NAME, required=True),
                    FieldDefinition(
                        "phone", "phone", PHONE, PHONE_HELP, max_length=LONGEST["phone"]
                    ),
                    FieldDefinition("email", "email", EMAIL, max_length=LONGEST["email"]),
                    _country(countries),
                    FieldDefinition("city", "city", CITY, required=True),
                    FieldDefinition(
                        "postcode", "postcode", POSTCODE, max_length=LONGEST["postcode"]
                    ),
                    FieldDefinition(
                        "comments",
                        "longtext",
                        COMMENTS,
                        max_length=2_000,
                        to="request.comments",
                    ),
                    FieldDefinition("consent", "consent", CONSENT, required=True),
                ),
            ),
        ),
    )


def _choice(key: str, label: Words, options: dict[str, Words], *, to: str) -> FieldDefinition:
    return FieldDefinition(
        key,
        "choice",
        label,
        required=True,
        options=tuple(OptionDefinition(id, words) for id, words in options.items()),
        to=to,
    )


def _country(countries: Sequence[str]) -> FieldDefinition:
    if len(countries) == 1:
        return FieldDefinition(
            "country", "hidden", value=countries[0], to="address.country", prefill=False
        )
    options = tuple(
        OptionDefinition(
            country,
            {code: Locale(code).territories.get(country, country) for code in LOCALES},
        )
        for country in countries
    )
    return FieldDefinition("country", "country", COUNTRY, required=True, options=options)


def _models(brands: Sequence[BrandModels]) -> tuple[OptionDefinition, ...]:
    options: list[OptionDefinition] = []
    for brand in brands:
        group = {"": brand.name}
        options.append(OptionDefinition(brand.code, ANY_MODEL, group))
        options += [
            OptionDefinition(f"{brand.code}/{code}", {"": name}, group)
            for code, name in brand.models
        ]
    return tuple(options)
