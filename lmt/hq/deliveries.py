"""Deliveries that could not be read: kept byte for byte, seen here, never lost."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, load_only

from lmt import web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.models import Intake

SHOWN_BYTES = 4_096
_HEX_COLUMNS = 16


@dataclass(frozen=True, slots=True)
class Bytes:
    """The beginning of a body: as text where it is UTF-8, and always as a hex dump."""

    text: str | None
    dump: str
    shown: int
    total: int


def bytes_shown(start: bytes, total: int) -> Bytes:
    """The first bytes of a body of `total`; a letter cut in two at the end is left off."""
    return Bytes(_utf8(start), hex_dump(start), len(start), total)


def hex_dump(data: bytes) -> str:
    """Offset, bytes and printable ASCII, 16 a line."""
    lines = []
    for offset in range(0, len(data), _HEX_COLUMNS):
        line = data[offset : offset + _HEX_COLUMNS]
        printable = "".join(chr(b) if 32 <= b < 127 else "." for b in line)
        lines.append(f"{offset:04x}  {line.hex(' '):<{_HEX_COLUMNS * 3 - 1}}  {printable}")
    return "\n".join(lines)


def _utf8(data: bytes) -> str | None:
    for cut in range(4):
        try:
            text = data[: len(data) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        # Control and direction signs would let a delivery draw outside its box.
        return "".join(
            sign if sign in "\n\t" or (sign.isprintable()) else "\N{REPLACEMENT CHARACTER}"
            for sign in text.replace("\r\n", "\n")
        )
    return None


@blueprint.get("/intake")
@web.require("intake.read")
def quarantine() -> ResponseReturnValue:
    after = _uuid(request.args.get("after", ""))
    found = q.quarantined(web.db(), after=after)
    shown = found[: q.PAGE_ROWS]
    return render_template(
        "hq/quarantine.html",
        rows=shown,
        next_address=(
            url_for("hq.quarantine", after=shown[-1].id) if len(found) > len(shown) else ""
        ),
        first_address=url_for("hq.quarantine") if after else "",
    )


@blueprint.get("/intake/<uuid:intake_id>")
@web.require("intake.read")
def delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    found = (
        web.db()
        .execute(
            select(
                Intake,
                func.substr(Intake.body, 1, SHOWN_BYTES),
                func.octet_length(Intake.body),
            )
            .options(
                load_only(Intake.received_at, Intake.content_type, Intake.status, Intake.problem),
                joinedload(Intake.source),
            )
            .where(Intake.id == intake_id)
        )
        .one_or_none()
    )
    if found is None:
        abort(404)
    intake, start, total = found
    return render_template("hq/delivery.html", intake=intake, body=bytes_shown(bytes(start), total))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
