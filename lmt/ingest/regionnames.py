"""One spelling for each emirate and Saudi region, however a form in either script called it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lmt.ingest.countries import folded

#: By country: the spelling used, then how people write it besides.
REGION_NAMES: Mapping[str, tuple[str, ...]] = {
    "AE": (
        "Abu Dhabi|Abou Dhabi|Abu Zabi|Abu Dabi|AZ|AUH|أبوظبي|أبو ظبي|ابوظبى",
        "Dubai|Dubayy|Dubaï|DU|DXB|دبي|دبى",
        "Sharjah|Al Sharjah|Ash Shariqah|Charjah|Şarika|SH|SHJ|الشارقة",
        "Ajman|Adschman|Ajmān|AJ|عجمان",
        "Umm Al Quwain|Umm al-Qaiwain|Um Al Quwain|Umm Al Qaywayn|UAQ|UQ|أم القيوين|ام القيوين",
        "Ras Al Khaimah|Ras al-Khaimah|Ras Al Khaymah|RAK|RK|رأس الخيمة|راس الخيمة",
        "Fujairah|Al Fujairah|Fudschaira|Fudjairah|Al Fujayrah|FU|الفجيرة",
    ),
    "SA": (
        "Riyadh|Ar Riyad|Riad|Riyad|Riyadh Region|الرياض|منطقة الرياض",
        "Makkah|Mecca|Makkah Al Mukarramah|La Mecque|Mekka|مكة|مكة المكرمة|منطقة مكة المكرمة",
        "Madinah|Medina|Al Madinah|Médine|المدينة|المدينة المنورة|منطقة المدينة المنورة",
        "Eastern Province|Eastern|Eastern Region|Ash Sharqiyah|Al Sharqiyah|الشرقية"
        "|المنطقة الشرقية",
        "Qassim|Al Qassim|Al Qasim|Qasim|القصيم|منطقة القصيم",
        "Asir|Aseer|Asir Region|عسير|منطقة عسير",
        "Tabuk|Tabouk|تبوك|منطقة تبوك",
        "Hail|Ha'il|Hayel|حائل|منطقة حائل",
        "Northern Borders|Northern Border|Al Hudud ash Shamaliyah|الحدود الشمالية"
        "|منطقة الحدود الشمالية",
        "Jazan|Jizan|Gizan|جازان|جيزان|منطقة جازان",
        "Najran|نجران|منطقة نجران",
        "Al Bahah|Baha|Al Baha|الباحة|منطقة الباحة",
        "Al Jawf|Al Jouf|Jouf|Al Jowf|الجوف|منطقة الجوف",
    ),
}
_CALLED = ("emirate of ", "emirat ", "إمارة ", "امارة ", "region ", "province ")


def region_name(text: str, country: str) -> str:
    """The one spelling of an emirate or Saudi region; any other text as it is."""
    if country not in REGION_NAMES or not text or len(text) > 60:
        return text
    plain = text.casefold()
    for called in _CALLED:
        plain = plain.removeprefix(called)
    return _spellings()[country].get(folded(plain), text)


@lru_cache(maxsize=1)
def _spellings() -> dict[str, dict[str, str]]:
    return {
        country: {
            folded(name): names.split("|")[0] for names in listed for name in names.split("|")
        }
        for country, listed in REGION_NAMES.items()
    }
