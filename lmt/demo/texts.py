"""Templates and snippets that the demo's dealers reply with, and one mail in the installation's own
words."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from lmt.models import MailText, MailTextVersion, ReplyTemplate

_SINCE = timedelta(days=30)

_FIRST = {
    "en": (
        "Your request {{ reference }}",
        "Hello {{ name }},\n\nthank you for your interest in {{ model or 'our cars' }}. When may we"
        " call you, and what would you like to know first?\n\nYou reach us on"
        " {{ phone_of_dealer or 'the number on our page' }}.",
    ),
    "de": (
        "Ihre Anfrage {{ reference }}",
        "Guten Tag {{ name }},\n\nvielen Dank für Ihr Interesse an"
        " {{ model or 'unseren Fahrzeugen' }}. Wann dürfen wir Sie anrufen, und was möchten Sie"
        " zuerst wissen?\n\nSie erreichen uns unter"
        " {{ phone_of_dealer or 'der Nummer auf unserer Seite' }}.",
    ),
    "fr": (
        "Votre demande {{ reference }}",
        "Bonjour {{ name }},\n\nmerci de votre intérêt pour {{ model or 'nos voitures' }}. Quand"
        " pouvons-nous vous appeler, et que souhaitez-vous savoir en premier ?\n\nVous nous"
        " joignez au {{ phone_of_dealer or 'numéro de notre site' }}.",
    ),
    "es": (
        "Su solicitud {{ reference }}",
        "Hola {{ name }},\n\ngracias por su interés en {{ model or 'nuestros coches' }}. ¿Cuándo"
        " podemos llamarle y qué le gustaría saber primero?\n\nNos encuentra en el"
        " {{ phone_of_dealer or 'número de nuestra página' }}.",
    ),
    "pl": (
        "Twoje zapytanie {{ reference }}",
        "Dzień dobry {{ name }},\n\ndziękujemy za zainteresowanie:"
        " {{ model or 'nasze samochody' }}. Kiedy możemy zadzwonić i co chcieliby Państwo wiedzieć"
        " najpierw?\n\nNasz telefon: {{ phone_of_dealer or 'numer na naszej stronie' }}.",
    ),
    "nl": (
        "Uw aanvraag {{ reference }}",
        "Hallo {{ name }},\n\nbedankt voor uw interesse in {{ model or 'onze auto’s' }}. Wanneer"
        " mogen we u bellen, en wat wilt u het eerst weten?\n\nU bereikt ons op"
        " {{ phone_of_dealer or 'het nummer op onze pagina' }}.",
    ),
    "tr": (
        "Talebiniz {{ reference }}",
        "Merhaba {{ name }},\n\nilginiz için teşekkür ederiz: {{ model or 'araçlarımız' }}. Sizi ne"
        " zaman arayabiliriz ve önce neyi öğrenmek istersiniz?\n\nTelefonumuz:"
        " {{ phone_of_dealer or 'sayfamızdaki numara' }}.",
    ),
    "ar": (
        "طلبكم {{ reference }}",
        "مرحبا {{ name }}،\n\nشكرا لاهتمامكم: {{ model or 'سياراتنا' }}. متى يمكننا الاتصال بكم،"
        " وما الذي تودون معرفته أولا؟\n\nهاتفنا: {{ phone_of_dealer or 'الرقم على صفحتنا' }}.",
    ),
}
_TEST_DRIVE = {
    "en": (
        "Your test drive of the {{ model or 'car' }}",
        "Hello {{ name }},\n\nwe look forward to your test drive. {% if appointment %}We have"
        " noted: {{ appointment }}.{% else %}Which day suits you best?{% endif %}\n\nPlease bring"
        " your driving licence.",
    ),
    "de": (
        "Ihre Probefahrt: {{ model or 'Ihr Fahrzeug' }}",
        "Guten Tag {{ name }},\n\nwir freuen uns auf Ihre Probefahrt. "
        "{% if appointment %}Vorgemerkt ist: {{ appointment }}.{% else %}Welcher Tag passt"
        " Ihnen am besten?{% endif %}\n\nBitte bringen Sie Ihren Führerschein mit.",
    ),
    "fr": (
        "Votre essai : {{ model or 'votre voiture' }}",
        "Bonjour {{ name }},\n\nnous nous réjouissons de votre essai. {% if appointment %}"
        "Nous avons noté : {{ appointment }}.{% else %}Quel jour vous convient le"
        " mieux ?{% endif %}\n\nPensez à apporter votre permis de conduire.",
    ),
    "es": (
        "Su prueba de conducción: {{ model or 'su coche' }}",
        "Hola {{ name }},\n\nle esperamos para su prueba. {% if appointment %}Hemos anotado:"
        " {{ appointment }}.{% else %}¿Qué día le viene mejor?{% endif %}\n\nTraiga, por favor, su"
        " permiso de conducir.",
    ),
    "pl": (
        "Jazda próbna: {{ model or 'samochód' }}",
        "Dzień dobry {{ name }},\n\ncieszymy się na jazdę próbną. {% if appointment %}Zapisaliśmy:"
        " {{ appointment }}.{% else %}Który dzień najbardziej odpowiada?{% endif %}\n\nProsimy"
        " zabrać prawo jazdy.",
    ),
    "nl": (
        "Uw proefrit: {{ model or 'uw auto' }}",
        "Hallo {{ name }},\n\nwe kijken uit naar uw proefrit. {% if appointment %}Genoteerd is:"
        " {{ appointment }}.{% else %}Welke dag past u het best?{% endif %}\n\nNeem alstublieft uw"
        " rijbewijs mee.",
    ),
    "tr": (
        "Deneme sürüşünüz: {{ model or 'aracınız' }}",
        "Merhaba {{ name }},\n\ndeneme sürüşünüzü bekliyoruz. {% if appointment %}Not ettik:"
        " {{ appointment }}.{% else %}Hangi gün size uygun?{% endif %}\n\nLütfen ehliyetinizi"
        " yanınızda getirin.",
    ),
    "ar": (
        "تجربة القيادة: {{ model or 'سيارتكم' }}",
        "مرحبا {{ name }}،\n\nيسعدنا استقبالكم لتجربة القيادة. {% if appointment %}سجلنا:"
        " {{ appointment }}.{% else %}ما اليوم الأنسب لكم؟{% endif %}\n\nنرجو إحضار رخصة القيادة.",
    ),
}
_QUOTE = {
    "en": (
        "Your offer: {{ wish }}",
        "Hello {{ name }},\n\nI am putting together your offer for the {{ model or 'car' }}. Do you"
        " want to buy, lease or finance it, and do you have a car to trade in?",
    ),
    "de": (
        "Ihr Angebot: {{ wish }}",
        "Guten Tag {{ name }},\n\nich stelle Ihr Angebot zusammen: {{ wish }}. Möchten Sie"
        " kaufen, leasen oder finanzieren, und geben Sie ein Fahrzeug in Zahlung?",
    ),
    "pl": (
        "Twoja oferta: {{ wish }}",
        "Dzień dobry {{ name }},\n\nprzygotowuję ofertę na: {{ wish }}. Czy chodzi o zakup, leasing"
        " czy kredyt, i czy zostawiają Państwo samochód w rozliczeniu?",
    ),
    "ar": (
        "عرضكم: {{ wish }}",
        "مرحبا {{ name }}،\n\nأعد لكم عرضا: {{ wish }}. هل ترغبون في الشراء أم التأجير أم"
        " التمويل، وهل لديكم سيارة للاستبدال؟",
    ),
}
_PARKING = {
    "en": "Parking is right in front of the showroom, and free.",
    "de": "Parkplätze liegen direkt vor dem Haus und sind kostenlos.",
    "fr": "Vous pouvez vous garer gratuitement devant le showroom.",
    "es": "Puede aparcar gratis delante del concesionario.",
    "pl": "Parking jest przed salonem, bezpłatny.",
    "nl": "Parkeren kan gratis voor de deur.",
    "tr": "Galerinin önünde ücretsiz otopark vardır.",
    "ar": "المواقف أمام المعرض مباشرة ومجانية.",
}
_TRADE_IN = {
    "en": "For your trade-in, please bring the registration, the service book and both keys.",
    "de": "Für die Inzahlungnahme bringen Sie bitte Fahrzeugschein, Serviceheft und beide Schlüssel"
    " mit.",
    "fr": "Pour la reprise, apportez la carte grise, le carnet d’entretien et les deux clés.",
    "pl": "Do wyceny prosimy zabrać dowód rejestracyjny, książkę serwisową i oba kluczyki.",
    "ar": "لتقييم سيارتكم نرجو إحضار رخصة السير ودفتر الصيانة والمفتاحين.",
}
_CLOSED = {
    "en": {
        "heading": "Thank you, and see you again",
        "footer": "You get this mail because you sent us a request. Your reference was"
        " {{ reference }}.",
    },
    "ar": {
        "heading": "شكرا لكم، وإلى لقاء قريب",
        "footer": "تصلكم هذه الرسالة لأنكم أرسلتم إلينا طلبا. رقمه {{ reference }}.",
    },
    "pl": {
        "heading": "Dziękujemy i do zobaczenia",
        "footer": "Piszemy, ponieważ wysłali nam Państwo zapytanie. Jego numer to {{ reference }}.",
    },
    "de": {
        "heading": "Danke, und bis bald",
        "footer": "Sie erhalten diese Mail, weil Sie uns eine Anfrage gesendet haben. Ihr Zeichen"
        " war {{ reference }}.",
    },
}


def write_texts(session: Session, at: datetime) -> None:
    """For every market; kept in the caller's transaction."""
    for name, request_type, letters in (
        ("First answer", "", _FIRST),
        ("Test drive", "test_drive", _TEST_DRIVE),
        ("Offer", "quote", _QUOTE),
    ):
        texts = {
            code: {"subject": subject, "body": body} for code, (subject, body) in letters.items()
        }
        session.add(ReplyTemplate(name=name, request_type=request_type, texts=texts))
    for name, pieces in (("Parking", _PARKING), ("Trade-in papers", _TRADE_IN)):
        texts = {code: {"subject": "", "body": body} for code, body in pieces.items()}
        session.add(ReplyTemplate(kind="snippet", name=name, texts=texts))
    closed = MailText(kind="customer_closed", market_id=None)
    session.add(closed)
    session.flush()
    version = MailTextVersion(
        mail_text_id=closed.id,
        number=1,
        texts={"fallback": "", "languages": _CLOSED},
        published_at=at - _SINCE,
        note="Warmer",
    )
    session.add(version)
    session.flush()
    closed.published_id = version.id
