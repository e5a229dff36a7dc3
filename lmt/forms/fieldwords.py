"""The words of the ready-made questions, in every language that the product speaks."""

from __future__ import annotations

from lmt.forms.fields import Words


def in_all(en: str, fr: str, de: str, es: str, pl: str, nl: str, tr: str, ar: str) -> Words:
    """One text in the product's languages; the type checker misses none."""
    return {"en": en, "fr": fr, "de": de, "es": es, "pl": pl, "nl": nl, "tr": tr, "ar": ar}


NAME = in_all(
    "Your name",
    "Votre nom",
    "Ihr Name",
    "Su nombre",
    "Imię i nazwisko",
    "Uw naam",
    "Adınız ve soyadınız",
    "اسمك",
)
PHONE = in_all(
    "Phone",
    "Téléphone",
    "Telefon",
    "Teléfono",
    "Telefon",
    "Telefoon",
    "Telefon",
    "الهاتف",
)
PHONE_HELP = in_all(
    "A phone number or a mail address is enough.",
    "Un numéro de téléphone ou une adresse e-mail suffit.",
    "Eine Telefonnummer oder eine E-Mail-Adresse genügt.",
    "Basta con un teléfono o un correo electrónico.",
    "Wystarczy numer telefonu lub adres e-mail.",
    "Een telefoonnummer of een e-mailadres is genoeg.",
    "Telefon numarası veya e-posta adresi yeterlidir.",
    "يكفي رقم هاتف أو بريد إلكتروني.",
)
EMAIL = in_all(
    "E-mail",
    "E-mail",
    "E-Mail",
    "Correo electrónico",
    "E-mail",
    "E-mail",
    "E-posta",
    "البريد الإلكتروني",
)
COUNTRY = in_all("Country", "Pays", "Land", "País", "Kraj", "Land", "Ülke", "البلد")
CITY = in_all(
    "City",
    "Ville",
    "Ort",
    "Ciudad",
    "Miejscowość",
    "Plaats",
    "Şehir",
    "المدينة",
)
POSTCODE = in_all(
    "Postcode",
    "Code postal",
    "Postleitzahl",
    "Código postal",
    "Kod pocztowy",
    "Postcode",
    "Posta kodu",
    "الرمز البريدي",
)
MODEL = in_all("Model", "Modèle", "Modell", "Modelo", "Model", "Model", "Model", "الطراز")
ANY_MODEL = in_all(
    "Any model",
    "Tous les modèles",
    "Alle Modelle",
    "Cualquier modelo",
    "Dowolny model",
    "Elk model",
    "Herhangi bir model",
    "أي طراز",
)
REQUEST = in_all(
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
    "information": in_all(
        "Information",
        "Des informations",
        "Informationen",
        "Información",
        "Informacje",
        "Informatie",
        "Bilgi",
        "معلومات",
    ),
    "test_drive": in_all(
        "A test drive",
        "Un essai routier",
        "Eine Probefahrt",
        "Una prueba de conducción",
        "Jazda próbna",
        "Een proefrit",
        "Test sürüşü",
        "تجربة قيادة",
    ),
    "quote": in_all(
        "A quote",
        "Un devis",
        "Ein Angebot",
        "Un presupuesto",
        "Oferta cenowa",
        "Een offerte",
        "Fiyat teklifi",
        "عرض سعر",
    ),
    "used_car": in_all(
        "A used car",
        "Une voiture d'occasion",
        "Einen Gebrauchtwagen",
        "Un coche de ocasión",
        "Samochód używany",
        "Een tweedehands auto",
        "İkinci el araç",
        "سيارة مستعملة",
    ),
    "after_sales": in_all(
        "Service or repair",
        "Un entretien ou une réparation",
        "Wartung oder Reparatur",
        "Mantenimiento o reparación",
        "Serwis lub naprawa",
        "Onderhoud of reparatie",
        "Bakım veya onarım",
        "صيانة أو إصلاح",
    ),
    "complaint": in_all(
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
COMMENTS = in_all(
    "Anything else we should know?",
    "Autre chose à nous dire ?",
    "Was sollten wir noch wissen?",
    "¿Algo más que debamos saber?",
    "Co jeszcze powinniśmy wiedzieć?",
    "Wat moeten wij nog weten?",
    "Bilmemiz gereken başka bir şey var mı?",
    "هل هناك شيء آخر تود إخبارنا به؟",
)
CONSENT = in_all(
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

FIRST_NAME = in_all(
    "First name", "Prénom", "Vorname", "Nombre", "Imię", "Voornaam", "Adınız", "الاسم الأول"
)
LAST_NAME = in_all(
    "Last name",
    "Nom",
    "Nachname",
    "Apellidos",
    "Nazwisko",
    "Achternaam",
    "Soyadınız",
    "اسم العائلة",
)
COMPANY = in_all("Company", "Société", "Firma", "Empresa", "Firma", "Bedrijf", "Şirket", "الشركة")
ADDRESS = in_all(
    "Your address",
    "Votre adresse",
    "Ihre Adresse",
    "Su dirección",
    "Twój adres",
    "Uw adres",
    "Adresiniz",
    "عنوانك",
)
DEALER = in_all(
    "Which dealer would you like?",
    "Quel concessionnaire souhaitez-vous ?",
    "Welchen Händler wünschen Sie?",
    "¿Qué concesionario prefiere?",
    "Którego dealera wybierasz?",
    "Welke dealer wenst u?",
    "Hangi bayiyi istersiniz?",
    "أي وكيل تفضّل؟",
)
DEALER_HELP = in_all(
    "Choose none, and we find the best one for you.",
    "Si vous n'en choisissez aucun, nous trouverons le plus adapté.",
    "Wählen Sie keinen, finden wir den passenden für Sie.",
    "Si no elige ninguno, buscaremos el más adecuado.",
    "Jeśli nie wybierzesz żadnego, znajdziemy najlepszego dla Ciebie.",
    "Kiest u er geen, dan zoeken wij de beste voor u.",
    "Seçim yapmazsanız sizin için en uygun olanı buluruz.",
    "إن لم تختر أحدًا، فسنجد لك الأنسب.",
)
CONTACT_TIME = in_all(
    "When may we call you?",
    "Quand pouvons-nous vous appeler ?",
    "Wann dürfen wir Sie anrufen?",
    "¿Cuándo podemos llamarle?",
    "Kiedy możemy zadzwonić?",
    "Wanneer mogen wij u bellen?",
    "Sizi ne zaman arayabiliriz?",
    "متى يمكننا الاتصال بك؟",
)
TIMEFRAME = in_all(
    "When do you plan to buy?",
    "Quand pensez-vous acheter ?",
    "Wann möchten Sie kaufen?",
    "¿Cuándo piensa comprar?",
    "Kiedy planujesz zakup?",
    "Wanneer wilt u kopen?",
    "Ne zaman satın almayı düşünüyorsunuz?",
    "متى تنوي الشراء؟",
)
TIMEFRAMES = {
    "now": in_all(
        "As soon as possible",
        "Dès que possible",
        "So bald wie möglich",
        "Lo antes posible",
        "Jak najszybciej",
        "Zo snel mogelijk",
        "En kısa sürede",
        "في أقرب وقت ممكن",
    ),
    "3-months": in_all(
        "Within 3 months",
        "D'ici 3 mois",
        "Innerhalb von 3 Monaten",
        "En los próximos 3 meses",
        "W ciągu 3 miesięcy",
        "Binnen 3 maanden",
        "3 ay içinde",
        "خلال 3 أشهر",
    ),
    "6-months": in_all(
        "Within 6 months",
        "D'ici 6 mois",
        "Innerhalb von 6 Monaten",
        "En los próximos 6 meses",
        "W ciągu 6 miesięcy",
        "Binnen 6 maanden",
        "6 ay içinde",
        "خلال 6 أشهر",
    ),
    "later": in_all(
        "Later, or I don't know yet",
        "Plus tard, ou je ne sais pas encore",
        "Später, oder ich weiß es noch nicht",
        "Más adelante, o aún no lo sé",
        "Później lub jeszcze nie wiem",
        "Later, of ik weet het nog niet",
        "Daha sonra veya henüz bilmiyorum",
        "لاحقًا، أو لا أعرف بعد",
    ),
}
TEST_DRIVE_DATE = in_all(
    "On which day would you like to drive?",
    "Quel jour souhaitez-vous faire l'essai ?",
    "An welchem Tag möchten Sie fahren?",
    "¿Qué día desea hacer la prueba?",
    "W którym dniu chcesz odbyć jazdę?",
    "Op welke dag wilt u rijden?",
    "Hangi gün sürmek istersiniz?",
    "في أي يوم تودّ القيادة؟",
)
TEST_DRIVE_HELP = in_all(
    "The dealer confirms the day and the time with you.",
    "Le concessionnaire confirmera avec vous le jour et l'heure.",
    "Der Händler stimmt Tag und Uhrzeit mit Ihnen ab.",
    "El concesionario confirmará con usted el día y la hora.",
    "Dealer potwierdzi z Tobą dzień i godzinę.",
    "De dealer bevestigt dag en tijd met u.",
    "Bayi, gün ve saati sizinle netleştirir.",
    "سيؤكد الوكيل معك اليوم والوقت.",
)
TRADE_IN = in_all(
    "Which car would you trade in?",
    "Quelle voiture souhaitez-vous faire reprendre ?",
    "Welches Auto möchten Sie in Zahlung geben?",
    "¿Qué coche entregaría como parte del pago?",
    "Jaki samochód chcesz zostawić w rozliczeniu?",
    "Welke auto wilt u inruilen?",
    "Takas etmek istediğiniz araç hangisi?",
    "ما السيارة التي تودّ استبدالها؟",
)
TRADE_IN_HELP = in_all(
    "Make, model, year and kilometres, as far as you know them.",
    "Marque, modèle, année et kilométrage, si vous les connaissez.",
    "Marke, Modell, Baujahr und Kilometerstand, soweit bekannt.",
    "Marca, modelo, año y kilómetros, si los sabe.",
    "Marka, model, rok i przebieg, o ile je znasz.",
    "Merk, model, bouwjaar en kilometerstand, voor zover bekend.",
    "Bildiğiniz kadarıyla marka, model, yıl ve kilometre.",
    "العلامة والطراز والسنة وعدد الكيلومترات، بقدر ما تعرف.",
)
MARKETING = in_all(
    "I would like to hear about offers and news from the maker and its dealers. I can withdraw"
    " this at any time.",
    "Je souhaite recevoir les offres et actualités du constructeur et de ses concessionnaires. Je"
    " peux retirer cet accord à tout moment.",
    "Ich möchte über Angebote und Neuigkeiten des Herstellers und seiner Händler informiert werden."
    " Das kann ich jederzeit widerrufen.",
    "Deseo recibir ofertas y novedades del fabricante y de sus concesionarios. Puedo retirar este"
    " consentimiento en cualquier momento.",
    "Chcę otrzymywać oferty i nowości od producenta i jego dealerów. Mogę wycofać tę zgodę w każdej"
    " chwili.",
    "Ik wil aanbiedingen en nieuws van de fabrikant en zijn dealers ontvangen. Ik kan dit op elk"
    " moment intrekken.",
    "Üreticinin ve bayilerinin teklif ve haberlerini almak istiyorum. Bu izni istediğim zaman geri"
    " alabilirim.",
    "أودّ تلقّي عروض الشركة المصنّعة ووكلائها وأخبارهم. يمكنني سحب هذه الموافقة في أي وقت.",
)
