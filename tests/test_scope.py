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
from lmt.accounts.roles import PERMISSIONS as PERMISSION_NAMES
from lmt.accounts.service import Scope, create_user
from lmt.config import Settings
from lmt.db import SessionFactory, uuid7
from lmt.imports.service import begin_import
from lmt.imports.uploads import keep_upload
from lmt.lifecycle import Status
from lmt.models import (
    Absence,
    Brand,
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
    DealerGroup,
    DealerLoad,
    DealerSystem,
    DealerTerms,
    DeliveryKey,
    DuplicateSuggestion,
    Event,
    ExchangeRate,
    FactMonth,
    FactSlice,
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
    LeadFact,
    MailboxState,
    MailRead,
    MailText,
    Market,
    MarketStatus,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    PolicyDraft,
    Reply,
    ReplyTemplate,
    ReportKey,
    ReportSchedule,
    Retrieval,
    Role,
    RoutingDecision,
    RoutingPolicy,
    Rule,
    Sale,
    SalesFile,
    SavedReport,
    SavedView,
    SettingChange,
    ShareFact,
    ShareMonth,
    SlotTerms,
    SlotUse,
    Source,
    SourceAlert,
    SourceRefusal,
    SpecialHours,
    Suppression,
    Target,
    Territory,
    Upload,
    UploadPart,
    User,
    UserScope,
    VehicleModel,
    Verdict,
)
from lmt.models.validity import since
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails
from lmt.reports.refresh import refresh
from lmt.sales import service as sales
from lmt.scope import NOBODY, SYSTEM, Actor, NoActor, act_as, actor_of, as_system
from lmt.web import is_public
from tests.world import FRIDAY, World, send, warsaw_lead

NINE = FRIDAY + timedelta(hours=1, minutes=5)
"""9:05 in Warsaw, while the offers of Friday morning run."""

AGENT = {"lead.read", "lead.work"}
MANAGER = AGENT | {"lead.export", "report.read", "team.manage", "dealer.manage"}
CALL_CENTRE = {"lead.read", "lead.assign"}
EXPERT = {"help.answer"}
HEADQUARTERS = CALL_CENTRE | EXPERT | {
    "report.read", "outbox.read", "intake.read", "policy.edit", "network.edit", "source.edit",
    "consent.edit", "lead.import", "lead.export", "form.edit", "text.edit", "market.edit",
    "user.edit",
}  # fmt: skip
CENTRAL = HEADQUARTERS | {"team.manage"}
PERMISSIONS = {
    "anna": AGENT, "bert": MANAGER, "carla": AGENT, "gita": MANAGER, "hana": HEADQUARTERS,
    "bruno": HEADQUARTERS, "cem": CALL_CENTRE, "omar": CENTRAL, "adam": set(PERMISSION_NAMES),
    "eva": EXPERT,
}  # fmt: skip
PEOPLE = tuple(PERMISSIONS)

# How each stands to three leads. `at_first` is with PL-WAW-1 and is Bert's, `moved` is of another
# brand and went from PL-WAW-1, where it was declined, to PL-WAW-2; `gulf` is in another market.
STANDS = {
    #         role, and where           at_first          moved             gulf
    "anna":  ("agent, PL-WAW-1",       "colleague's",    "once had",       "other market's"),
    "bert":  ("manager, PL-WAW-1",     "own",            "once had",       "other market's"),
    "carla": ("agent, PL-WAW-2",       "other dealer's", "own",            "other market's"),
    "gita":  ("manager, two dealers",  "other dealer's", "own",            "own"),
    "hana":  ("headquarters, PL",      "own market's",   "own market's",   "other market's"),
    "bruno": ("headquarters, a brand", "own market's",   "other brand's",  "other market's"),
    "cem":   ("call_centre, PL",       "own market's",   "own market's",   "other market's"),
    "omar":  ("central",               "own market's",   "own market's",   "own market's"),
    "adam":  ("administrator",         "own market's",   "own market's",   "own market's"),
    "eva":   ("expert, GULF",          "other market's", "other market's", "own market's"),
}  # fmt: skip
ANSWERS = {
    "own": 200, "colleague's": 200, "own market's": 200,
    "once had": 404, "other dealer's": 404, "other brand's": 404, "other market's": 404,
}  # fmt: skip
"""What a page about one lead answers to who may open such pages at all; others get 403."""
ONCE_HAD = 200
"""The page of the lead itself, for its former dealer: a stub, and not the lead."""
LEADS = ("at_first", "moved", "gulf")
SEEN = {
    name: {lead for lead, stand in zip(LEADS, stands, strict=True) if ANSWERS[stand] == 200}
    for name, (_role, *stands) in STANDS.items()
}
HAD = {
    name: {lead for lead, stand in zip(LEADS, stands, strict=True) if stand == "once had"}
    for name, (_role, *stands) in STANDS.items()
}
DEALERS = {
    "anna": {"PL-WAW-1"}, "bert": {"PL-WAW-1"}, "carla": {"PL-WAW-2"},
    "gita": {"PL-WAW-2", "SA-RUH-1"},
}  # fmt: skip
MARKETS = {
    "hana": {"PL"}, "bruno": {"PL"}, "cem": {"PL"}, "omar": {"PL", "GULF"},
    "adam": {"PL", "GULF"}, "eva": {"GULF"},
}  # fmt: skip
EVERYWHERE = {"omar", "adam"}
OF_ONE_BRAND = {"bruno"}
"""Whoever looks after one brand sees its leads, and nothing that a market's brands share."""
EACH_PART = ("anna", "carla", "gita", "hana", "bruno", "omar", "eva")
"""People whose parts differ."""
ASKED = {"eva": {"at_first"}}
"""Questions that reach somebody by name, though they don't see the lead."""

