"""Nobody reads what is not theirs: not by any query, not by any route."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import CursorResult, delete, exists, func, inspect, select, union_all, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

import lmt
from lmt import models, pipeline, publishing
from lmt.config import Settings
from lmt.db import SessionFactory, uuid7
from lmt.imports.service import begin_import
from lmt.imports.uploads import keep_upload
from lmt.lifecycle import Status
from lmt.models import (
    Absence,
    CallRecord,
    Campaign,
    Closure,
    Competence,
    Consent,
    ConsentText,
    Contest,
    Customer,
    CustomerKey,
    CustomerMove,
    CustomField,
    Dealer,
    DealerLoad,
    DealerSystem,
    DealerTerms,
    DeliveryKey,
    DuplicateSuggestion,
    Event,
    Feedback,
    Form,
    FormCount,
    FormFile,
    FormVersion,
    Handover,
    HelpPost,
    HelpThread,
    ImportRow,
    ImportRun,
    Inquiry,
    Intake,
    Job,
    Lead,
    MailboxState,
    MailRead,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    PolicyDraft,
    Reply,
    Retrieval,
    RoutingDecision,
    RoutingPolicy,
    SavedView,
    SlotTerms,
    SlotUse,
    Source,
    SourceAlert,
    SourceRefusal,
    SpecialHours,
    Suppression,
    Territory,
    Upload,
    UploadPart,
    User,
    Verdict,
)
from lmt.models.validity import since
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails
from lmt.scope import NOBODY, SYSTEM, Actor, NoActor, act_as, actor_of, as_system
from lmt.web import is_public
from tests.world import FRIDAY, World, send, warsaw_lead

NINE = FRIDAY + timedelta(hours=1, minutes=5)
"""9:05 in Warsaw, while the offers of Friday morning run."""

PEOPLE = ("anna", "bert", "carla", "hana", "omar", "cem")
PERMISSIONS = {
    "anna": {"lead.read", "lead.work"},
    "bert": {"lead.read", "lead.work", "lead.export", "report.read"},
    "carla": {"lead.read", "lead.work"},
    "hana": {
        "lead.read", "lead.assign", "report.read", "outbox.read", "intake.read", "policy.edit",
        "network.edit", "source.edit", "consent.edit", "lead.import", "lead.export", "form.edit",
        "help.answer", "text.edit", "market.edit", "user.edit",
    },
    "omar": {
        "lead.read", "lead.assign", "report.read", "outbox.read", "intake.read", "policy.edit",
        "network.edit", "source.edit", "consent.edit", "lead.import", "lead.export", "form.edit",
        "help.answer", "text.edit", "market.edit", "user.edit",
    },
    "cem": {"lead.read", "lead.assign"},
}  # fmt: skip
SEEN = {
    "anna": {"at_first"}, "bert": {"at_first"}, "carla": {"moved"},
    "hana": {"at_first", "moved"}, "cem": {"at_first", "moved"},
    "omar": {"at_first", "moved", "gulf"},
}  # fmt: skip
"""Whose leads: `at_first` is with PL-WAW-1, `moved` went from there to PL-WAW-2, `gulf` is in
another market."""
DEALER = {"anna": "PL-WAW-1", "bert": "PL-WAW-1", "carla": "PL-WAW-2"}

BY_LEAD = (
    Event, Offer, RoutingDecision, PlannedAction, Outcome, Consent, Contest, Inquiry, Reply, Verdict,
    Feedback, HelpThread, HelpPost,
)  # fmt: skip
BY_DEALER = (
    DealerTerms, Competence, Closure, Territory, DealerLoad, Handover, SpecialHours, DealerSystem,
    SlotTerms, SlotUse,
)  # fmt: skip
BY_SOURCE = (
    Intake, DeliveryKey, Retrieval, SourceAlert, SourceRefusal, ImportRun, MailboxState, MailRead,
    Form,
)  # fmt: skip
OF_A_FILE = (Upload, UploadPart, ImportRow)
OF_A_FORM = (FormVersion, FormCount)
SCOPED = (
    Lead, Customer, CustomerKey, CustomerMove, DuplicateSuggestion, Dealer, Message, Suppression,
    CallRecord, SavedView, *BY_LEAD, *BY_DEALER, *BY_SOURCE, *OF_A_FILE, *OF_A_FORM,
)  # fmt: skip
NOT_FOR_DEALERS = (*BY_SOURCE, *OF_A_FILE, *OF_A_FORM, DuplicateSuggestion, Suppression)
SHARED = {
    "Absence", "Brand", "Campaign", "ConsentText", "CustomField", "DealerGroup",
    "GeocoderAnswer", "Heartbeat", "Job",
    "MailMute", "MailText", "MailTextVersion", "Market", "MarketCountry", "MarketStatus",
    "NetworkVersion", "ReplyTemplate", "Outage", "Place", "PlaceName", "PolicyDraft",
    "Postcode", "ReferenceVersion", "Release", "RoadAnswer", "Role", "RoutingPolicy", "Rule",
    "SettingChange", "Source", "User", "UserScope",
    "VehicleModel",
}  # fmt: skip
"""Models that tell nothing of a lead. A new model is in one list or the other."""
NOBODYS = {"FormFile", "Tap"}
"""Read for a lead that its reader may see, and by no query of anybody short of the centre."""


@dataclass(frozen=True)
class Parts:
    """Ids of what there is, by the lead it belongs to."""

    leads: dict[str, uuid.UUID]
    plans: dict[str, int]
    messages: dict[str, uuid.UUID]
    intakes: dict[str, uuid.UUID]
    contests: dict[str, int]
    inquiries: dict[str, uuid.UUID]
    customers: dict[str, int]
    suggestions: dict[str, tuple[int, int]]
    moves: dict[str, tuple[int, int]]
    entries: dict[str, int]
    files: dict[str, tuple[uuid.UUID, uuid.UUID]]
    """A lead with a file that came with it."""


@pytest.fixture
def parts(sessions: SessionFactory, session: Session, cast: dict[str, User], world: World) -> Parts:
    """Three leads with a row of every kind each."""
    consents = [{"purpose": "contact", "given": True}]
    riyadh = {"address": {"city": "الرياض", "country": "SA"}, "consents": consents}
    leads = {}
    for number, (name, source, change) in enumerate(
        [("at_first", "api-pl", {}), ("moved", "api-pl", {}), ("gulf", "api-gulf", riyadh)]
    ):
        who = {
            "full_name": f"Person {name.title()}", "email": f"{name}@example.com",
            "phone": f"+4851234567{number}",
        }  # fmt: skip
        data = warsaw_lead(**who) | {"consents": consents} | change
        leads[name] = send(session, source, data, FRIDAY)
        pipeline.advance(sessions, leads[name].id, FRIDAY)
    session.expire_all()
    pipeline.decline(
        session, leads["moved"].id, reason="no_capacity", at=FRIDAY, actor=actor_of(cast["anna"])
    )
    act_as(session, SYSTEM)
    plans, messages, contests, inquiries = {}, {}, {}, {}
    for name, lead in leads.items():
        fresh = session.get_one(Lead, lead.id)
        assert (fresh.status, fresh.dealer_id) == ("offered", world.dealers[HOLDERS[name]])
        assert fresh.dealer_id is not None
        plan = PlannedAction(
            lead_id=lead.id,
            dealer_id=fresh.dealer_id,
            kind="call",
            due_at=FRIDAY,
            note=f"note {name}",
            created_at=FRIDAY,
        )
        won = Outcome(lead_id=lead.id, kind="won", at=FRIDAY, dealer_id=fresh.dealer_id)
        decided = session.scalars(
            select(RoutingDecision.id)
            .where(RoutingDecision.lead_id == lead.id)
            .order_by(RoutingDecision.at.desc(), RoutingDecision.id.desc())
        ).first()
        doubt = Contest(
            decision_id=decided, lead_id=lead.id, dealer_id=fresh.dealer_id, at=FRIDAY, note=name
        )
        again = Inquiry(lead_id=lead.id, source_id=fresh.source_id, at=FRIDAY)
        session.add_all([plan, won, doubt, again])
        session.flush()
        plans[name], contests[name], inquiries[name] = plan.id, doubt.id, again.id
        messages[name] = session.scalars(
            select(Message.id).where(
                Message.lead_id == lead.id, Message.kind == "customer_received"
            )
        ).one()
    intakes = {}
    for name, source in (("at_first", "api-pl"), ("gulf", "api-gulf")):
        intakes[name] = uuid7(FRIDAY)
        session.add(
            Intake(
                id=intakes[name], source_id=world.sources[source], received_at=FRIDAY,
                body=f"bytes of {name}".encode(), body_hash=b"x", status="quarantined",
                problem={"code": "no_json", "errors": []},
            )
        )  # fmt: skip
        session.add(
            Retrieval(source_id=world.sources[source], intake_id=intakes[name], remote_id=name,
                      next_attempt_at=FRIDAY, created_at=FRIDAY)
        )  # fmt: skip
        session.add(SourceAlert(source_id=world.sources[source], kind="silent", began_at=FRIDAY))
        _add_files(session, world, source)
        _add_form(session, world, source)
        session.add(
            SourceRefusal(source_id=world.sources[source], hour=FRIDAY, code="x", last_at=FRIDAY)
        )
    who = {name: session.get_one(Lead, lead.id).customer_id for name, lead in leads.items()}
    for name, customer_id in who.items():
        session.add(
            CallRecord(
                customer_id=customer_id, source_id=session.get_one(Lead, leads[name].id).source_id,
                lead_id=leads[name].id, at=FRIDAY, disposition="interested",
            )
        )  # fmt: skip
        # Of calls that came to nothing, and of those made for others, a customer's dealer and
        # another market read nothing.
        session.add_all(
            CallRecord(customer_id=customer_id, source_id=world.sources[source], at=FRIDAY,
                       disposition="no_answer")
            for source in ("api-pl", "api-gulf")
        )  # fmt: skip
    suggestions = {"moved": (who["moved"], who["at_first"]), "gulf": (who["gulf"], who["moved"])}
    for newer, older in suggestions.values():
        session.add(
            DuplicateSuggestion(customer_id=newer, other_id=older, score=0.5, reasons=["name"],
                                at=FRIDAY)
        )  # fmt: skip
    moves = {}
    for source, target in (("at_first", "moved"), ("gulf", "gulf")):
        moved = CustomerMove(kind="split", from_id=who[source], to_id=who[target], lead_ids=[],
                             keys=[], at=FRIDAY)  # fmt: skip
        session.add(moved)
        session.flush()
        moves[source] = (who[source], moved.id)
    entries = {}
    for name, market in (("at_first", "PL"), ("gulf", "GULF"), ("", "")):
        entry = Suppression(
            kind="phone", value=f"+4860000000{len(entries)}", origin="list", created_at=FRIDAY,
            market_id=world.markets[market] if market else None,
        )  # fmt: skip
        session.add(entry)
        session.flush()
        entries[name] = entry.id
    del entries[""]
    for dealer_id in world.dealers.values():
        session.add(
            Closure(dealer_id=dealer_id, starts_on=date(2026, 8, 1), ends_on=date(2026, 8, 2),
                    valid=since(None))
        )  # fmt: skip
        session.add(Territory(dealer_id=dealer_id, postcodes=["99-9"], valid=since(None)))
        session.add(
            DealerSystem(dealer_id=dealer_id, transport="mail", address="crm@example.com",
                         created_at=FRIDAY)
        )  # fmt: skip
        session.add(Handover(dealer_id=dealer_id, at=FRIDAY, reason="moves", created_at=FRIDAY))
        market_id = session.get_one(Dealer, dealer_id).market_id
        session.add(
            SpecialHours(
                market_id=market_id, dealer_id=dealer_id, starts_on=date(2026, 12, 24),
                ends_on=date(2026, 12, 24), hours="09:00-12:00", valid=since(None),
            )
        )  # fmt: skip
    ids = {name: lead.id for name, lead in leads.items()}
    files = _send_files(session, ids)
    session.commit()
    return Parts(
        ids, plans, messages, intakes, contests, inquiries, who, suggestions, moves, entries, files
    )  # fmt: skip


def _send_files(
    session: Session, leads: dict[str, uuid.UUID]
) -> dict[str, tuple[uuid.UUID, uuid.UUID]]:
    form_id = session.scalars(select(Form.id).order_by(Form.id)).first()
    files = {}
    for name, lead_id in leads.items():
        file = FormFile(
            form_id=form_id, field="photo", name=f"{name}.png", content_type="image/png",
            data=b"x", created_at=FRIDAY,
        )  # fmt: skip
        session.add(file)
        session.flush()
        told = {"file": str(file.id), "name": file.name, "size": 1}
        lead = session.get_one(Lead, lead_id)
        lead.given = {**lead.given, "attributes": {"photo": told}}
        files[name] = (lead_id, file.id)
    return files


def _add_files(session: Session, world: World, source: str) -> None:
    """A file that was imported by halves, and a mail that was read."""
    market_id = session.get_one(Source, world.sources[source]).market_id
    upload = Upload(market_id=market_id, name="x.csv", size=3, sha256=b"x", created_at=FRIDAY)
    session.add(upload)
    session.flush()
    run = ImportRun(
        source_id=world.sources[source],
        upload_id=upload.id,
        created_at=FRIDAY,
        position=1,
        failed=1,
    )
    session.add_all([UploadPart(upload_id=upload.id, number=0, data=b"a\nb"), run])
    session.flush()
    session.add_all(
        [
            ImportRow(import_id=run.id, number=1, outcome="failed", cells=["b"]),
            MailboxState(source_id=world.sources[source], next_check_at=FRIDAY),
            MailRead(source_id=world.sources[source], uid_validity=1, uid=1, at=FRIDAY,
                     outcome="automatic"),
        ]
    )  # fmt: skip


def _add_form(session: Session, world: World, source: str) -> None:
    """A form that was published and seen, and a file that came by it."""
    form = Form(code=f"form-{source}", name="x", source_id=world.sources[source])
    session.add(form)
    session.flush()
    version = FormVersion(form_id=form.id, number=1, definition={}, published_at=FRIDAY)
    session.add(version)
    session.flush()
    session.add_all(
        [
            FormCount(version_id=version.id, day=FRIDAY.date(), kind="seen", field=""),
            FormFile(form_id=form.id, field="photo", name="x.png", content_type="image/png",
                     data=b"x", created_at=FRIDAY),
        ]
    )  # fmt: skip


HOLDERS = {"at_first": "PL-WAW-1", "moved": "PL-WAW-2", "gulf": "SA-RUH-1"}


@pytest.fixture
def actors(cast: dict[str, User]) -> dict[str, Actor]:
    return {name: actor_of(user) for name, user in cast.items()}


# Queries


Key = tuple[Any, ...]


def key_of(row: Any) -> Key:
    return tuple(inspect(row).identity)


def key_columns(model: type[Any]) -> list[Any]:
    return [getattr(model, c.key) for c in inspect(model).primary_key]


def truth(session: Session, name: str, parts: Parts, world: World) -> dict[type[Any], set[Key]]:
    """What `name` should see, worked out from all there is."""
    act_as(session, SYSTEM)
    session.expunge_all()
    leads = {parts.leads[each] for each in SEEN[name]}
    customers = {session.get_one(Lead, id).customer_id for id in leads}
    own = world.dealers.get(DEALER.get(name, ""))
    market = {"hana": {"PL"}, "cem": {"PL"}, "omar": {"PL", "GULF"}}.get(name, set())
    markets = {world.markets[code] for code in market}
    sources = {id for code, id in world.sources.items() if code.split("-")[1].upper() in market}
    dealers = (
        {own} if own else {d.id for d in session.scalars(select(Dealer)) if d.market_id in markets}
    )

    def may(row: Any) -> bool:
        if isinstance(row, Lead):
            return row.id in leads
        if isinstance(row, Event | Offer | PlannedAction):
            return row.lead_id in leads and (not own or row.dealer_id in {None, own})
        if isinstance(row, BY_LEAD):
            return row.lead_id in leads
        if isinstance(row, Customer):
            return row.id in customers
        if isinstance(row, Upload):
            return row.market_id in markets
        if isinstance(row, UploadPart):
            return session.get_one(Upload, row.upload_id).market_id in markets
        if isinstance(row, FormVersion):
            return session.get_one(Form, row.form_id).source_id in sources
        if isinstance(row, FormCount):
            form_id = session.get_one(FormVersion, row.version_id).form_id
            return session.get_one(Form, form_id).source_id in sources
        if isinstance(row, ImportRow):
            return session.get_one(ImportRun, row.import_id).source_id in sources
        if isinstance(row, CustomerKey):
            return row.customer_id in customers
        if isinstance(row, CallRecord):
            return row.lead_id in leads or row.source_id in sources
        if isinstance(row, DuplicateSuggestion):
            return {row.customer_id, row.other_id} <= customers
        if isinstance(row, CustomerMove):
            return bool({row.from_id, row.to_id} & customers)
        if isinstance(row, Suppression):
            return row.market_id in markets or (name == "omar" and row.market_id is None)
        if isinstance(row, Message):
            to_dealer = row.audience == "dealer" or row.lead_id in leads
            return (row.dealer_id == own and to_dealer) if own else row.market_id in markets
        if isinstance(row, Dealer):
            return row.id in dealers
        if isinstance(row, BY_SOURCE):
            return row.source_id in sources
        return row.dealer_id in dealers

    return {m: {key_of(r) for r in session.scalars(select(m)) if may(r)} for m in SCOPED}


def by_alias(session: Session, model: type[Any]) -> set[Key]:
    return {key_of(row) for row in session.scalars(select(aliased(model)))}


def by_columns(session: Session, model: type[Any]) -> set[Key]:
    return {tuple(row) for row in session.execute(select(*key_columns(model)))}


def by_query(session: Session, model: type[Any]) -> set[Key]:
    return {key_of(row) for row in session.query(model)}


def by_union(session: Session, model: type[Any]) -> set[Key]:
    columns = key_columns(model)
    return {tuple(row) for row in session.execute(union_all(select(*columns), select(*columns)))}


def by_subquery(session: Session, model: type[Any]) -> set[Key]:
    inner = select(*key_columns(model)).subquery()
    return {tuple(row) for row in session.execute(select(inner))}


def by_cte(session: Session, model: type[Any]) -> set[Key]:
    inner = select(*key_columns(model)).cte()
    return {tuple(row) for row in session.execute(select(inner))}


def by_from_statement(session: Session, model: type[Any]) -> set[Key]:
    return {key_of(row) for row in session.scalars(select(model).from_statement(select(model)))}


def by_self_join(session: Session, model: type[Any]) -> set[Key]:
    other = aliased(model)
    (first, *_rest) = key_columns(model)
    joined = select(model).join(other, first == getattr(other, first.key))
    return {key_of(row) for row in session.scalars(joined)}


def by_update(session: Session, model: type[Any]) -> set[Key]:
    columns = key_columns(model)
    statement = update(model).values({columns[0].key: columns[0]}).returning(*columns)
    return {tuple(row) for row in session.execute(statement)}


READS: list[Callable[[Session, type[Any]], set[Key]]] = [
    by_query, by_alias, by_columns, by_union, by_subquery, by_cte, by_from_statement, by_self_join,
    by_update,
]  # fmt: skip


def test_each_model_is_scoped_or_tells_nothing_of_leads() -> None:
    every = {name for name in models.__all__ if isinstance(getattr(models, name), type)}
    assert every == SHARED | NOBODYS | {model.__name__ for model in SCOPED}


@pytest.mark.parametrize("name", PEOPLE)
def test_no_query_finds_more_than_its_part(
    session: Session, actors: dict[str, Actor], parts: Parts, world: World, name: str
) -> None:
    expected = truth(session, name, parts, world)
    everything = truth(session, "omar", parts, world)
    actor = actors[name]
    for model in SCOPED:
        nothing = model in NOT_FOR_DEALERS and name in DEALER
        assert bool(expected[model]) != nothing, f"{model.__name__} proves nothing of {name}"
        assert name == "omar" or expected[model] < everything[model], model
        for read in READS:
            if read is by_update and model is FormVersion:
                continue  # a published version never changes: the database refuses it
            session.rollback()
            session.expunge_all()
            act_as(session, actor)
            found = read(session, model)
            assert found == expected[model], (model.__name__, read.__name__)
        session.rollback()
        count = session.scalars(select(func.count()).select_from(model)).one()
        assert count == len(expected[model])
        hidden = everything[model] - expected[model]
        for key in everything[model]:
            session.expunge_all()
            assert (session.get(model, key) is None) == (key in hidden)
        first, *others = key_columns(model)
        for key in hidden:
            conditions = [first == key[0], *(c == v for c, v in zip(others, key[1:], strict=True))]
            gone = session.execute(delete(model).where(*conditions))
            assert isinstance(gone, CursorResult)
            assert gone.rowcount == 0
            assert not session.scalar(select(exists().where(*conditions)))


@pytest.mark.parametrize("name", [name for name in PEOPLE if name != "omar"])
def test_a_visitors_file_is_in_no_ones_part(
    session: Session, actors: dict[str, Actor], parts: Parts, name: str
) -> None:
    session.expunge_all()
    act_as(session, actors[name])
    assert session.scalars(select(FormFile)).all() == []
    act_as(session, SYSTEM)
    assert len(session.scalars(select(FormFile)).all()) == 2 + len(parts.leads)


@pytest.mark.parametrize("name", ["anna", "carla", "hana"])
def test_no_relationship_leads_out_of_the_part(
    session: Session, actors: dict[str, Actor], parts: Parts, world: World, name: str
) -> None:
    expected = truth(session, name, parts, world)
    for eager in ((), (joinedload("*"),), (selectinload("*"),)):
        session.expunge_all()
        act_as(session, actors[name])
        reached = walked(session, eager)
        for model in SCOPED:
            assert {key for kind, key in reached if kind is model} == expected[model], model


def walked(session: Session, eager: tuple[Any, ...]) -> set[tuple[type[Any], Key]]:
    """Every row that can be come to from the visible ones, along every relationship."""
    reached: set[tuple[type[Any], Key]] = set()
    ways: list[Any] = []
    for model in SCOPED:
        ways += session.scalars(select(model).options(*eager)).unique()
    while ways:
        row = ways.pop()
        if (type(row), key_of(row)) in reached:
            continue
        reached.add((type(row), key_of(row)))
        for relationship in inspect(type(row)).relationships:
            there = getattr(row, relationship.key)
            ways += there if isinstance(there, list) else [there] if there is not None else []
    return reached


def test_a_session_that_acts_for_nobody_named_refuses(sessions: SessionFactory) -> None:
    with sessions() as session:
        for statement in (select(Lead), select(User), update(Lead).values(points=1), delete(Event)):
            with pytest.raises(NoActor):
                session.execute(statement)
        with pytest.raises(NoActor):
            session.get(Lead, uuid7())


def test_a_visitor_and_a_person_whose_account_ended_see_nothing(
    session: Session, cast: dict[str, User], parts: Parts
) -> None:
    cast["omar"].active = False
    ended = actor_of(cast["omar"])
    for actor in (NOBODY, ended):
        act_as(session, actor)
        for model in SCOPED:
            assert session.scalars(select(model)).all() == [], model


def test_a_step_as_the_system_leaves_nothing_behind(
    session: Session, actors: dict[str, Actor], parts: Parts
) -> None:
    act_as(session, actors["carla"])
    own = session.scalars(select(Lead)).one()
    with as_system(session):
        assert len(session.scalars(select(Lead)).all()) == 3
        session.scalars(select(Dealer)).all()
    assert [row for row in session if isinstance(row, Lead)] == [own]
    assert session.get(Lead, parts.leads["gulf"]) is None
    session.expunge_all()
    assert session.scalars(select(Lead.id)).all() == [own.id]


# Routes


@dataclass(frozen=True)
class Route:
    """How to ask: the permissions, and what the address names ("" for no row)."""

    permission: str
    names: str = ""
    method: str = "GET"
    of: str = "dealer"
    """What a `code` in the address is one of."""


ROUTES = {
    "desk.inbox": Route("lead.work"),
    "desk.lead": Route("lead.work", "lead_id"),
    "desk.accept": Route("lead.work", "lead_id", "POST"),
    "desk.lead_file": Route("lead.read", "lead_id file_id"),
    "desk.contacted": Route("lead.work", "lead_id", "POST"),
    "desk.plan": Route("lead.work", "lead_id", "POST"),
    "desk.note": Route("lead.work", "lead_id", "POST"),
    "desk.won": Route("lead.work", "lead_id", "POST"),
    "desk.lost": Route("lead.work", "lead_id", "POST"),
    "desk.reopen": Route("lead.work", "lead_id", "POST"),
    "desk.decline": Route("lead.work", "lead_id", "POST"),
    "desk.finish_plan": Route("lead.work", "plan_id", "POST"),
    "desk.plan_ics": Route("lead.work", "plan_id"),
    "desk.contest": Route("lead.work", "lead_id", "POST"),
    "desk.rest": Route("lead.work", "lead_id", "POST"),
    "desk.wake": Route("lead.work", "lead_id", "POST"),
    "hq.overview": Route("lead.assign"),
    "hq.leads": Route("lead.assign"),
    "hq.unrouted": Route("lead.assign"),
    "hq.unlocated": Route("lead.assign"),
    "hq.incomplete": Route("lead.assign"),
    "hq.dealers": Route("lead.assign"),
    "hq.lead": Route("lead.assign", "lead_id"),
    "hq.assign": Route("lead.assign", "lead_id", "POST"),
    "hq.withdraw": Route("lead.assign", "lead_id", "POST"),
    "hq.locate": Route("lead.assign", "lead_id", "POST"),
    "hq.contests": Route("lead.assign"),
    "hq.answer_contest": Route("lead.assign", "contest_id", "POST"),
    "hq.calendars": Route("lead.assign"),
    "hq.policies": Route("policy.edit"),
    "hq.fair_share": Route("lead.assign"),
    "hq.fair_share_csv": Route("lead.assign"),
    "hq.reports": Route("report.read"),
    "hq.report_csv": Route("report.read"),
    "hq.outbox": Route("outbox.read"),
    "hq.send_again": Route("outbox.read", "message_id", "POST"),
    "hq.mailbox": Route("outbox.read"),
    "hq.mail": Route("outbox.read", "mail_id"),
    "hq.mail_html": Route("outbox.read", "mail_id"),
    "hq.quarantine": Route("intake.read"),
    "hq.delivery": Route("intake.read", "intake_id"),
    "hq.replay_delivery": Route("source.edit", "intake_id", "POST"),
    "hq.mend_delivery": Route("source.edit", "intake_id", "POST"),
    "hq.dismiss_delivery": Route("source.edit", "intake_id", "POST"),
    "hq.restore_delivery": Route("source.edit", "intake_id", "POST"),
    "hq.replay_deliveries": Route("source.edit", "", "POST"),
    "hq.sources": Route("intake.read"),
    "hq.new_source": Route("source.edit"),
    "hq.create_source": Route("source.edit", "", "POST"),
    "hq.campaigns": Route("source.edit"),
    "hq.new_campaign": Route("source.edit"),
    "hq.create_campaign": Route("source.edit", "", "POST"),
    "hq.duplicates": Route("lead.assign"),
    "hq.answer_duplicate": Route("lead.assign", "newer older", "POST"),
    "hq.customer": Route("lead.assign", "customer_id"),
    "hq.split_customer": Route("lead.assign", "customer_id", "POST"),
    "hq.undo_move": Route("lead.assign", "customer_id move_id", "POST"),
    "hq.split_inquiry": Route("lead.assign", "inquiry_id", "POST"),
    "hq.do_not_contact": Route("consent.edit"),
    "hq.add_do_not_contact": Route("consent.edit", "", "POST"),
    "hq.lift_do_not_contact": Route("consent.edit", "entry_id", "POST"),
    "hq.consent_texts": Route("consent.edit"),
    "hq.add_consent_text": Route("consent.edit", "", "POST"),
    "hq.save_confirmed_purposes": Route("consent.edit", "", "POST"),
    "hq.forms": Route("form.edit"),
    "hq.new_form": Route("form.edit"),
    "hq.create_form": Route("form.edit", "", "POST"),
    "hq.custom_fields": Route("form.edit"),
    "hq.new_custom_field": Route("form.edit"),
    "hq.create_custom_field": Route("form.edit", "", "POST"),
    "hq.imports": Route("lead.import"),
    "hq.new_import": Route("lead.import"),
    "hq.upload_import": Route("lead.import", "", "POST"),
    "hq.import_dealers": Route("network.edit"),
    "hq.upload_dealers": Route("network.edit", "", "POST"),
    "desk.export_inbox": Route("lead.work lead.export", "form"),
    "hq.export_leads": Route("lead.assign lead.export", "form"),
    "hq.export_dealers": Route("lead.assign lead.export", "form"),
    "hq.export_quarantine": Route("intake.read lead.export", "form"),
    "hq.export_sources": Route("intake.read lead.export", "form"),
    "hq.export_outbox": Route("outbox.read lead.export", "form"),
    "hq.export_campaigns": Route("source.edit lead.export", "form"),
    "hq.export_do_not_contact": Route("consent.edit lead.export", "form"),
}
SETTINGS = {
    "hq.calendar_days": Route("network.edit", "market"),
    "hq.set_calendar_days": Route("network.edit", "market", "POST"),
    "hq.calendar_pack": Route("network.edit", "market", "POST"),
    "hq.end_calendar_days": Route("network.edit", "market row_id", "POST"),
    "hq.policy": Route("policy.edit", "market"),
    "hq.start_draft": Route("policy.edit", "market", "POST"),
    "hq.roll_back": Route("policy.edit", "market", "POST"),
    "hq.withdraw_planned": Route("policy.edit", "market", "POST"),
    "hq.draft": Route("policy.edit", "draft_id"),
    "hq.save_draft": Route("policy.edit", "draft_id", "POST"),
    "hq.drop_draft": Route("policy.edit", "draft_id", "POST"),
    "hq.publish": Route("policy.edit", "draft_id", "POST"),
    "hq.replay": Route("policy.edit", "draft_id"),
    "hq.start_replay": Route("policy.edit", "draft_id", "POST"),
    "hq.replayed": Route("policy.edit", "job_id"),
    "hq.replay_csv": Route("policy.edit", "job_id what"),
    "hq.dealer": Route("lead.assign", "code"),
    "hq.edit_dealer": Route("network.edit", "code"),
    "hq.save_dealer": Route("network.edit", "code", "POST"),
    "hq.add_closure": Route("network.edit", "code", "POST"),
    "hq.end_closure": Route("network.edit", "code", "POST"),
    "hq.add_absence": Route("network.edit", "code", "POST"),
    "hq.end_absence": Route("network.edit", "code", "POST"),
    "hq.dealer_end": Route("network.edit", "code"),
    "hq.end_dealer": Route("network.edit", "code", "POST"),
    "hq.cancel_dealer_end": Route("network.edit", "code", "POST"),
    "hq.dealer_system": Route("network.edit", "code"),
    "hq.save_dealer_system": Route("network.edit", "code", "POST"),
    "hq.stop_dealer_system": Route("network.edit", "code", "POST"),
    "hq.new_dealer_system_key": Route("network.edit", "code", "POST"),
    "hq.test_dealer_system": Route("network.edit", "code", "POST"),
    "hq.source": Route("intake.read", "code", of="source"),
    "hq.edit_source": Route("source.edit", "code", of="source"),
    "hq.save_source": Route("source.edit", "code", "POST", of="source"),
    "hq.set_source_state": Route("source.edit", "code", "POST", of="source"),
    "hq.new_source_key": Route("source.edit", "code", "POST", of="source"),
    "hq.set_source_secret": Route("source.edit", "code", "POST", of="source"),
    "hq.source_mapping": Route("source.edit", "code", of="source"),
    "hq.save_source_mapping": Route("source.edit", "code", "POST", of="source"),
    "hq.preview_source_mapping": Route("source.edit", "code", "POST", of="source"),
    "hq.source_test": Route("source.edit", "code", of="source"),
    "hq.send_source_test": Route("source.edit", "code", "POST", of="source"),
    "hq.source_test_lead": Route("source.edit", "code lead_id", of="source"),
    "hq.source_mails": Route("intake.read", "code", of="mailbox"),
    "hq.check_source_mails": Route("source.edit", "code", "POST", of="mailbox"),
    "hq.try_source_mails": Route("source.edit", "code", "POST", of="mailbox"),
    "hq.import_page": Route("lead.import", "import_id"),
    "hq.save_import_columns": Route("lead.import", "import_id", "POST"),
    "hq.preview_import": Route("lead.import", "import_id", "POST"),
    "hq.import_progress": Route("lead.import", "import_id"),
    "hq.steer_import": Route("lead.import", "import_id verb", "POST"),
    "hq.import_failed_rows": Route("lead.import", "import_id"),
    "hq.dealer_file": Route("network.edit", "upload_id"),
    "hq.apply_dealer_file": Route("network.edit", "upload_id", "POST"),
    "hq.campaign": Route("source.edit", "code", of="campaign"),
    "hq.save_campaign": Route("source.edit", "code", "POST", of="campaign"),
    "hq.replayed_deliveries": Route("source.edit", "job_id", of="intake"),
    "hq.form": Route("form.edit", "code", of="form"),
    "hq.publish_form": Route("form.edit", "code", "POST", of="form"),
    "hq.roll_back_form": Route("form.edit", "code", "POST", of="form"),
    "hq.duplicate_form": Route("form.edit", "code", "POST", of="form"),
    "hq.rename_form": Route("form.edit", "code", "POST", of="form"),
    "hq.save_form_origins": Route("form.edit", "code", "POST", of="form"),
    "hq.set_form_state": Route("form.edit", "code", "POST", of="form"),
    "hq.build_form": Route("form.edit", "code", of="form"),
    "hq.edit_draft": Route("form.edit", "code", "POST", of="form"),
    "hq.form_texts": Route("form.edit", "code", of="form"),
    "hq.save_form_texts": Route("form.edit", "code", "POST", of="form"),
    "hq.preview_form": Route("form.edit", "code", of="form"),
    "hq.preview_style": Route("form.edit", "code", of="form"),
    "hq.preview_script": Route("form.edit", "code", of="form"),
    "hq.send_preview": Route("form.edit", "code", "POST", of="form"),
    "hq.custom_field": Route("form.edit", "field_id"),
    "hq.save_custom_field": Route("form.edit", "field_id", "POST"),
    "hq.set_custom_field_state": Route("form.edit", "field_id", "POST"),
}
"""Of a market, not of a lead: `names` lists what the address names."""
SECRET_FIELD = {"key": "secret", "type": "text", "label": {"en": "Secret"}}
ABOUT_ONESELF = {"home", "accounts.preferences", "accounts.save_preferences", "hq.static"}
"""For everybody who is logged in: they show nothing of a lead."""
OPEN_TO_ALL = {
    "static", "portal.static", "portal.status", "portal.locate", "portal.move",
    "portal.stop", "portal.stop_now", "api.send_lead", "api.lead_status", "api.report_status",
    "api.dealer_lead_status", "api.lead_adf", "api.list_fields", "api.form_schema",
    "api.submit_form", "api-docs.openapi_json", "ingest.adf", "portal.confirm",
    "portal.confirm_now", "embed.form", "embed.submit", "embed.frame", "embed.submit_frame",
    "embed.thanks", "embed.frame_thanks", "embed.script", "embed.data", "embed.style",
    "embed.send", "embed.sent", "embed.count_visit", "embed.program", "embed.static_file",
    "embed.dealers", "demosite.home", "demosite.page", "demosite.static", "ingest.google",
    "ingest.meta", "ingest.meta_verification", "ingest.linkedin", "ingest.linkedin_verification",
    "ingest.tiktok", "ingest.any_json", "ingest.web_to_lead", "ingest.web_to_lead_by_oid",
    "health.healthz", "health.readyz", "health.metrics", "security.login", "security.logout",
    "security.change_password", "security.forgot_password", "security.reset_password",
}  # fmt: skip
"""A signed link, a source's key or a password opens what they show; see their own tests."""
FORMS: dict[str, dict[str, str]] = {
    "desk.decline": {"reason": "no_capacity"},
    "desk.contacted": {"how": "call", "result": "reached"},
    "desk.note": {"note": "x", "text": "x"},
    "desk.lost": {"reason": "price"},
    "hq.assign": {"dealer": "PL-WAW-2", "reason": "asked"},
    "hq.withdraw": {"reason": "customer"},
    "hq.locate": {"place": "place-3093133"},
    "hq.answer_contest": {"answer": "So it was"},
    "hq.answer_duplicate": {"answer": "same"},
    "desk.contest": {"note": "Why?"},
    "desk.rest": {"until": "2026-04-01"},
}
"""Complete enough that only the scope stands in the way."""


