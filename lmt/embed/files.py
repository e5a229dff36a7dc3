"""Files that visitors send with a form: known by their first bytes, kept until their time is up."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.rules import BYTES_PER_MB, Problem, most_mb
from lmt.ingest.characters import clean_line
from lmt.models import FormFile

MOST_FILES = 5
LONGEST_NAME = 120
UNSENT_DAYS = 1
"""A file of somebody who never sent the form."""
_ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic",),
    "application/pdf": (".pdf",),
}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file as it came, fit to be kept."""

    field: str
    name: str
    content_type: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


def content_type_of(data: bytes) -> str:
    """What the bytes are by how they begin, whatever their name says; "" for none that we take."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "image/heic"
    return "application/pdf" if data.startswith(b"%PDF-") else ""


def clean_name(name: str, content_type: str) -> str:
    """The name without folders and odd characters, with an ending that is true."""
    last = PurePosixPath(clean_line(name).replace("\\", "/")).name
    kept = "".join(sign for sign in last if sign not in '<>:"|?*/').strip(". ")
    stem = kept.rpartition(".")[0] or kept or "file"
    endings = _ENDINGS[content_type]
    ending = next((each for each in endings if kept.lower().endswith(each)), "")
    return f"{stem[: LONGEST_NAME - 5].strip()}{ending or endings[0]}"


def file_fields(definition: FormDefinition) -> tuple[FieldDefinition, ...]:
    return tuple(item for item in definition.fields if item.type == "file")


def most_bytes(definition: FormDefinition) -> int:
    """What all files of one submission may have together; 0 for a form without any."""
    return sum(most_mb(item) for item in file_fields(definition)[:MOST_FILES]) * BYTES_PER_MB


def files_sent(
    definition: FormDefinition, uploads: Mapping[str, FileStorage]
) -> tuple[dict[str, SentFile], dict[str, Problem]]:
    """The files that can be taken and what is wrong with the others, both by name of the input.

    An input in which nothing was chosen is in neither.
    """
    taken: dict[str, SentFile] = {}
    refused: dict[str, Problem] = {}
    for item in file_fields(definition)[:MOST_FILES]:
        upload = uploads.get(item.key)
        if upload is None or not (upload.filename or "").strip():
            continue
        most = most_mb(item)
        upload.stream.seek(0)
        data = upload.stream.read(most * BYTES_PER_MB + 1)
        content_type = content_type_of(data)
        if len(data) > most * BYTES_PER_MB:
            refused[item.key] = Problem("file_size", {"most_mb": most})
        elif not content_type:
            refused[item.key] = Problem("file_type")
        else:
            name = clean_name(upload.filename or "", content_type)
            taken[item.key] = SentFile(item.key, name, content_type, data)
    return taken, refused


def file_id(secret: str, form_id: int, key: str, field: str) -> uuid.UUID:
    """Under which the file of a field is kept for the submission `key`: the same one when it is
    sent again, and nobody's to guess."""
    told = f"lmt.form.file:{form_id}:{key}:{field}".encode()
    return uuid.UUID(bytes=hmac.digest(secret.encode(), told, hashlib.sha256)[:16], version=4)


def keep_files(
    session: Session, secret: str, form_id: int, key: str, files: Iterable[SentFile], at: datetime
) -> None:
    """Keep what was sent until it is known whether the form will be; commits.

    What a lead has already is kept as long as before: its visitor may go back, attach another file,
    and never send that.
    """
    longest = case((FormFile.forget_at.is_not(None), func.greatest(FormFile.forget_at, _until(at))))
    for sent in files:
        values = {
            "name": sent.name,
            "content_type": sent.content_type,
            "data": sent.data,
        }
        row = {
            "id": file_id(secret, form_id, key, sent.field),
            "form_id": form_id,
            "field": sent.field,
            "created_at": at,
            "forget_at": _until(at),
        }
        statement = insert(FormFile).values(row | values)
        again = values | {"forget_at": longest}
        session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))
    session.commit()


def _until(at: datetime) -> datetime:
    return at + timedelta(days=UNSENT_DAYS)


def kept_files(
    session: Session, secret: str, form_id: int, key: str, fields: Collection[str]
) -> dict[str, tuple[str, int]]:
    """Name and size in bytes of what this submission brought before, by field."""
    if not fields:
        return {}
    ids = {file_id(secret, form_id, key, field): field for field in fields}
    found = select(FormFile.id, FormFile.name, func.octet_length(FormFile.data)).where(
        FormFile.id.in_(ids)
    )
    return {ids[row[0]]: (row[1], row[2]) for row in session.execute(found)}


def hand_over(
    session: Session,
    secret: str,
    form_id: int,
    key: str,
    fields: Iterable[FieldDefinition],
    at: datetime,
) -> dict[str, dict[str, object]]:
    """The files of a form that is being sent, as attributes of its lead by field. They are kept as
    long as their fields say, or else as long as the lead; commits."""
    attributes: dict[str, dict[str, object]] = {}
    by_key = {item.key: item for item in fields}
    for field, (name, size) in kept_files(session, secret, form_id, key, by_key.keys()).items():
        id, days = file_id(secret, form_id, key, field), by_key[field].retention_days
        forget_at = None if days is None else at + timedelta(days=days)
        session.execute(update(FormFile).where(FormFile.id == id).values(forget_at=forget_at))
        attributes[field] = {"file": str(id), "name": name, "size": size}
    session.commit()
    return attributes