BY_LEAD = (
    Event, Offer, RoutingDecision, PlannedAction, Outcome, Consent, Contest, Inquiry, Reply,
    Verdict, Feedback, HelpThread, HelpPost,
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
OF_MARKETS = (
    FactMonth, FactSlice, ShareFact, ShareMonth, Target, ExchangeRate, SalesFile, Sale,
)  # fmt: skip
"""Of a market with all its dealers and brands."""
OF_ONE_PERSON = (SavedView, ReportSchedule, ReportKey)
SCOPED = (
    Lead, Customer, CustomerKey, CustomerMove, DuplicateSuggestion, Dealer, Message, Suppression,
    CallRecord, LeadFact, SavedReport, *OF_ONE_PERSON, *BY_LEAD, *BY_DEALER, *BY_SOURCE,
    *OF_A_FILE, *OF_A_FORM, *OF_MARKETS,
)  # fmt: skip
OF_A_MARKET = (*BY_SOURCE, *OF_A_FILE, *OF_A_FORM, *OF_MARKETS, Suppression)
SHARED = {
    "Absence", "Brand", "Campaign", "ConsentText", "CustomField", "DealerGroup",
    "FactQueue", "GeocoderAnswer", "Heartbeat", "Job",
    "MailMute", "MailText", "MailTextVersion", "Market", "MarketCountry", "MarketStatus",
    "NetworkVersion", "ReplyTemplate", "Outage", "Place", "PlaceName", "PolicyDraft",
    "Postcode", "ReferenceVersion", "Release", "RoadAnswer", "Role", "RoutingPolicy", "Rule",
    "SettingChange", "Source", "User", "UserScope",
    "VehicleModel",
}  # fmt: skip
"""Models that tell nothing of a lead: of the queue of facts every reader asks how old the figures
are. A new model is in one list or the other."""
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
    threads: dict[str, uuid.UUID]
    verdicts: dict[str, int]
    views: dict[str, int]
    """By whose it is, not by lead: one of the console each."""
    reports: dict[str, int]
    schedules: dict[str, int]
    keys: dict[str, int]


@pytest.fixture
def cast(cast: dict[str, User], session: Session, world: World) -> dict[str, User]:
    """Somebody of every role, and a manager of a group, and somebody who looks after one brand."""
    group = DealerGroup(code="two-houses", name="Two houses")
    session.add(group)
    session.flush()
    for code in sorted(DEALERS["gita"]):
        session.get_one(Dealer, world.dealers[code]).group_id = group.id
    markets = world.markets
    more = {
        "gita": ("manager", Scope(group_id=group.id)),
        "bruno": ("headquarters", Scope(market_id=markets["PL"], brand_id=world.brand_id)),
        "adam": ("administrator", Scope()),
        "eva": ("expert", Scope(market_id=markets["GULF"])),
    }
    made = {
        name: create_user(session, f"{name}@lmt.example", name.title(), None, [role], [scope])
        for name, (role, scope) in more.items()
    }
    session.commit()
    return {**cast, **made}


@pytest.fixture
def parts(sessions: SessionFactory, session: Session, cast: dict[str, User], world: World) -> Parts:
    """Three leads with a row of every kind each."""
    gulf_id = world.markets["GULF"]
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
    plans, messages, contests, inquiries, threads, verdicts = {}, {}, {}, {}, {}, {}
    other_brand = Brand(code="borea", name="Borea")
    session.add(other_brand)
    session.flush()
    session.get_one(Lead, leads["moved"].id).brand_id = other_brand.id
    session.get_one(Lead, leads["at_first"].id).owner_id = cast["bert"].id
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
        expert = next((cast[each] for each, asked in ASKED.items() if name in asked), None)
        thread, verdict = _add_desk(session, fresh, fresh.dealer_id, cast["anna"], expert)
        if name == "moved":
            # What the dealer that declined it wrote is not for the next to read.
            _add_desk(session, fresh, world.dealers["PL-WAW-1"], cast["anna"])
        session.flush()
        plans[name], contests[name], inquiries[name] = plan.id, doubt.id, again.id
        threads[name], verdicts[name] = thread.id, verdict.id
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
        session.add_all(
            [
                SlotTerms(dealer_id=dealer_id, kind="visit"),
                SlotUse(dealer_id=dealer_id, kind="visit", starts_at=FRIDAY),
            ]
        )
    views = {
        name: SavedView(
            user_id=user.id, room="console", name=f"Hot of {name}", filters={}, created_at=FRIDAY
        )
        for name, user in cast.items()
    }
    session.add_all(views.values())
    reports, schedules, keys = _add_reports(session, world, cast)
    for market_id in world.markets.values():
        _add_figures(session, market_id, leads["gulf" if market_id == gulf_id else "at_first"].id)
    session.flush()
    own_views = {name: view.id for name, view in views.items()}
    ids = {name: lead.id for name, lead in leads.items()}
    files = _send_files(session, ids)
    session.commit()
    refresh(sessions, FRIDAY)
    return Parts(
        ids, plans, messages, intakes, contests, inquiries, who, suggestions, moves, entries, files,
        threads, verdicts, own_views, reports, schedules, keys,
    )  # fmt: skip


Ids = dict[str, int]


def _add_reports(session: Session, world: World, cast: dict[str, User]) -> tuple[Ids, Ids, Ids]:
    """What each keeps of reports, and a report that is shared with each market."""
    reports, schedules, keys = {}, {}, {}
    kept = {"address": {"rows": "dealer"}, "created_at": FRIDAY, "changed_at": FRIDAY}
    for name, user in cast.items():
        reports[name] = SavedReport(user_id=user.id, name="Mine", **kept)
        keys[name] = ReportKey(
            user_id=user.id, name="Mine", key_hash=name, created_at=FRIDAY,
            expires_at=FRIDAY + timedelta(days=30),
        )  # fmt: skip
    for market_id in world.markets.values():
        session.add(
            SavedReport(user_id=cast["omar"].id, name=f"Shared {market_id}", shared="market",
                        market_id=market_id, **kept)
        )  # fmt: skip
    session.add_all([*reports.values(), *keys.values()])
    session.flush()
    for name, user in cast.items():
        schedules[name] = ReportSchedule(
            report_id=reports[name].id, user_id=user.id, every="day", minute=480, timezone="UTC",
            recipients=[user.id], next_at=FRIDAY + timedelta(days=1), created_at=FRIDAY,
        )  # fmt: skip
    session.add_all(schedules.values())
    session.flush()
    return (
        {name: row.id for name, row in reports.items()},
        {name: row.id for name, row in schedules.items()},
        {name: row.id for name, row in keys.items()},
    )


def _add_figures(session: Session, market_id: int, lead_id: uuid.UUID) -> None:
    """What a market plans, sold, and has been added up."""
    month = FRIDAY.date().replace(day=1)
    upload = Upload(market_id=market_id, name="s.csv", size=3, sha256=b"x", created_at=FRIDAY)
    session.add(upload)
    session.flush()
    file = SalesFile(market_id=market_id, upload_id=upload.id, created_at=FRIDAY)
    session.add_all(
        [
            file,
            UploadPart(upload_id=upload.id, number=0, data=b"a"),
            FactMonth(cut="x", market_id=market_id, month=month),
            ShareMonth(market_id=market_id, month=month, dealer_id=1),
            Target(market_id=market_id, month=month, figure="leads", value=1),
            ExchangeRate(market_id=market_id, month=month, rate=1),
        ]
    )
    session.flush()
    session.add(
        Sale(file_id=file.id, row=1, market_id=market_id, key="x", sold_on=FRIDAY.date(),
             full_name="Buyer", state="matched", lead_id=lead_id)
    )  # fmt: skip


def _add_desk(
    session: Session, lead: Lead, dealer_id: int, user: User, expert: User | None = None
) -> tuple[HelpThread, Verdict]:
    """What a dealer keeps beside a lead."""
    thread = HelpThread(
        lead_id=lead.id, market_id=lead.market_id, dealer_id=dealer_id, asked_by=user.id,
        opened_at=FRIDAY, expert_id=expert.id if expert else None,
    )  # fmt: skip
    thread.posts.append(HelpPost(author_id=user.id, at=FRIDAY, text="Who knows this car?"))
    reply = Reply(
        lead_id=lead.id, dealer_id=dealer_id, language="en", subject="x", body="x", at=FRIDAY
    )
    verdict = Verdict(
        lead_id=lead.id, dealer_id=dealer_id, verdict="partly", at=FRIDAY, contested_at=FRIDAY
    )
    session.add_all([thread, reply, verdict])
    if lead.dealer_id == dealer_id:
        session.add(Feedback(lead_id=lead.id, dealer_id=dealer_id, at=FRIDAY, score=4))
    return thread, verdict


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
    own = {world.dealers[code] for code in DEALERS.get(name, ())}
    looked_after = {world.markets[code] for code in MARKETS.get(name, ())}
    asked = {parts.threads[each] for each in ASKED.get(name, ())}
    reader = session.get_one(SavedView, parts.views[name]).user_id
    dealers = own or {d.id for d in session.scalars(select(Dealer)) if d.market_id in looked_after}
    market = set() if name in OF_ONE_BRAND else MARKETS.get(name, set())
    markets = {world.markets[code] for code in market}
    sources = {id for code, id in world.sources.items() if code.split("-")[1].upper() in market}
    every = {d.id: d.market_id for d in session.scalars(select(Dealer))}
    at_home = {every[id] for id in own} | looked_after

    def may(row: Any) -> bool:
        if isinstance(row, Lead):
            return row.id in leads
        if isinstance(row, OF_ONE_PERSON):
            return name in EVERYWHERE or row.user_id == reader
        if isinstance(row, SavedReport):
            return name in EVERYWHERE or row.user_id == reader or row.market_id in at_home
        if isinstance(row, OF_MARKETS):
            return row.market_id in markets
        if isinstance(row, LeadFact):
            if own:
                return row.dealer_id in own
            brand = name not in OF_ONE_BRAND or row.brand_id == world.brand_id
            return row.market_id in looked_after and brand
        if isinstance(row, HelpPost):
            row = session.get_one(HelpThread, row.thread_id)
        if isinstance(row, HelpThread) and row.id in asked:
            return True
        if isinstance(row, Event | Offer | PlannedAction | Reply | Verdict | HelpThread):
            return row.lead_id in leads and (not own or row.dealer_id in {None, *own})
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
            return row.market_id in markets or (name in EVERYWHERE and row.market_id is None)
        if isinstance(row, Message):
            to_dealer = row.audience == "dealer" or row.lead_id in leads
            return (row.dealer_id in own and to_dealer) if own else row.market_id in markets
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


@pytest.mark.parametrize("name", EACH_PART)
def test_no_query_finds_more_than_its_part(
    session: Session, actors: dict[str, Actor], parts: Parts, world: World, name: str
) -> None:
    expected = truth(session, name, parts, world)
    everything = truth(session, "omar", parts, world)
    actor = actors[name]
    for model in SCOPED:
        nothing = model in OF_A_MARKET and (name in DEALERS or name in OF_ONE_BRAND)
        nothing |= model is DuplicateSuggestion and len(SEEN[name]) < 2
        nothing |= model is Message and name in OF_ONE_BRAND
        assert bool(expected[model]) != nothing, f"{model.__name__} proves nothing of {name}"
        # A move between two customers is seen from either side.
        is_all = name == "omar" or (name == "gita" and model is CustomerMove)
        assert is_all or expected[model] < everything[model], model
        for read in READS:
            if read is by_update and model in (FormVersion, FactMonth):
                continue  # the database refuses: a published version, an id, never change
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


def test_a_visitors_file_is_in_no_ones_part(
    session: Session, actors: dict[str, Actor], parts: Parts
) -> None:
    for name in set(PEOPLE) - EVERYWHERE:
        session.expunge_all()
        act_as(session, actors[name])
        assert session.scalars(select(FormFile)).all() == [], name
    act_as(session, SYSTEM)
    assert len(session.scalars(select(FormFile)).all()) == 2 + len(parts.leads)


@pytest.mark.parametrize("name", ["anna", "carla", "gita", "hana"])
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


# Leads, and what belongs to one: an address names whose it is, and STANDS says who may. Lists
# answer everybody who holds the permission, with what is theirs.
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
    "desk.hand": Route("lead.work", "lead_id", "POST"),
    "desk.set_status": Route("lead.work", "lead_id", "POST"),
    "desk.reply": Route("lead.work", "lead_id", "POST"),
    "desk.verdict": Route("lead.work", "lead_id", "POST"),
    "desk.ask": Route("lead.work", "lead_id", "POST"),
    "desk.post_help": Route("lead.work", "thread_id", "POST"),
    "desk.close_help": Route("lead.work", "thread_id", "POST"),
    "desk.move_plan": Route("lead.work", "plan_id", "POST"),
    "desk.cancel_plan": Route("lead.work", "plan_id", "POST"),
    "desk.board": Route("lead.work"),
    "desk.bulk": Route("lead.work", "", "POST"),
    "desk.save_view": Route("lead.work", "", "POST"),
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
    "hq.route_again": Route("lead.assign", "lead_id", "POST"),
    "hq.revoke_links": Route("lead.assign", "lead_id", "POST"),
    "hq.book_appointment": Route("lead.assign", "lead_id", "POST"),
    "hq.move_appointment": Route("lead.assign", "lead_id plan_id", "POST"),
    "hq.cancel_appointment": Route("lead.assign", "lead_id plan_id", "POST"),
    "hq.verdicts": Route("lead.assign"),
    "hq.contest_verdict": Route("lead.assign", "lead_id verdict_id", "POST"),
    "hq.answer_verdict": Route("lead.assign", "verdict_id", "POST"),
    "hq.questions": Route("help.answer"),
    "hq.question": Route("help.answer", "thread_id"),
    "hq.answer_question": Route("help.answer", "thread_id", "POST"),
    "hq.close_question": Route("help.answer", "thread_id", "POST"),
    "hq.lead_map": Route("lead.assign"),
    "hq.save_view": Route("lead.assign", "", "POST"),
    "hq.restore_view": Route("lead.assign", "", "POST"),
    "hq.work_queue": Route("lead.assign", "name", "POST"),
    "hq.mail_texts": Route("text.edit"),
    "hq.reply_templates": Route("text.edit"),
    "hq.new_reply_template": Route("text.edit"),
    "hq.create_reply_template": Route("text.edit", "", "POST"),
    "hq.markets": Route("market.edit"),
    "hq.brands": Route("market.edit"),
    "hq.brand": Route("market.edit", "code"),
    "hq.model": Route("market.edit", "code model_code"),
    "hq.statuses": Route("market.edit"),
    "hq.rules": Route("market.edit"),
    "hq.history": Route("market.edit"),
    "hq.groups": Route("network.edit"),
    "hq.create_group": Route("network.edit", "", "POST"),
    "hq.users": Route("user.edit"),
    "hq.new_user": Route("user.edit"),
    "hq.create_user": Route("user.edit", "", "POST"),
    "hq.roles": Route("admin"),
    "hq.create_role": Route("admin", "", "POST"),
    "hq.role": Route("admin", "name"),
    "hq.save_role": Route("admin", "name", "POST"),
    "hq.policies": Route("policy.edit"),
    "reports.home": Route("report.read"),
    "reports.dashboard": Route("report.read"),
    "reports.report": Route("report.read"),
    "reports.coverage": Route("report.read lead.assign"),
    "reports.leads": Route("report.read"),
    "reports.file": Route("report.read", "form"),
    "reports.leads_file": Route("report.read", "form"),
    "reports.save": Route("report.read", "", "POST"),
    "reports.schedules": Route("report.read"),
    "reports.keys": Route("report.read"),
    "reports.make_key": Route("report.read", "", "POST"),
    "reports.plan": Route("market.edit"),
    "reports.save_plan": Route("market.edit", "", "POST"),
    "hq.sales": Route("lead.import"),
    "hq.upload_sales": Route("lead.import", "", "POST"),
    "hq.sale_queue": Route("lead.import"),
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
SHARED_BY_BRANDS = {"message_id", "mail_id", "intake_id", "entry_id"}
"""Ids of what belongs to a market with all its brands."""
# What is set for a market: only whoever looks after the whole market changes it, for all others
# it isn't there. What is set for every market is the centre's.
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
    "hq.sales_file": Route("lead.import", "file_id"),
    "hq.save_sales_columns": Route("lead.import", "file_id", "POST"),
    "hq.sales_progress": Route("lead.import", "file_id"),
    "hq.steer_sales_file": Route("lead.import", "file_id verb", "POST"),
    "hq.sales_failed_rows": Route("lead.import", "file_id"),
    "hq.decide_sale": Route("lead.import", "sale_id", "POST"),
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
    "hq.competences": Route("network.edit", "code"),
    "hq.save_competences": Route("network.edit", "code", "POST"),
    "hq.save_group": Route("network.edit", "code", "POST", of="group"),
    "hq.market": Route("market.edit", "code", of="market"),
    "hq.save_market": Route("market.edit", "code", "POST", of="market"),
    "hq.add_status": Route("market.edit", "market", "POST"),
    "hq.save_status": Route("market.edit", "market code", "POST", of="status"),
    "hq.arrange_rules": Route("market.edit", "code", "POST", of="market"),
    "hq.rule": Route("market.edit", "code place", of="market"),
    "hq.save_rule": Route("market.edit", "code place", "POST", of="market"),
    "hq.undo_change": Route("market.edit", "change_id", "POST"),
    "hq.mail_text": Route("text.edit", "kind market"),
    "hq.mail_text_preview": Route("text.edit", "kind market"),
    "hq.save_mail_text": Route("text.edit", "kind market", "POST"),
    "hq.choose_mail_text": Route("text.edit", "kind market", "POST"),
    "hq.test_mail_text": Route("text.edit", "kind market", "POST"),
    "hq.reply_template": Route("text.edit", "id"),
    "hq.save_reply_template": Route("text.edit", "id", "POST"),
    "hq.user": Route("user.edit", "user_id"),
    "hq.save_user": Route("user.edit", "user_id", "POST"),
    "hq.invite_user": Route("user.edit", "user_id", "POST"),
    "hq.set_user_active": Route("user.edit", "user_id", "POST"),
    "hq.new_market": Route("market.edit"),
    "hq.create_market": Route("market.edit", "", "POST"),
    "hq.new_brand": Route("market.edit"),
    "hq.create_brand": Route("market.edit", "", "POST"),
    "hq.save_brand": Route("market.edit", "code", "POST", of="brand"),
    "hq.new_model": Route("market.edit", "code", of="brand"),
    "hq.create_model": Route("market.edit", "code", "POST", of="brand"),
    "hq.save_model": Route("market.edit", "code model_code", "POST", of="brand"),
    "hq.delete_model": Route("market.edit", "code model_code", "POST", of="brand"),
}
"""Of a market, not of a lead: `names` lists what the address names."""
# What a dealer's manager sets, of the dealer that `?dealer=CODE` names.
MANAGED = {
    "desk.hours": Route("dealer.manage"),
    "desk.save_hours": Route("dealer.manage", "", "POST"),
    "desk.close_days": Route("dealer.manage", "", "POST"),
    "desk.open_days": Route("dealer.manage", "", "POST"),
    "desk.add_special_days": Route("dealer.manage", "", "POST"),
    "desk.end_special_days": Route("dealer.manage", "", "POST"),
    "desk.pause": Route("dealer.manage", "", "POST"),
    "desk.save_caps": Route("dealer.manage", "", "POST"),
    "desk.team": Route("dealer.manage"),
    "desk.set_assignment": Route("dealer.manage", "", "POST"),
    "desk.colleague": Route("dealer.manage", "user_id"),
    "desk.save_colleague": Route("dealer.manage", "user_id", "POST"),
    "desk.add_absence": Route("dealer.manage", "user_id", "POST"),
    "desk.end_absence": Route("dealer.manage", "user_id", "POST"),
    "desk.hand_over_all": Route("dealer.manage", "user_id", "POST"),
    "desk.bookable": Route("dealer.manage"),
    "desk.save_bookable": Route("dealer.manage", "", "POST"),
    "desk.figures": Route("dealer.manage"),
}
# One's own and nobody else's, however much one sees.
PERSONAL = {
    "desk.delete_view": Route("lead.work", "view_id", "POST"),
    "hq.delete_view": Route("lead.assign", "view_id", "POST"),
}
# The same of reports, where the centre reads every row; what deletes them comes last.
OWN_REPORTS = {
    "reports.saved": Route("report.read", "report_id"),
    "reports.save_question": Route("report.read", "report_id", "POST"),
    "reports.rename_saved": Route("report.read", "report_id", "POST"),
    "reports.share_saved": Route("report.read", "report_id", "POST"),
    "reports.copy_saved": Route("report.read", "report_id", "POST"),
    "reports.new_schedule": Route("report.read", "report_id"),
    "reports.add_schedule": Route("report.read", "report_id", "POST"),
    "reports.schedule": Route("report.read", "schedule_id"),
    "reports.save_schedule": Route("report.read", "schedule_id", "POST"),
    "reports.stop_schedule": Route("report.read", "schedule_id", "POST"),
    "reports.leave_schedule": Route("report.read", "schedule_id", "POST"),
    "reports.revoke_key": Route("report.read", "key_id", "POST"),
    "reports.delete_schedule": Route("report.read", "schedule_id", "POST"),
    "reports.delete_saved": Route("report.read", "report_id", "POST"),
}
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
    "taps.tap", "taps.tap_now", "taps.mute", "taps.mute_now", "portal.times",
    "portal.appointment_entry", "portal.links_ended", "portal.book", "portal.move_appointment",
    "portal.cancel_appointment", "portal.message", "portal.withdraw", "portal.take_consent_back",
    "portal.give_feedback", "portal.end_links", "api.lead_verdict", "api.contest_verdict",
    "api.list_reports", "api.answer_report",
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
    "desk.hand": {"to": "team"},
    "desk.reply": {"subject": "x", "body": "x", "language": "en"},
    "desk.verdict": {"verdict": "more"},
    "desk.ask": {"question": "x"},
    "desk.post_help": {"question": "x"},
    "desk.move_plan": {"due_at": "2026-03-09T10:00"},
    "hq.route_again": {"reason": "asked"},
    "hq.answer_question": {"answer": "x"},
    "hq.answer_verdict": {"verdict": "more", "note": "x"},
    "hq.book_appointment": {"kind": "visit", "starts_at": "2026-03-09T10:00+01:00"},
    "hq.move_appointment": {"starts_at": "2026-03-09T10:00+01:00"},
    "hq.decide_sale": {"do": "take_back"},
    # In the words of another market: those of one's own are one's own to change.
    "hq.save_model": {"market": "GULF", "aliases.GULF": "x"},
}
"""Complete enough that only the scope stands in the way."""


