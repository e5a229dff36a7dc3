"""What forms and people write where they answer nothing."""

from __future__ import annotations

# Of the form's own prompt and of "unknown", in the languages shipped.
_WORDS = frozenset(
    """
    n/a|#n/a|na|n.a.|n/d|nd|n.d.|null|(null)|none|nil|nan|undefined|[object object]|unknown|(none)
    |(blank)|blank|empty|(empty)|tbd|not set|not specified|not provided|not available
    |select|--select--|-select-|please select|select one|choose|please choose|select an option
    |choose an option|#value!|#ref!|#name?|#null!|#num!|#div/0!|\\n
    |non renseigné|non renseignée|non précisé|inconnu|inconnue|sélectionner|sélectionnez|choisir
    |choisissez|veuillez choisir|veuillez sélectionner|s/o|aucun|aucune|vide
    |k. a.|k.a.|keine angabe|keine angaben|unbekannt|auswählen|bitte auswählen|bitte wählen|wählen
    |nicht angegeben|leer|entfällt
    |desconocido|desconocida|seleccionar|seleccione|selecciona|elegir|elija|sin datos|no consta
    |no especificado|ninguno|ninguna|vacío|s/d|seleccione una opción
    |brak|brak danych|nieznany|nieznane|nie dotyczy|nie podano|wybierz|wybierz z listy|b/d|bd|puste
    |proszę wybrać|n.d
    |onbekend|niet opgegeven|niet ingevuld|geen|kies|selecteer|selecteren|maak een keuze|n.v.t.|nvt
    |leeg|kies een optie
    |bilinmiyor|belirtilmemiş|belirtilmedi|seçiniz|seçin|lütfen seçiniz|lütfen seçin|yok|boş
    |seçim yapınız
    |غير محدد|غير معروف|غير متوفر|لا يوجد|لا شيء|اختر|اختار|الرجاء الاختيار|يرجى الاختيار|فارغ
    """.replace("\n", "").split("|")
)
_UNANSWERED = frozenset(word.strip().casefold() for word in _WORDS)
_LONGEST = max(map(len, _UNANSWERED))
# People and towns are called so: Na in Korea, Nil in Turkey, the town of Leer in East Frisia.
_NAMES = frozenset(["Na", "Nan", "Nil", "Leer", "Kies"])
_TRIMMED = " \t\r\n\u00a0.…-–—_*:<>[]؟?"


def unanswered(text: str) -> bool:
    """Whether a cell holds nothing: blank, only punctuation, "n/a", a form's "Please select"."""
    if not text:
        return True
    if len(text) > 4 * _LONGEST:
        return False
    text = text.strip()
    if not any(map(str.isalnum, text)):
        return text[:1] not in "+#" or len(text) < 2 or text.strip("#") == ""
    folded = text.casefold()
    return folded in _UNANSWERED or folded.strip(_TRIMMED) in _UNANSWERED


def may_be_name(text: str) -> bool:
    """Whether a cell for a person's or a town's name holds one that elsewhere answers nothing, by
    its capital: "Nil" is a name, "nil" and "NIL" are not."""
    return text.strip() in _NAMES
