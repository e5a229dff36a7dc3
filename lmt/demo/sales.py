"""The demo's sales: a file of each large market, of cars that leads of the demo led to and others.

It goes the road of any file: kept, read, matched; some sales wait for a person to decide.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.imports.reading import chunks
from lmt.imports.uploads import keep_upload, spool_folder
from lmt.models import Dealer, Lead, Market, Outcome
from lmt.sales.engine import CHUNK, bring
from lmt.sales.finding import grounds_of
from lmt.sales.reading import read_row, reader_of, table_of
from lmt.sales.service import draft_of
from lmt.scope import SYSTEM

HEADER = ("Sale date", "Order number", "Customer", "Phone", "City", "Model", "Dealer", "Price")
MOST_SALES = 120
MARKETS = 3
_MOST_BYTES = 1_000_000
_PRICES = range(19_900, 64_900, 500)


def sell(session: Session, rng: random.Random, at: datetime) -> int:
    """Bring last months' sales of the markets with the most leads; how many files. No commit."""
    largest = session.scalars(
        select(Lead.market_id)
        .group_by(Lead.market_id)
        .order_by(func.count().desc(), Lead.market_id)
        .limit(MARKETS)
    ).all()
    for market_id in largest:
        _bring(session, session.get_one(Market, market_id), rng, at)
    return len(largest)


def _bring(session: Session, market: Market, rng: random.Random, at: datetime) -> None:
    codes = session.scalars(
        select(Dealer.code).where(Dealer.market_id == market.id).order_by(Dealer.code)
    ).all()
    rows = _sales(session, market, codes, rng, at)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *rows])
    upload = keep_upload(
        session,
        [text.getvalue().encode()],
        f"sales {market.code} {at:%Y-%m}.csv",
        market_id=market.id,
        at=at,
        actor=SYSTEM,
        most_bytes=_MOST_BYTES,
    )
    file = draft_of(session, upload, at=at, actor=SYSTEM)
    grounds = grounds_of(session, market.id, at)
    reader = reader_of(file, grounds)
    with spool_folder() as folder:
        for some in chunks(table_of(session, file, folder).rows(), CHUNK):
            bring(session, file, [read_row(reader, row, False) for row in some], grounds, at)
    file.state, file.finished_at = "finished", at
    session.flush()


def _sales(
    session: Session, market: Market, codes: Sequence[str], rng: random.Random, at: datetime
) -> list[tuple[str, ...]]:
    """Won leads as their dealer told them, lost ones that another dealer sold to, strangers."""
    found = session.execute(
        select(
            Lead.full_name, Lead.phone, Lead.city, Lead.model, Lead.created_at, Dealer.code,
            Outcome.kind, Outcome.order_number, Outcome.at,
        )
        .join(Outcome, Outcome.lead_id == Lead.id)
        .join(Dealer, Dealer.id == Outcome.dealer_id)
        .where(Lead.market_id == market.id, Lead.test.is_(False))
        .order_by(Outcome.kind.desc(), Lead.created_at, Lead.phone, Lead.email)
    ).all()  # fmt: skip
    named = [row for row in found if len(row.full_name.split()) > 1]
    won = [row for row in named if row.kind == "won"][: MOST_SALES * 2 // 3]
    lost = [row for row in named if row.kind == "lost"][: MOST_SALES // 6]
    rows = [_row(row, row.code, rng, at, phone=rng.random() < 0.7) for row in won]
    rows += [_row(row, rng.choice(codes), rng, at, phone=rng.random() < 0.6) for row in lost]
    # Somebody of the household bought it: a person must say whether it was of this lead.
    for row in won[::9]:
        given = rng.choice(named).full_name.split()[:1]
        told = _row(row, row.code, rng, at, phone=True)
        rows.append((told[0], "", " ".join((*given, *row.full_name.split()[1:])), *told[3:]))
    for number in range(len(won) // 4):
        row = rng.choice(named)
        day = at - timedelta(days=rng.randrange(60))
        given, family = rng.choice(named).full_name.split()[:1], row.full_name.split()[-1:]
        stranger = " ".join((*given, *family))
        rows.append(
            (f"{day:%Y-%m-%d}", f"S-{number:04}", stranger, "", row.city, row.model,
             rng.choice(codes), str(rng.choice(_PRICES)))
        )  # fmt: skip
    rng.shuffle(rows)
    return rows


def _row(
    row: Any, dealer: str, rng: random.Random, at: datetime, *, phone: bool
) -> tuple[str, ...]:
    sold_at = min(max(row.at, row.created_at) + timedelta(days=rng.randrange(6)), at)
    return (
        f"{sold_at:%Y-%m-%d}", row.order_number, row.full_name, row.phone if phone else "",
        row.city, row.model, dealer, str(rng.choice(_PRICES)),
    )  # fmt: skip