@pytest.fixture
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


def test_every_route_is_in_the_tables_of_this_test(app: Flask) -> None:
    tables = (ROUTES, SETTINGS, MANAGED, PERSONAL, OWN_REPORTS, ABOUT_ONESELF, OPEN_TO_ALL)
    assert set(app.view_functions) == {endpoint for table in tables for endpoint in table}
    assert len(app.view_functions) == sum(len(table) for table in tables)
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
        "lead_id file_id": parts.files, "thread_id": parts.threads, "verdict_id": parts.verdicts,
        "lead_id plan_id": {w: (parts.leads[w], parts.plans[w]) for w in LEADS},
        "lead_id verdict_id": {w: (parts.leads[w], parts.verdicts[w]) for w in LEADS},
        "code": {"": "aurel"}, "code model_code": {"": ("aurel", "mira")},
        "name": {"": "agent"}, "hq.work_queue": {"": "unrouted"},
    }  # fmt: skip
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    found: dict[str, list[tuple[str, str]]] = {}
    for endpoint, route in ROUTES.items():
        names = route.names.split()
        # A queue and a file have their name in the address besides.
        assert rules[endpoint].arguments | {"name"} == {*names, "name"}, endpoint
        assert route.method in (rules[endpoint].methods or ()), endpoint
        with app.test_request_context():
            for whose, id in named.get(endpoint, named[route.names]).items():
                ids = id if isinstance(id, tuple) else (id,)
                address = app.url_for(endpoint, **dict(zip(names, ids, strict=False)))
                found.setdefault(endpoint, []).append((whose, address))
    return found


