"""What the customer wants, when the sender says it in words of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from lmt.ingest.countries import folded

#: Each request type of the system, with what senders call it, in the languages shipped.
SYNONYMS: Mapping[str, str] = {
    "information": "info|information|informations|information request|more information|enquiry"
    "|inquiry|general|general enquiry|contact|contact request|request information|Anfrage"
    "|Informationen|Kontakt|Kontaktanfrage|renseignement|renseignements|demande d'information"
    "|informacion|solicitud de información|consulta|informacja|informacje|zapytanie|kontakt"
    "|informatie|informatieaanvraag|bilgi|bilgi talebi|iletişim|معلومات|استفسار|طلب معلومات|تواصل",
    "test_drive": "test drive|drive|book a test drive|road test|Probefahrt|Probefahrt vereinbaren"
    "|essai|essai routier|demande d'essai|réserver un essai|prueba de manejo|prueba|test de manejo"
    "|prueba de conducción|jazda próbna|jazda testowa|proefrit|proefrit aanvragen|deneme sürüşü"
    "|test sürüşü|تجربة قيادة|تجربة القيادة|اختبار القيادة|طلب تجربة قيادة",
    "quote": "quote|quotation|price|pricing|price request|offer|request a quote|get a quote|rfq"
    "|Angebot|Angebotsanfrage|Preisanfrage|devis|demande de devis|offre|demande d'offre|cotización"
    "|presupuesto|oferta|wycena|zapytanie ofertowe|cena|offerte|offerte aanvragen|prijsaanvraag"
    "|teklif|fiyat|fiyat teklifi|teklif talebi|عرض سعر|عرض السعر|السعر|سعر|طلب عرض سعر",
    "brochure": "brochure|catalogue|catalog|brochure request|download brochure|Prospekt|Broschüre"
    "|Katalog|plaquette|folleto|catálogo|broszura|folder|broşür|كتيب|كتالوج|بروشور",
    "trade_in": "trade in|tradein|part exchange|px|sell|sell my car|valuation|appraisal"
    "|trade in appraisal|Inzahlungnahme|Ankauf|Fahrzeugbewertung|reprise|estimation|rachat"
    "|permuta|tasación|parte de pago|odkup|wycena samochodu|wymiana|inruil|inruilen|taxatie"
    "|takas|araç değerleme|استبدال|تقييم السيارة|بيع سيارتي",
    "used_car": "used car|used|used cars|preowned|pre-owned|second hand|certified preowned|cpo"
    "|Gebrauchtwagen|occasion|véhicule d'occasion|voiture d'occasion|coche usado|usado|seminuevo"
    "|coche de ocasión|vehículo de ocasión|samochód używany|używane|auto używane"
    "|tweedehands|gebruikte auto|ikinci el|2 el|سيارة مستعملة|مستعمل|سيارات مستعملة",
    "after_sales": "after sales|aftersales|service|servicing|maintenance|repair|workshop|recall"
    "|service appointment|service booking|Werkstatt|Wartung|Reparatur|Kundendienst|Inspektion"
    "|Werkstatttermin|Servicetermin|entretien|après-vente|réparation|atelier|révision|taller"
    "|posventa|mantenimiento|reparación|cita de taller|serwis|przegląd|naprawa|onderhoud"
    "|werkplaats|reparatie|servis|bakım|onarım|satış sonrası|servis randevusu|صيانة|خدمة"
    "|خدمة ما بعد البيع|ما بعد البيع|إصلاح|موعد صيانة",
    "parts": "parts|part|spare parts|accessories|parts request|Ersatzteile|Teile|Zubehör|pièces"
    "|pièces détachées|pièce|accessoires|repuestos|recambios|accesorios|części|części zamienne"
    "|akcesoria|onderdelen|yedek parça|parça|aksesuar|قطع غيار|قطع الغيار|إكسسوارات",
    "finance": "finance|financing|loan|leasing|lease|credit|finance request|Finanzierung"
    "|financement|crédit|location longue durée|loa|lld|financiación|financiamiento|crédito"
    "|finansowanie|kredyt|financiering|finansman|kredi|تمويل|تأجير|تقسيط|طلب تمويل",
    "fleet": "fleet|fleet sales|business|corporate|company cars|Flotte|Firmenwagen|Fuhrpark"
    "|Geschäftskunden|Großkunden|flotte|entreprise|entreprises|flota|empresas|empresa"
    "|flota firmowa|dla firm|wagenpark|zakelijk|filo|kurumsal|أسطول|أساطيل|شركات",
    "complaint": "complaint|complain|claim|Beschwerde|Reklamation|réclamation|plainte|queja"
    "|reclamación|reclamo|reklamacja|skarga|klacht|şikayet|شكوى|شكاوى",
    "callback": "callback|call back|call me|call me back|request a call|call request|Rückruf"
    "|Rückrufbitte|rappel|être rappelé|rappelez moi|llamada|devolver llamada|llámame|oddzwonienie"
    "|kontakt telefoniczny|prośba o kontakt|terugbellen|terugbelverzoek|geri arama|beni arayın"
    "|اتصل بي|معاودة الاتصال|طلب اتصال",
    "other": "other|others|misc|something else|Sonstiges|Andere|autre|autres|otro|otros|inne"
    "|overig|anders|diğer|أخرى|غير ذلك",
}
REQUEST_TYPES = tuple(SYNONYMS)
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}")


def request_type(text: str) -> str:
    """The slug of REQUEST_TYPES that the text names, in any shipped language; "" when none."""
    if text in SYNONYMS:
        return text
    return _known().get(folded(text), "") if len(text) <= 100 else ""


def is_slug(text: str) -> bool:
    """Whether the text could be a request type that a market defined for itself."""
    return _SLUG.fullmatch(text) is not None


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    known = {folded(slug): slug for slug in SYNONYMS}
    for slug, words in SYNONYMS.items():
        for word in words.split("|"):
            known.setdefault(folded(word), slug)
    return known
