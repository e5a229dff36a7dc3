"""Who may log in: the application's role, its password, its databases and their URLs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from lmt.embedded.place import PORT, ROLE, SUPERUSER, Place


def password_of(place: Place) -> str:
    """The password of `lmt`, made at first use; kept in a file of the instance, mode 0600."""
    with suppress(FileNotFoundError):
        place.password_file.chmod(0o600)
        if known := place.password_file.read_text().strip():
            return known
    password = secrets.token_urlsafe(32)
    fresh = place.password_file.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(place.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
        file.write(password + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place.password_file)
    return password


def url_for(password: str, database: str, folder: Path) -> str:
    name, host = quote(database, safe=""), quote(str(folder))
    return f"postgresql+psycopg://{ROLE}:{password}@/{name}?host={host}&port={PORT}"


@contextmanager
def as_superuser(folder: Path) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=str(folder), port=PORT, user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


def ensure_login(folder: Path, password: str, database: str) -> None:
    """After this `lmt` logs in to `database`, whatever an interrupted start left undone."""
    with suppress(psycopg.OperationalError):
        psycopg.connect(
            host=str(folder), port=PORT, user=ROLE, password=password, dbname=database
        ).close()
        return
    with as_superuser(folder) as connection:
        # The server's log may show statements: it gets the verifier, never the password.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), ROLE.encode(), b"scram-sha-256"
        )
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(ROLE)))
        connection.execute(
            sql.SQL(
                "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
            ).format(sql.Identifier(ROLE), sql.Literal(verifier.decode()))
        )
        ensure_database(connection, database, "template0")


def ensure_database(connection: psycopg.Connection, name: str, template: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(ROLE), sql.Identifier(template)
    )
    if template == "template0":
        statement += sql.SQL(" ENCODING UTF8 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    else:
        # Its files are copied as they are, which is quicker than writing each page down anew.
        statement += sql.SQL(" STRATEGY file_copy")
    connection.execute(statement)
