"""Deliveries that could not be read: kept byte for byte, seen here, mended and taken in again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, load_only

from lmt import web
from lmt.hq import deliveryqueries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.deliverywords import (
    MAPPED,
    STATUS_CHIPS,
    STATUS_WORDS,
    cause_words,
    field_errors,
    what_to_do,
)
from lmt.hq.sourcepreview import Preview
from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.ingest.door import Unreadable
from lmt.ingest.fetching import FETCH_FAILED
from lmt.ingest.kinds import reader_of
from lmt.ingest.quarantine import MOST_MENDED, leads_made
from lmt.models import Intake, Lead, Source, User

SHOWN_BYTES = 4_096
MOST_LEADS = 20
PERMISSION = "source.edit"
_HEX_COLUMNS = 16
_NOT_OF_THE_TEXT = frozenset({FETCH_FAILED, "failed", "paused"})


@dataclass(frozen=True, slots=True)
class Bytes:
    """The beginning of a body: as text where it is UTF-8, and always as a hex dump."""

    text: str | None
    dump: str
    shown: int
    total: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed into the forms of a delivery's page, and what is wrong with it."""

    text: str | None = None
    reason: str = ""
    errors: dict[str, str] | None = None
    preview: Preview | None = None


@blueprint.get("/intake")
@web.require("intake.read")
def quarantine() -> ResponseReturnValue:
    session = web.db()
    wanted = q.Wanted.of(request.args)
    after = _uuid(request.args.get("after", ""))
    found = q.deliveries(
        session,
        web.at(),
        source=wanted.source,
        cause=wanted.cause,
        since=wanted.since_at(reader().timezone),
        status=wanted.status,
        after=after,
    )
    shown = found[: q.PAGE_ROWS]
    address = wanted.address()
    groups = q.groups(session)
    return render_template(
        "hq/quarantine.html",
        rows=shown,
        wanted=wanted,
        groups=groups,
        source_choices=_choices(
            _("All sources"), {each.code: each.name for each in groups}, wanted.source
        ),
        cause_choices=_choices(
            _("All causes"), {each.cause: cause_words(each.cause) for each in groups}, wanted.cause
        ),
        cause_words=cause_words,
        statuses=[(code, STATUS_WORDS[code]) for code in q.STATUSES],
        may_act=web.may(PERMISSION),
        next_address=(
            url_for("hq.quarantine", **address, after=shown[-1].id)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.quarantine", **address) if after else "",
    )


@blueprint.get("/intake/<uuid:intake_id>")
@web.require("intake.read")
def delivery(intake_id: uuid.UUID) -> ResponseReturnValue:
    return delivery_page(intake_id)


def delivery_page(intake_id: uuid.UUID, typed: Typed | None = None) -> str:
    """One delivery with all that can be done about it, or 404."""
    session = web.db()
    found = session.execute(
        select(
            Intake,
            func.substr(Intake.body, 1, MOST_MENDED),
            func.octet_length(Intake.body),
        )
        .options(
            load_only(
                Intake.source_id,
                Intake.received_at,
                Intake.content_type,
                Intake.status,
                Intake.problem,
                Intake.times,
                Intake.mended,
                Intake.answered_at,
                Intake.answered_by,
                Intake.note,
            ),
            joinedload(Intake.source).joinedload(Source.market),
        )
        .where(Intake.id == intake_id)
    ).one_or_none()
    if found is None:
        abort(404)
    intake, start, total = found
    start = bytes(start)
    typed = typed or Typed()
    may_act = web.may(PERMISSION)
    to_fetch = intake.problem.get("code") == FETCH_FAILED
    errors = field_errors(_told_again(intake, start) if total <= MOST_MENDED else intake.problem)
    is_mendable = may_act and intake.status == "quarantined" and not to_fetch
    text = _editable(start, total) if is_mendable else None
    is_editable = text is not None
    if typed.text is not None and is_editable:
        text = typed.text
    return render_template(
        "hq/delivery.html",
        intake=intake,
        body=bytes_shown(start[:SHOWN_BYTES], total),
        mended=None if intake.mended is None else _utf8(intake.mended[:SHOWN_BYTES]),
        cause=cause_words(intake.problem.get("code", "")),
        remedy=what_to_do(intake.source.kind, intake.problem, editable=is_editable),
        errors=[] if to_fetch else errors,
        remote_ids=[name for each in errors for _words, name in each.fields] if to_fetch else [],
        text=text,
        typed=typed,
        preview=typed.preview,
        problems={},
        may_act=may_act,
        mapped=intake.source.kind in MAPPED,
        to_fetch=to_fetch,
        leads=_leads(session, intake),
        answerer=_name(session, intake.answered_by),
        status_words=STATUS_WORDS,
        status_chips=STATUS_CHIPS,
    )


def _told_again(intake: Intake, body: bytes) -> Mapping[str, Any]:
    """What is wrong, in the reader's language, by reading the delivery once more.

    What was kept speaks its sender's language. It stands where reading now finds something else.
    """
    code = intake.problem.get("code", "")
    if intake.status != "quarantined" or code in _NOT_OF_THE_TEXT:
        return intake.problem
    try:
        reader_of(intake.source, intake.content_type)(body)
    except Unreadable as again:
        if again.code == code:
            return {**intake.problem, "errors": again.errors}
    return intake.problem


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


def _editable(start: bytes, total: int) -> str | None:
    """The whole body as text that a browser gives back as it was; None where it can't."""
    if total > MOST_MENDED:
        return None
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _leads(session: Session, intake: Intake) -> Sequence[Lead]:
    """What the delivery became, as far as the reader may see it."""
    ids = leads_made(session, intake)[:MOST_LEADS]
    if not ids:
        return ()
    found = select(Lead).where(Lead.id.in_(ids)).order_by(Lead.created_at, Lead.id)
    return session.scalars(found).all()


def _name(session: Session, user_id: int | None) -> str:
    if user_id is None:
        return ""
    return session.scalars(select(User.name).where(User.id == user_id)).first() or ""


def _choices(all_of_them: str, named: dict[str, str], chosen: str) -> list[tuple[str, str]]:
    """What can be chosen by name, what is chosen among it."""
    known = named if not chosen or chosen in named else {**named, chosen: chosen}
    pairs = ((code, words) for code, words in known.items() if code)
    return [("", all_of_them), *sorted(pairs, key=lambda pair: pair[1])]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
