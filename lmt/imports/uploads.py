"""A file arrives: kept in parts where every machine can read it, and put on disk to be read."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from lmt.files.problems import FileProblem
from lmt.ingest.characters import clean_line
from lmt.models import Upload, UploadPart
from lmt.models.upload import PART_BYTES
from lmt.scope import Actor

LONGEST_NAME = 200
_FOLDERS = "lmt-import-"
_LEFT_AFTER_SECONDS = 86_400.0


def keep_upload(
    session: Session,
    parts: Iterable[bytes],
    name: str,
    *,
    market_id: int,
    at: datetime,
    actor: Actor,
    most_bytes: int,
) -> Upload:
    """Keep a file whose bytes come in `parts` of any size; no commit.

    No more than one part is held at a time. Raises FileProblem `empty`, and `too_large` as soon as
    more than `most_bytes` came: the caller rolls back.
    """
    upload = Upload(
        market_id=market_id,
        name=file_name(name),
        size=0,
        sha256=b"",
        created_at=at,
        created_by=actor.user_id,
    )
    session.add(upload)
    session.flush()
    digest = hashlib.sha256()
    for number, data in enumerate(_even(parts)):
        upload.size += len(data)
        if upload.size > most_bytes:
            raise FileProblem("too_large", most=most_bytes)
        digest.update(data)
        # Without the ORM, which would hold every part until the commit.
        session.execute(insert(UploadPart).values(upload_id=upload.id, number=number, data=data))
    if not upload.size:
        raise FileProblem("empty")
    upload.sha256 = digest.digest()
    session.flush()
    return upload


def file_name(given: str) -> str:
    """What a person may be shown of a file's name: no folders, no control signs, not too long."""
    bare = clean_line(given.replace("\\", "/").rsplit("/", 1)[-1])
    if len(bare) <= LONGEST_NAME:
        return bare or "file"
    stem, dot, ending = bare.rpartition(".")
    keep = dot + ending if stem and len(ending) <= 5 else ""
    return bare[: LONGEST_NAME - len(keep)] + keep


def spooled(session: Session, upload_id: uuid.UUID, folder: Path) -> Path:
    """Write the file into `folder`, a part at a time, under a name of ours.

    Raises LookupError for an upload that isn't there, or isn't the actor's to see.
    """
    if session.get(Upload, upload_id) is None:
        raise LookupError(f"no upload {upload_id}")
    path = folder / "upload"
    part = select(UploadPart.data).where(UploadPart.upload_id == upload_id)
    with path.open("wb") as file:
        number = 0
        while (data := session.scalar(part.where(UploadPart.number == number))) is not None:
            file.write(data)
            number += 1
    return path


@contextmanager
def spool_folder() -> Iterator[Path]:
    """A folder for as long as a file is read; those of workers that were killed go after a day."""
    yesterday = time.time() - _LEFT_AFTER_SECONDS
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        try:
            if left.stat().st_mtime < yesterday:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue  # another worker was faster
    with tempfile.TemporaryDirectory(prefix=_FOLDERS, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _even(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of PART_BYTES; the last may be shorter."""
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)