def fingerprint(session: Session) -> list[Any]:
    """All that an action could change."""
    session.rollback()
    found: list[Any] = []
    for model in (
        Lead, Offer, Event, PlannedAction, Outcome, Message, DealerLoad, Reply, Verdict, HelpThread,
        HelpPost, SlotUse, Contest,
    ):  # fmt: skip
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


def is_seen(name: str, route: Route, whose: str) -> bool:
    if name in OF_ONE_BRAND and route.names in SHARED_BY_BRANDS:
        return False
    return whose in SEEN[name] | (ASKED.get(name, set()) if route.names == "thread_id" else set())


def hidden(name: str, whose: str, traces: list[str]) -> list[str]:
    """What `name` may not read of a lead out of sight. Its number stays with whoever had it, or is
    asked about it."""
    return traces[2:] if whose in HAD[name] | ASKED.get(name, set()) else traces


def test_no_route_shows_or_moves_what_is_not_ones_own(
    app: Flask, session: Session, cast: dict[str, User], parts: Parts, mails: dict[str, str],
    morning: Any, login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    clients = {name: login(app.test_client(), cast[name]) for name in PEOPLE}
    session.execute(delete(Outcome))  # None of them is closed: each may still be worked on.
    session.commit()
    routes = addresses(app, parts, mails)
    given_away = {whose: traces(parts, session, whose) for whose in LEADS}
    before = fingerprint(session)
    allowed = []
    for endpoint, route in ROUTES.items():
        asked = ask(app.test_client(), endpoint, routes[endpoint][0][1])
        assert asked.status_code == 302, (endpoint, "anonymous")
        assert "/login" in asked.location
        for name, client in clients.items():
            if not set(route.permission.split()) <= PERMISSIONS[name]:
                refused = ask(client, endpoint, routes[endpoint][0][1])
                assert refused.status_code == 403, (endpoint, name)
                continue
            for whose, address in routes[endpoint]:
                if not whose or is_seen(name, route, whose):
                    allowed.append((endpoint, name, whose, address))
                    continue
                answer = ask(client, endpoint, address)
                stub = endpoint == "desk.lead" and whose in HAD[name]
                assert answer.status_code == (ONCE_HAD if stub else 404), (endpoint, name, whose)
                # The id itself stands in the address.
                leaked = [t for t in hidden(name, whose, given_away[whose])[1:] if t in answer.text]
                assert not leaked, (endpoint, name, whose)
    for name, address, form in lists_of_others(parts, cast):
        clients[name].post(address, data=form)
    assert fingerprint(session) == before

    # Reading first: what is acted on later may pass to somebody else.
    allowed.sort(key=lambda each: ROUTES[each[0]].method)
    shown: dict[str, set[str]] = {name: set() for name in PEOPLE}
    for endpoint, name, whose, address in allowed:
        if ROUTES[endpoint].method == "POST" and name not in ACTING:
            continue
        answer = ask(clients[name], endpoint, address)
        if ROUTES[endpoint].method == "GET":
            expected = WHOLE_MARKETS_ONLY.get((name, endpoint), 200)
            assert answer.status_code == expected, (endpoint, name, whose)
        elif whose in SEEN[name]:
            assert answer.status_code in {200, 302, 303, 404, 422}, (endpoint, name, whose)
        for other in set(LEADS) - SEEN[name]:
            leaked = [t for t in hidden(name, other, given_away[other]) if t in answer.text]
            assert not leaked, (endpoint, name, other, leaked)
        if ROUTES[endpoint].method == "GET" and not whose:
            shown[name] |= {own for own in LEADS if given_away[own][2] in answer.text}
    # The lists were not simply empty; an expert reads questions, and of no lead whose it is.
    assert shown == {**SEEN, "eva": set()}


ACTING = ("anna", "hana", "omar")
"""Of those who may, some do: whoever comes later finds what they made of it."""
WHOLE_MARKETS_ONLY = {
    ("bruno", "hq.mail_texts"): 403, ("bruno", "hq.rules"): 404, ("bruno", "reports.plan"): 404,
}  # fmt: skip
"""Rooms of settings that have nothing in them for whoever looks after one brand."""


def lists_of_others(
    parts: Parts, cast: dict[str, User]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Forms that name several leads, filled with leads that aren't the sender's."""
    for name in ("anna", "carla", "gita", "adam"):
        others = [str(id) for whose, id in parts.leads.items() if whose not in SEEN[name]]
        yield name, "/desk/bulk", {"act": "lost", "reason": "price", "lead": others}
        yield name, "/desk/bulk", {"act": "rest", "until": "2026-04-01", "lead": others}
        yield name, "/desk/bulk", {"act": "reopen", "lead": others}
        yield name, "/desk/bulk", {"act": "hand", "to": cast[name].id, "lead": others}
    for name in ("hana", "bruno", "cem"):
        others = [str(id) for whose, id in parts.leads.items() if whose not in SEEN[name]]
        to = {"dealer": "PL-WAW-2", "reason": "asked", "lead": others}
        yield name, "/hq/queues/unrouted", to
        yield name, "/hq/queues/unrouted", {"do": "anew", "reason": "asked", "lead": others}
    # One's own lead, to somebody or a dealer of another scope.
    own = str(parts.leads["at_first"])
    yield "anna", "/desk/bulk", {"act": "hand", "to": cast["carla"].id, "lead": own}
    yield "anna", f"/desk/leads/{own}/hand", {"to": cast["carla"].id}
    yield "hana", "/hq/queues/unrouted", {"dealer": "SA-RUH-1", "reason": "asked", "lead": own}
    yield "hana", f"/hq/leads/{own}/assign", {"dealer": "SA-RUH-1", "reason": "asked"}
    # An id of one's own before one of somebody else.
    yield "hana", f"/hq/leads/{own}/appointments/{parts.plans['gulf']}/cancel", {}
    yield "hana", f"/hq/leads/{own}/verdicts/{parts.verdicts['gulf']}/contest", {"note": "x"}


def test_a_manager_sets_what_is_their_own_dealers(
    app: Flask, session: Session, cast: dict[str, User], world: World, morning: Any,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    """MANAGED × everybody × own dealer, another one, one of another market, and none there is."""
    clients = {name: login(app.test_client(), cast[name]) for name in PEOPLE}
    people = {"PL-WAW-1": "anna", "PL-WAW-2": "carla", "SA-RUH-1": "eva"}
    before = settings_of(session)

    def asked(name: str, endpoint: str, code: str, person: str) -> int:
        route = MANAGED[endpoint]
        named: dict[str, Any] = {"user_id": cast[person].id} if route.names else {}
        with app.test_request_context():
            address = app.url_for(endpoint, dealer=code, **named)
        return clients[name].open(address, method=route.method).status_code

    for endpoint, route in MANAGED.items():
        for name in PEOPLE:
            if route.permission not in PERMISSIONS[name]:
                assert asked(name, endpoint, "PL-WAW-1", "anna") == 403, (endpoint, name)
                continue
            own = DEALERS.get(name, set())
            for code in ("PL-WAW-1", "PL-WAW-2", "SA-RUH-1", "AE-DXB-1", "XX"):
                if code not in own:
                    answer = asked(name, endpoint, code, people.get(code, "anna"))
                    assert answer == 404, (endpoint, name, code)
                    if own and route.names:
                        there = sorted(own)[0]
                        assert asked(name, endpoint, there, "hana") == 404, (endpoint, name)
                elif route.method == "GET" and people[code] != "eva":
                    assert asked(name, endpoint, code, people[code]) == 200, (endpoint, name, code)
    assert settings_of(session) == before


def test_a_view_is_its_owners_alone(
    app: Flask, session: Session, cast: dict[str, User], parts: Parts,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    clients = {name: login(app.test_client(), cast[name]) for name in PEOPLE}
    desk_views = {
        name: SavedView(user_id=user.id, room="desk", name="Mine", filters={}, created_at=FRIDAY)
        for name, user in cast.items()
    }
    session.add_all(desk_views.values())
    session.commit()
    views = {
        "desk.delete_view": {name: view.id for name, view in desk_views.items()},
        "hq.delete_view": parts.views,
    }
    for endpoint, route in PERSONAL.items():
        for name, client in clients.items():
            # Their own last: it is gone then.
            for owner in [*(each for each in PEOPLE if each != name), name]:
                with app.test_request_context():
                    address = app.url_for(endpoint, view_id=views[endpoint][owner])
                if route.permission not in PERMISSIONS[name]:
                    assert client.post(address).status_code == 403, (endpoint, name)
                    break
                expected = 302 if owner == name else 404
                assert client.post(address).status_code == expected, (endpoint, name, owner)


def test_what_is_kept_of_reports_is_its_owners_alone(
    app: Flask, session: Session, cast: dict[str, User], parts: Parts, morning: Any,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    ids = {"report_id": parts.reports, "schedule_id": parts.schedules, "key_id": parts.keys}
    clients = {name: login(app.test_client(), cast[name]) for name in ("anna", *KEEPERS)}

    def asked(name: str, endpoint: str, owner: str) -> int:
        route = OWN_REPORTS[endpoint]
        with app.test_request_context():
            address = app.url_for(endpoint, **{route.names: ids[route.names][owner]})
        return clients[name].open(address, method=route.method).status_code

    before = settings_of(session)
    for endpoint in OWN_REPORTS:
        assert asked("anna", endpoint, "anna") == 403, endpoint
        for name in KEEPERS:
            for owner in KEEPERS:
                if owner != name:
                    assert asked(name, endpoint, owner) == 404, (endpoint, name, owner)
    assert settings_of(session) == before
    for endpoint in OWN_REPORTS:
        for name in KEEPERS:
            assert asked(name, endpoint, name) in {200, 302, 422}, (endpoint, name)


KEEPERS = ("bert", "hana", "omar")


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
    sold = keep_upload(
        session, [b"sold on;name\n2026-03-01;Secret\n"], "Secret.csv", market_id=gulf, at=FRIDAY,
        actor=SYSTEM, most_bytes=1000,
    )  # fmt: skip
    sales_file = sales.draft_of(session, sold, at=FRIDAY, actor=SYSTEM)
    sale = Sale(
        file_id=sales_file.id, row=1, market_id=gulf, key="x", sold_on=FRIDAY.date(),
        full_name="Secret", state="proposed",
    )  # fmt: skip
    session.add(sale)
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
        "file_id": sales_file.id,
        "sale_id": sale.id,
    }
    secret_group = DealerGroup(code="secret-group", name="Secret")
    template = ReplyTemplate(market_id=gulf, name="Secret", texts={"en": {"body": "Secret"}})
    status = MarketStatus(
        market_id=gulf, code="secret", status="accepted", names={"en": "Secret"}
    )  # fmt: skip
    rule = Rule(market_id=gulf, position=0, name="Secret", when=[], then={"points": 1})
    words = MailText(
        kind="customer_received", market_id=gulf,
        draft={"fallback": "en", "languages": {"en": {"subject": "Secret"}}},
    )  # fmt: skip
    change = SettingChange(
        at=FRIDAY, kind="dealer", subject="SA-RUH-1", before={"name": "Secret"},
        after={"name": "x"},
    )  # fmt: skip
    session.add_all([secret_group, template, status, rule, words, change])
    session.flush()
    session.get_one(Dealer, world.dealers["AE-DXB-1"]).group_id = secret_group.id
    person = create_user(
        session, "secret@lmt.example", "Secret", None, ["agent"], [Scope(market_id=gulf)]
    )
    session.commit()
    named |= {
        "place": "0", "kind": "customer_received", "id": template.id, "user_id": person.id,
        "change_id": change.id, "model_code": "mira",
    }  # fmt: skip
    codes: dict[str, dict[str, Any]] = {
        "dealer": {"code": "SA-RUH-1"}, "source": {"code": "json-gulf"},
        "campaign": {"code": "secret"}, "intake": {"job_id": intake.id},
        "mailbox": {"code": "mail-gulf"}, "form": {"code": "secret-form"},
        "market": {"code": "GULF"}, "status": {"code": "secret"}, "brand": {"code": "aurel"},
        "group": {"code": "secret-group"},
    }  # fmt: skip
    people = ("anna", "hana", "bruno", "omar")
    clients = {name: login(app.test_client(), cast[name]) for name in people}
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

        form = FORMS.get(endpoint, {})

        def asked(
            client: FlaskClient, address: str = addresses[endpoint], post: bool = post,
            form: dict[str, str] = form,
        ) -> Any:  # fmt: skip
            return client.post(address, data=form) if post else client.get(address)

        assert asked(app.test_client()).status_code == 302, endpoint
        assert asked(clients["anna"]).status_code == 403, endpoint
        for name in ("hana", "bruno"):
            refused = asked(clients[name])
            assert refused.status_code == 404, (endpoint, name)
            assert "Secret" not in refused.text
        if not post and route.names != "job_id what":
            assert asked(clients["omar"]).status_code == 200, endpoint
    assert settings_of(session) == before
    with app.test_request_context():
        lists = [app.url_for(endpoint, market="GULF") for endpoint in LISTS_OF_SETTINGS]
    for address in lists:
        for name in ("hana", "bruno"):
            assert "Secret" not in clients[name].get(address).text, (address, name)
        assert "Secret" in clients["omar"].get(address).text, address


LISTS_OF_SETTINGS = (
    "hq.groups", "hq.reply_templates", "hq.statuses", "hq.rules", "hq.users", "hq.history",
    "hq.campaigns", "hq.sources", "hq.forms", "hq.custom_fields", "hq.sales", "hq.sale_queue",
)  # fmt: skip


def test_who_looks_after_one_brand_changes_nothing_of_the_market(
    app: Flask, session: Session, cast: dict[str, User], world: World,
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    # Only what speaks JSON has a mapping.
    unlike_others = {"hq.source_mapping"}
    named: dict[str, Any] = {
        "market": "PL", "kind": "customer_received", "user_id": cast["anna"].id, "place": "new",
    }  # fmt: skip
    codes = {"dealer": "PL-WAW-1", "market": "PL", "source": "api-pl", "form": "contact-pl"}
    clients = {name: login(app.test_client(), cast[name]) for name in ("bruno", "hana")}
    before = settings_of(session)
    counted = 0
    for endpoint, route in SETTINGS.items():
        names = set(route.names.split())
        known = {*named, "code"} if route.of in codes else {*named}
        if not names or not names <= known:
            continue
        values = {**named, "code": codes.get(route.of, "")}
        with app.test_request_context():
            address = app.url_for(endpoint, **{name: values[name] for name in names})
        answer = clients["bruno"].open(address, method=route.method)
        may_read = endpoint == "hq.dealer"
        assert answer.status_code == (200 if may_read else 404), endpoint
        if route.method == "GET" and endpoint not in unlike_others:
            assert clients["hana"].get(address).status_code == 200, endpoint
        counted += 1
    assert counted > 50
    assert settings_of(session) == before


def settings_of(session: Session) -> list[Any]:
    """All that is set for markets."""
    session.rollback()
    act_as(session, SYSTEM)
    found: list[Any] = []
    for model in (
        PolicyDraft, RoutingPolicy, SpecialHours, Job, DealerTerms, Closure, Absence, Handover,
        Source, Campaign, DealerSystem, ConsentText, Suppression, Form, CustomField, Market,
        MarketStatus, Rule, Brand, VehicleModel, MailText, ReplyTemplate, Competence, SlotTerms,
        DealerGroup, Role, User, UserScope, SettingChange, Target, ExchangeRate, SalesFile, Sale,
        SavedReport, ReportSchedule, ReportKey,
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

PAGES = ("desk", "exports", "hq", "portal", "reportpages", "reports", "sales")
PASSING_BY = {"__table__", "exec_driver_sql", "connection", "get_bind", "as_system", "SYSTEM"}
MAY_PASS_BY = {
    # A dealer's counts, and medians of a market, of the dealer that the page has checked.
    ("reports/ownfigures.py", "__table__"),
    ("reports/ownfigures.py", "get_bind"),
    # The operator at the command line, who may name whom to ask as.
    ("hq/dealercommand.py", "SYSTEM"),
    ("reports/command.py", "SYSTEM"),
    ("reports/showcommand.py", "SYSTEM"),
    ("sales/terminal.py", "SYSTEM"),
    # The worker: facts are made of all leads, and mailed to each reader as that reader.
    ("reports/refresh.py", "SYSTEM"),
    ("reports/refresh.py", "as_system"),
    ("reports/refresh.py", "connection"),
    ("reports/refresh.py", "text"),
    ("reports/rollups.py", "SYSTEM"),
    ("reports/rollups.py", "text"),
    ("reports/checking.py", "text"),
    ("reports/mailing.py", "SYSTEM"),
    ("sales/claims.py", "text"),
    # A lead behind a number in sight, in columns that tell of nobody; what a currency is worth; a
    # counter of the facts, and the index of what is searched, both asked of rows in sight.
    ("reports/drill.py", "__table__"),
    ("reports/money.py", "__table__"),
    ("reports/enrich/coverage.py", "__table__"),
    ("reports/summing.py", "literal_column"),
    ("sales/finding.py", "literal_column"),
    # Opened by a signed link, without an account: it names its one lead, and reads only that.
    ("portal/routes.py", "SYSTEM"),
    ("portal/places.py", "SYSTEM"),
    ("portal/stop.py", "SYSTEM"),
    ("portal/confirm.py", "SYSTEM"),
    ("portal/page.py", "SYSTEM"),
    ("portal/acting.py", "SYSTEM"),
    ("portal/appointing.py", "SYSTEM"),
    # Plans and offers of leads in sight, tied to the dealer that has each.
    ("desk/inboxrows.py", "__table__"),
    ("desk/inboxconditions.py", "__table__"),
    # What the lead of a question in sight is about, in columns that tell of nobody.
    ("hq/questions.py", "__table__"),
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
