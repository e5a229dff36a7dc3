"""The rules that a market starts with; `lmt init` stores them as rows, where they are edited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Rule

_TEST_DRIVE = [
    "test drive", "testdrive", "probefahrt", "essai", "jazda próbna", "jazdę próbną", "proefrit",
    "test sürüş", "prueba de conducción", "تجربة قيادة", "تجربة القيادة",
]  # fmt: skip
_COMPLAINT = [
    "complaint", "complain", "beschwerde", "réclamation", "reklamacj", "skarg", "klacht",
    "şikayet", "şikâyet", "reclamación", "queja", "شكوى",
]  # fmt: skip
_QUOTE = [
    "quote", "offer", "best price", "angebot", "devis", "oferta", "ofert", "offerte",
    "teklif", "fiyat", "presupuesto", "عرض سعر",
]  # fmt: skip
_SOON = [
    "today", "tomorrow", "this week", "asap", "urgent", "heute", "morgen", "diese woche",
    "aujourd'hui", "demain", "cette semaine", "dziś", "jutro", "pilne", "vandaag", "deze week",
    "bugün", "yarın", "acil", "hoy", "esta semana", "اليوم", "غدا", "عاجل",
    # As our own forms offer it.
    "as soon as possible", "dès que possible", "so bald wie möglich", "lo antes posible",
    "jak najszybciej", "zo snel mogelijk", "en kısa sürede", "في أقرب وقت",
]  # fmt: skip

DEFAULT_RULES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "complaint in the text",
        [{"field": "comments", "contains": _COMPLAINT}],
        {"request_type": "complaint"},
    ),
    (
        "test drive in the text",
        [{"field": "comments", "contains": _TEST_DRIVE}],
        {"request_type": "test_drive"},
    ),
    (
        "quote in the text",
        [{"field": "comments", "contains": _QUOTE}],
        {"request_type": "quote"},
    ),
    ("used vehicle", [{"field": "condition", "is": "used"}], {"request_type": "used_car"}),
    ("wants to drive", [{"field": "request_type", "is": "test_drive"}], {"points": 40}),
    (
        "wants to drive, says so in the text",
        [
            {"field": "request_type", "given": False},
            {"field": "comments", "contains": _TEST_DRIVE},
        ],
        {"points": 40},
    ),
    ("wants a price", [{"field": "request_type", "in": ["quote", "finance"]}], {"points": 25}),
    ("wants a call", [{"field": "request_type", "is": "callback"}], {"points": 30}),
    ("complains", [{"field": "request_type", "is": "complaint"}], {"points": 50}),
    ("soon", [{"field": "timeframe", "contains": _SOON}], {"points": 20}),
    ("soon, in the text", [{"field": "comments", "contains": _SOON}], {"points": 10}),
    ("can be phoned", [{"field": "phone", "given": True}], {"points": 10}),
    ("names a model", [{"field": "model", "given": True}], {"points": 5}),
    ("chose a dealer", [{"field": "preferred_dealer", "given": True}], {"points": 10}),
    ("gives a car in part exchange", [{"field": "trade_in", "given": True}],
     {"points": 10, "tags": ["trade-in"]}),
    ("company", [{"field": "company", "given": True}], {"tags": ["business"]}),
    ("brochure only", [{"field": "request_type", "is": "brochure"}], {"points": -10}),
]  # fmt: skip


def ensure_default_rules(session: Session) -> None:
    """Store the default set where no default rule is stored yet. No commit."""
    if session.scalars(select(Rule.id).where(Rule.market_id.is_(None)).limit(1)).first():
        return
    session.add_all(
        Rule(market_id=None, position=position, name=name, when=when, then=then)
        for position, (name, when, then) in enumerate(DEFAULT_RULES)
    )
