"""A market's leads and a file of its sales of which the truth is known, all made up."""

from __future__ import annotations

import csv
import io
import random
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.imports.uploads import keep_upload
from lmt.ingest.identity import Person, keys_of
from lmt.models import Customer, CustomerKey, Lead, Outcome, SalesFile
from lmt.sales import service
from lmt.scope import SYSTEM
from tests.world import FRIDAY, World

COLUMNS = (
    "Data sprzedaży", "Nr zamówienia", "VIN", "Imię i nazwisko", "Telefon", "E-mail",
    "Kod pocztowy", "Miasto", "Model", "Salon", "Cena",
)  # fmt: skip
_GIVEN = (
    "Anna", "Maria", "Ewa", "Zofia", "Agnieszka", "Barbara", "Jolanta", "Renata", "Piotr",
    "Paweł", "Marek", "Tomasz", "Grzegorz", "Łukasz", "Rafał", "Dariusz", "Sławomir", "Wojciech",
    "Krzysztof", "Bogdan",
)  # fmt: skip
_FAMILY = (
    "Nowicki", "Zieliński", "Wójcik", "Dąbrowski", "Lewandowski", "Szymański", "Woźniak",
    "Kozłowski", "Jankowski", "Mazur", "Kwiatkowski", "Krawczyk", "Piotrowski", "Grabowski",
    "Pawłowski", "Michalski", "Król", "Wieczorek", "Jabłoński", "Wróbel", "Majewski", "Olszewski",
    "Stępień", "Malinowski", "Jaworski", "Adamczyk", "Dudek", "Nowak", "Pawlak", "Górski",
)  # fmt: skip
_CITIES = (("Warszawa", "00-1"), ("Kraków", "30-2"), ("Łódź", "90-3"), ("Gdańsk", "80-4"))
_MODELS = ("Mira", "Orvo", "Tessel")
_PLAIN = str.maketrans("ąćęłńóśźż", "acelnoszz")
_VIN = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@dataclass
class Truth:
    """`rows` of the file, and by row number (from 1) the lead it came of, None for no lead."""

    rows: list[list[str]] = field(default_factory=list)
    lead_of: dict[int, uuid.UUID | None] = field(default_factory=dict)

    def csv(self) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";").writerows([COLUMNS, *self.rows])
        return text.getvalue().encode("utf-8")


@dataclass
class _Buyer:
    lead_id: uuid.UUID
    name: str
    phone: str
    email: str
    postcode: str
    city: str
    model: str
    vin: str
    arrived_on: date
    dealer: str
    order: str = ""


def market_with_sales(
    session: Session, world: World, *, leads: int, sales: int, seed: int = 1
) -> Truth:
    """`leads` of Poland, and a file of `sales`: six of ten came of one of the leads, told by a
    phone, a mail, a VIN, an order number or a name at a place, some of them mistyped; the others
    are of strangers, some of whom have a lead's name."""
    rng = random.Random(seed)
    buyers = _leads(session, world, rng, leads)
    truth = Truth()
    chosen = rng.sample(buyers, round(sales * 0.6))
    for buyer in chosen:
        truth.rows.append(_sold(rng, buyer))
        truth.lead_of[len(truth.rows)] = buyer.lead_id
    while len(truth.rows) < sales:
        truth.rows.append(_stranger(rng, buyers))
        truth.lead_of[len(truth.rows)] = None
    return truth


def brought(session: Session, world: World, content: bytes, name: str = "sales.csv") -> SalesFile:
    """A draft of a file of Poland's sales."""
    upload = keep_upload(
        session, [content], name, market_id=world.markets["PL"], at=FRIDAY, actor=SYSTEM,
        most_bytes=50_000_000,
    )  # fmt: skip
    return service.begin(session, upload, at=FRIDAY, actor=SYSTEM)


def put_lead(session: Session, world: World, **told: Any) -> uuid.UUID:
    """One lead of Poland with its customer and keys; `arrived_on`, `vin`, `order` besides the
    columns of a lead."""
    buyer = _Buyer(
        lead_id=uuid7(FRIDAY), name=told.get("name", "Ewa Lis"), phone=told.get("phone", ""),
        email=told.get("email", ""), postcode=told.get("postcode", ""), city=told.get("city", ""),
        model=told.get("model", "Mira"), vin=told.get("vin", ""),
        arrived_on=told.get("arrived_on", date(2026, 1, 10)), dealer=told.get("dealer", "PL-WAW-1"),
        order=told.get("order", ""),
    )  # fmt: skip
    _put(session, world, [buyer], told.get("test", False))
    session.commit()
    return buyer.lead_id


