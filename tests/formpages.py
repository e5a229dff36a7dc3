"""Forms for tests, and a visitor's browser without scripts: it fills in what a page shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt.models import Form, FormVersion
from tests.world import FRIDAY

ORIGIN = "https://www.brand.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def words(text: str) -> dict[str, str]:
    return {"en": text, "pl": text}


def field(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": words(key.capitalize()), **more}


def options(*ids: str) -> list[dict[str, Any]]:
    return [{"id": each, "label": words(each)} for each in ids]


def steps() -> list[dict[str, Any]]:
    """Three: what is wanted; the car to be given in payment, where there is one; who asks."""
    owns = {"field": "has_car", "is": ["yes"]}
    return [
        {
            "key": "wish",
            "fields": [
                field("request_type", "choice", options=options("test_drive", "offer"),
                      required=True, to="request.type"),
                field("has_car", "choice", options=options("yes", "no"), required=True),
                field("campaign_code", "hidden", value="ours", to="request.timeframe"),
            ],
        },
        {
            "key": "car",
            "shown_when": owns,
            "fields": [
                field("mileage", "number", required=True, least=0, most=2_000_000),
                field("photo", "file", retention_days=30),
            ],
        },
        {
            "key": "you",
            "fields": [
                field("name", "name", required=True),
                field("phone", "phone"),
                field("email", "email"),
                field("city", "city"),
                field("comments", "longtext", to="request.comments"),
                field("consent", "consent", required=True),
            ],
        },
    ]  # fmt: skip


def definition(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "title": words("Ask us"),
        "languages": ["en", "pl"],
        "default_language": "en",
        "steps": steps(),
        **changes,
    }


def published(
    session: Session, code: str, data: dict[str, Any], at: datetime = FRIDAY
) -> FormVersion:
    """The next version of the form `code`, which is made where there is none; commits."""
    form = session.scalars(select(Form).where(Form.code == code)).first()
    if form is None:
        source_id = session.scalars(select(Form.source_id)).first()
        form = Form(code=code, source_id=source_id, draft=data, origins=[ORIGIN])
        session.add(form)
        session.flush()
    latest = select(func.max(FormVersion.number)).where(FormVersion.form_id == form.id)
    form.published = FormVersion(
        form_id=form.id, number=(session.scalar(latest) or 0) + 1, definition=data, published_at=at
    )
    session.commit()
    return form.published


class Visitor:
    """Sends the page it sees as a browser would, with `typed` where inputs can be seen."""

    def __init__(self, client: FlaskClient, address: str) -> None:
        self.client, self.address = client, address.partition("?")[0]
        self.page = client.get(address)

    @property
    def root(self) -> Any:
        return html.fromstring(self.page.text)

    @property
    def step(self) -> str:
        return str(self.root.xpath("//form/@data-step")[0])

    def fields(self, **typed: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {}
        for control in self.root.xpath("//form//*[@name][not(self::button)]"):
            if control.get("type") in {"radio", "checkbox"} and control.get("checked") is None:
                continue
            if control.get("type") != "file":
                sent[control.get("name")] = control.value or ""
        return sent | typed

    def send(self, **typed: Any) -> TestResponse:
        self.page = self.client.post(self.address, data=self.fields(**typed))
        return self.page

    def errors(self) -> list[str]:
        """The names of the inputs that the summary leads to."""
        return [link[1:] for link in self.root.xpath("//*[@role='alert']//a/@href")]