@pytest.fixture
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


def test_every_route_is_in_the_tables_of_this_test(app: Flask) -> None:
    assert set(app.view_functions) == set(ROUTES) | set(SETTINGS) | ABOUT_ONESELF | OPEN_TO_ALL
    for endpoint in app.view_functions:
        blueprints = [endpoint.partition(".")[0]] if "." in endpoint else []
        assert is_public(app, endpoint, blueprints) == (endpoint in OPEN_TO_ALL), endpoint


def addresses(app: Flask, parts: Parts, mails: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Each route's addresses, with whose lead they concern ("" for a list)."""
    named: dict[str, dict[str, Any]] = {
        "": {"": None}, "lead_id": parts.leads, "plan_id": parts.plans,
        "message_id": parts.messages, "intake_id": parts.intakes, "mail_id": mails,
        "contest_id": parts.contests, "inquiry_id": parts.inquiries,
        "customer_id": parts.customers, "newer older": parts.suggestions,
        "customer_id move_id": parts.moves, "entry_id": parts.entries, "form": {"": "csv"},
        "lead_id file_id": parts.files,
    }  # fmt: skip
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    found: dict[str, list[tuple[str, str]]] = {}
    for endpoint, route in ROUTES.items():
        names = route.names.split()
        assert rules[endpoint].arguments - {"name"} == set(names), endpoint
        assert route.method in (rules[endpoint].methods or ()), endpoint
        with app.test_request_context():
            for whose, id in named[route.names].items():
                ids = id if isinstance(id, tuple) else (id,)
                address = app.url_for(endpoint, **dict(zip(names, ids, strict=False)))
                found.setdefault(endpoint, []).append((whose, address))
    return found


def fingerprint(session: Session) -> list[Any]:
    """All that an action could change."""
    session.rollback()
    found: list[Any] = []
    for model in (Lead, Offer, Event, PlannedAction, Outcome, Message, DealerLoad):
        columns = [c for c in inspect(model).columns if c.key != "given"]
        found += sorted(str(tuple(row)) for row in session.execute(select(*columns)))
    return found


@pytest.fixture
def mails(
    session: Session, sessions: SessionFactory, settings: Settings, parts: Parts
) -> dict[str, str]:
    """The mail to each customer in the mailbox, by whose lead it is about."""
    outbox.send_due(sessions, settings, FRIDAY)
    by_address = {mail.to: mail.id for mail in list_mails(settings)}
    return {name: by_address[f"{name}@example.com"] for name in parts.leads}


def ask(client: FlaskClient, endpoint: str, address: str) -> Any:
    if ROUTES[endpoint].method == "POST":
        return client.post(address, data=FORMS.get(endpoint, {}))
    return client.get(address)


def traces(parts: Parts, session: Session, whose: str) -> list[str]:
    """What would give a lead away on a page."""
    session.rollback()
    act_as(session, SYSTEM)
    lead = session.get_one(Lead, parts.leads[whose])
    return [str(lead.id), lead.reference, lead.full_name, lead.email, lead.phone, f"note {whose}"]


def test_no_route_shows_or_moves_what_is_not_ones_own(
    app: Flask, session: Session, cast: dict[str, User], parts: Parts, mails: dict[str, str],
    morning: Any, login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    clients = {name: login(app.test_client(), cast[name]) for name in PEOPLE}
    session.execute(delete(Outcome))  # None of them is closed: each may still be worked on.
    session.commit()
    routes = addresses(app, parts, mails)
    given_away = {whose: traces(parts, session, whose) for whose in parts.leads}
    before = fingerprint(session)
    allowed = []
    for endpoint, route in ROUTES.items():
        for whose, address in routes[endpoint]:
            stranger = app.test_client()
            asked = ask(stranger, endpoint, address)
            assert asked.status_code == 302, (endpoint, "anonymous")
            assert "/login" in asked.location
            for name, client in clients.items():
                if not set(route.permission.split()) <= PERMISSIONS[name]:
                    assert ask(client, endpoint, address).status_code == 403, (endpoint, name)
                elif whose and whose not in SEEN[name]:
                    answer = ask(client, endpoint, address)
                    assert answer.status_code == 404, (endpoint, name, whose)
                    assert not [t for t in given_away[whose][1:] if t in answer.text]
                else:
                    allowed.append((endpoint, name, whose, address))
    assert fingerprint(session) == before

    # Reading first: what is acted on later may pass to somebody else.
    allowed.sort(key=lambda each: ROUTES[each[0]].method)
    shown: dict[str, set[str]] = {}
    for endpoint, name, whose, address in allowed:
        answer = ask(clients[name], endpoint, address)
        if ROUTES[endpoint].method == "GET":
            assert answer.status_code == 200, (endpoint, name, whose)
        elif whose in SEEN[name] and name in {"anna", "hana", "omar"}:
            assert answer.status_code in {200, 302, 303, 404, 422}, (endpoint, name, whose)
        for other in set(parts.leads) - SEEN[name]:
            leaked = [trace for trace in given_away[other] if trace in answer.text]
            assert not leaked, (endpoint, name, other)
        shown.setdefault(name, set()).update(
            own for own in parts.leads if ROUTES[endpoint].method == "GET" and not whose
            and given_away[own][2] in answer.text
        )  # fmt: skip
    # The lists were not simply empty.
    assert shown == SEEN


def test_no_route_shows_or_changes_another_markets_settings(
    app: Flask, session: Session, cast: dict[str, User], world: World,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    gulf = world.markets["GULF"]
    draft = PolicyDraft(
        market_id=gulf, name="Secret", settings={}, created_at=FRIDAY, changed_at=FRIDAY
    )
    replay = Job(kind="replay", market_id=gulf, arguments={}, created_at=FRIDAY)
    days = SpecialHours(
        market_id=gulf, country="SA", starts_on=date(2027, 1, 1), ends_on=date(2027, 1, 2),
        hours="off", name="Secret", valid=since(None),
    )  # fmt: skip
    intake = Job(kind="replay_intake", market_id=gulf, arguments={}, created_at=FRIDAY)
    campaign = Campaign(
        code="secret", market_id=gulf, name="Secret", utm_campaign="secret", starts_on=FRIDAY
    )
    source = Source(code="json-gulf", kind="json", name="Secret", market_id=gulf, country="SA")
    mailbox = Source(
        code="mail-gulf", kind="mailbox", name="Secret", market_id=gulf, country="SA",
        settings={"host": "localhost", "user": "leads"},
    )  # fmt: skip
    field = CustomField(market_id=gulf, key="secret", definition=SECRET_FIELD)
    of_forms = Source(code="forms-gulf", kind="form", name="Secret", market_id=gulf)
    session.add_all([draft, replay, days, intake, campaign, source, mailbox, field, of_forms])
    session.flush()
    publishing.create_form(session, of_forms, "secret-form", "Secret", at=FRIDAY, actor=SYSTEM)
    file = keep_upload(
        session, [b"code;name\nSA-RUH-1;Secret\n"], "Secret.csv", market_id=gulf, at=FRIDAY,
        actor=SYSTEM, most_bytes=1000,
    )  # fmt: skip
    run = begin_import(session, source, file, at=FRIDAY, actor=SYSTEM)
    day = FRIDAY.isoformat()
    replay.arguments = {"draft": draft.id, "from": day, "to": day}
    intake.arguments = {"source_id": source.id, "code": "", "until": day}
    session.commit()
    lead = send(session, "json-gulf", warsaw_lead() | {"test": True}, FRIDAY)
    named = {
        "market": "GULF",
        "draft_id": draft.id,
        "job_id": replay.id,
        "row_id": days.id,
        "what": "dealers",
        "lead_id": lead.id,
        "import_id": run.id,
        "verb": "undo",
        "upload_id": file.id,
        "field_id": field.id,
    }
    codes: dict[str, dict[str, Any]] = {
        "dealer": {"code": "SA-RUH-1"}, "source": {"code": "json-gulf"},
        "campaign": {"code": "secret"}, "intake": {"job_id": intake.id},
        "mailbox": {"code": "mail-gulf"}, "form": {"code": "secret-form"},
    }  # fmt: skip
    clients = {name: login(app.test_client(), cast[name]) for name in ("anna", "hana", "omar")}
    before = settings_of(session)
    with app.test_request_context():
        addresses = {
            endpoint: app.url_for(
                endpoint,
                **{name: {**named, **codes[route.of]}[name] for name in route.names.split()},
            )
            for endpoint, route in SETTINGS.items()
        }
    for endpoint, route in SETTINGS.items():
        post = route.method == "POST"

        def asked(
            client: FlaskClient, address: str = addresses[endpoint], post: bool = post
        ) -> Any:
            return client.post(address, data={}) if post else client.get(address)

        assert asked(app.test_client()).status_code == 302, endpoint
        assert asked(clients["anna"]).status_code == 403, endpoint
        refused = asked(clients["hana"])
        assert refused.status_code == 404, endpoint
        assert "Secret" not in refused.text
        if not post and route.names != "job_id what":
            assert asked(clients["omar"]).status_code == 200, endpoint
    assert settings_of(session) == before


def settings_of(session: Session) -> list[Any]:
    """All that is set for markets."""
    session.rollback()
    act_as(session, SYSTEM)
    found: list[Any] = []
    for model in (
        PolicyDraft, RoutingPolicy, SpecialHours, Job, DealerTerms, Closure, Absence, Handover,
        Source, Campaign, DealerSystem, ConsentText, Suppression, Form, CustomField,
    ):  # fmt: skip
        columns = inspect(model).columns
        found += sorted(str(tuple(row)) for row in session.execute(select(*columns)))
    return found


def test_a_rivals_name_stays_unsaid_to_the_dealer(
    app: Flask, session: Session, cast: dict[str, User], parts: Parts, morning: Any,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    carla = login(app.test_client(), cast["carla"])
    pages = [carla.get(f"/desk/leads/{parts.leads['moved']}").text, carla.get("/desk/").text]
    for page in pages:
        assert "PL-WAW-1" not in page
        assert "Aurel Centrum" not in page
    assert "Aurel Centrum" in login(app.test_client(), cast["hana"]).get(
        f"/hq/leads/{parts.leads['moved']}"
    ).text  # fmt: skip


# Sources

PAGES = ("desk", "exports", "hq", "portal", "reports")
PASSING_BY = {"__table__", "exec_driver_sql", "connection", "get_bind", "as_system", "SYSTEM"}
MAY_PASS_BY = {
    # The operator at the command line.
    ("hq/dealercommand.py", "SYSTEM"),
    # Opened by a signed link, without an account: it names its one lead, and reads only that.
    ("portal/routes.py", "SYSTEM"),
    ("portal/places.py", "SYSTEM"),
    ("portal/stop.py", "SYSTEM"),
    ("portal/confirm.py", "SYSTEM"),
}


def passed_by(path: Path) -> set[str]:
    """Names in a source by which a read would pass the session's narrowing by."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in ast.walk(tree):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if name in PASSING_BY:
            found.add(str(name))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found |= {alias.name for alias in node.names} & {"text", "table", "literal_column"}
        if isinstance(node, ast.ImportFrom) and node.module == "lmt.scope":
            found |= {alias.name for alias in node.names} & PASSING_BY
    return found


def test_no_page_reads_past_the_narrowing() -> None:
    root = Path(lmt.__file__).parent
    files = [file for package in PAGES for file in (root / package).rglob("*.py")]
    assert len(files) > 10
    found = {(str(f.relative_to(root)), name) for f in files for name in passed_by(f)}
    assert found == MAY_PASS_BY


def test_every_status_has_a_visible_lead(
    session: Session, actors: dict[str, Actor], parts: Parts
) -> None:
    """Narrowing looks at who has the lead, never at how far it is."""
    for status in Status:
        session.execute(
            update(Lead).where(Lead.id == parts.leads["at_first"]).values(status=status)
        )
        act_as(session, actors["anna"])
        assert session.scalars(select(Lead.status)).all() == [status]
        act_as(session, SYSTEM)
