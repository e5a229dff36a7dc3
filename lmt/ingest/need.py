"""Is this the same need again? Decides whether a repeat joins the open lead or is a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Request types by the team of a dealer that answers them. A market's own type is a family of its
#: own: only its market knows what it means.
FAMILIES: Mapping[str, str] = {
    "": "sales",
    "information": "sales",
    "test_drive": "sales",
    "quote": "sales",
    "brochure": "sales",
    "trade_in": "sales",
    "finance": "sales",
    "callback": "sales",
    "other": "sales",
    "used_car": "used",
    "after_sales": "after_sales",
    "parts": "after_sales",
    "fleet": "fleet",
    "complaint": "complaint",
}
#: Where it is about a certain car that the customer has.
OF_ONE_CAR = frozenset({"after_sales"})


@dataclass(frozen=True, slots=True)
class Need:
    """What a customer asks for; `request_type` is a slug or "", `model` and `vin` may be ""."""

    brand_id: int | None = None
    request_type: str = ""
    model: str = ""
    vin: str = ""

    @property
    def family(self) -> str:
        """Which team of a dealer answers it."""
        return FAMILIES.get(self.request_type, self.request_type)


def same_need(asked: Need, open: Need) -> bool:
    """Whether `asked` repeats the need of an open lead; the order of the two doesn't count.

    One family of requests for one brand; a brand not named is any brand. Another model is still
    the same need, as a customer who looks around isn't two. The workshop's is one for each car.
    """
    if asked.family != open.family:
        return False
    if None not in (asked.brand_id, open.brand_id) and asked.brand_id != open.brand_id:
        return False
    if asked.family in OF_ONE_CAR:
        cars = {_vin(asked.vin), _vin(open.vin)} - {""}
        return len(cars) <= 1
    return True


def _vin(vin: str) -> str:
    return "".join(c for c in vin.upper() if c.isalnum())