def _leads(session: Session, world: World, rng: random.Random, number: int) -> list[_Buyer]:
    buyers = []
    for place in range(number):
        given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
        city, prefix = rng.choice(_CITIES)
        plain = f"{given}.{family}".lower().translate(_PLAIN)
        buyers.append(
            _Buyer(
                lead_id=uuid7(FRIDAY), name=f"{given} {family}",
                phone=f"+48512{place:06}", email=f"{plain}{place}@mail.example",
                postcode=f"{prefix}{rng.randrange(10, 99)}", city=city, model=rng.choice(_MODELS),
                vin="".join(rng.choices(_VIN, k=17)) if rng.random() < 0.2 else "",
                arrived_on=date(2025, 9, 1) + timedelta(days=rng.randrange(150)),
                dealer=rng.choice(("PL-WAW-1", "PL-WAW-2")),
                order=f"Z/{place:05}/26" if rng.random() < 0.15 else "",
            )
        )  # fmt: skip
    _put(session, world, buyers, test=False)
    session.commit()
    return buyers


def _put(session: Session, world: World, buyers: list[_Buyer], test: bool) -> None:
    ids = list(
        session.scalars(
            insert(Customer).returning(Customer.id, sort_by_parameter_order=True),
            [{"full_name": each.name, "created_at": FRIDAY} for each in buyers],
        )
    )
    keys = {
        (kind, value, customer_id)
        for each, customer_id in zip(buyers, ids, strict=True)
        for kind, value in keys_of(_person(each))
    }
    if keys:
        session.execute(
            insert(CustomerKey),
            [{"kind": k, "value": v, "customer_id": id} for k, v, id in sorted(keys)],
        )
    session.execute(
        insert(Lead),
        [
            {
                "id": each.lead_id,
                "reference": f"{each.lead_id.hex[-8:-4]}-{each.lead_id.hex[-4:]}".upper(),
                "market_id": world.markets["PL"], "source_id": world.sources["api-pl"],
                "customer_id": customer_id, "test": test, "full_name": each.name,
                "email": each.email, "phone": each.phone, "country": "PL",
                "postcode": each.postcode, "city": each.city, "model": each.model,
                "brand_id": world.brand_id, "status": "contacted",
                "dealer_id": world.dealers[each.dealer],
                "created_at": FRIDAY.replace(
                    year=each.arrived_on.year, month=each.arrived_on.month, day=each.arrived_on.day
                ),
                "given": {"vehicle": {"vin": each.vin}} if each.vin else {},
            }
            for each, customer_id in zip(buyers, ids, strict=True)
        ],
    )  # fmt: skip
    won = [each for each in buyers if each.order]
    if won:
        session.execute(
            insert(Outcome),
            [
                {
                    "lead_id": each.lead_id, "kind": "won", "at": FRIDAY,
                    "dealer_id": world.dealers[each.dealer], "order_number": each.order,
                }
                for each in won
            ],
        )  # fmt: skip


def _person(each: _Buyer) -> Person:
    return Person(
        full_name=each.name, email=each.email, phone=each.phone, country="PL",
        postcode=each.postcode, city=each.city,
    )  # fmt: skip


def _sold(rng: random.Random, buyer: _Buyer) -> list[str]:
    day = min(buyer.arrived_on + timedelta(days=round(rng.expovariate(1 / 40))), FRIDAY.date())
    phone = buyer.phone.removeprefix("+48") if rng.random() < 0.6 else ""
    email = buyer.email if rng.random() < 0.5 else ""
    name = buyer.name
    if rng.random() < 0.1:
        first, last = name.split()
        name = f"{last} {first}".upper()
    return [
        f"{day:%d.%m.%Y}", buyer.order, buyer.vin, name.translate(_PLAIN), phone, email,
        buyer.postcode if rng.random() < 0.8 else "", buyer.city,
        buyer.model if rng.random() < 0.85 else rng.choice(_MODELS),
        buyer.dealer if rng.random() < 0.85 else "Aurel Wola",
        f"{rng.randrange(80_000, 320_000)},00",
    ]  # fmt: skip


def _stranger(rng: random.Random, buyers: list[_Buyer]) -> list[str]:
    """Nobody of the leads, though a third has the name and the city of one."""
    buyer = rng.choice(buyers)
    namesake = rng.random() < 0.33
    name = buyer.name if namesake else f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"
    city, prefix = (buyer.city, "05-5") if namesake else rng.choice(_CITIES)
    number = rng.randrange(100_000, 999_999)
    plain = name.replace(" ", ".").lower().translate(_PLAIN)
    return [
        f"{date(2025, 10, 1) + timedelta(days=rng.randrange(150)):%d.%m.%Y}", f"X/{number}",
        "".join(rng.choices(_VIN, k=17)), name, f"601{number}", f"{plain}{number}@post.example",
        f"{prefix}{rng.randrange(10, 99)}", city, rng.choice(_MODELS),
        rng.choice(("PL-WAW-1", "PL-WAW-2", "Autosalon Nieznany")), "149 900,00",
    ]  # fmt: skip
