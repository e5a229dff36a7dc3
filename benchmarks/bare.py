"""The least that a web application can do with a lead: one route that inserts one row."""

from __future__ import annotations

import os

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from lmt.db import engine_for

app = Flask(__name__)
engine = engine_for(os.environ["DATABASE_URL"], pool_size=10)

with engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS bare (id bigserial, body bytea)"))


@app.get("/healthz")
def healthz() -> ResponseReturnValue:
    return "ok"


@app.post("/api/v1/leads")
def insert() -> ResponseReturnValue:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO bare (body) VALUES (:body)"), {"body": request.data})
    return {"status": "ok"}, 202
