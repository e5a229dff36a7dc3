"""A busy morning in the small world: leads in every state, and a row of every page's kind."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import routing

from lmt import closing, helping, mailtexts, pipeline, replies, reportkeys, resting, verdicts
from lmt import links as signed
from lmt.config import Settings
from lmt.db import SessionFactory, uuid7
from lmt.followup import service as following
from lmt.imports.service import begin_import
from lmt.imports.uploads import keep_upload
from lmt.models import (
    Campaign,
    Closure,
    Consent,
    ConsentText,
    Contest,
    CustomField,
    DealerGroup,
    DealerSystem,
    Feedback,
    Handover,
    HelpThread,
    Inquiry,
    Intake,
    Job,
    Lead,
    MarketStatus,
    Message,
    PlannedAction,
    PolicyDraft,
    ReplyTemplate,
    ReportSchedule,
    RoutingDecision,
    SalesFile,
    SavedReport,
    SavedView,
    SlotTerms,
    Source,
    SourceAlert,
    SourceRefusal,
    SpecialHours,
    Suppression,
    Territory,
    User,
)
from lmt.models.validity import since
from lmt.notify import mutes, outbox
from lmt.notify.mailbox import list_mails, read_mail
from lmt.notify.mails import KINDS
from lmt.reports.refresh import refresh
from lmt.sales import service as sales
from lmt.scope import SYSTEM, actor_of
from tests.pseudolocale import LOCALE
from tests.salesfiles import brought
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

NINE = FRIDAY + timedelta(hours=1, minutes=5)
"""9:05 in Warsaw, while the offers of Friday morning run."""
NOTE = "Ąęść źżółć 7"
"""What people wrote, without a word in plain letters."""
STATES = (
    "offered", "accepted", "planned", "resting", "won", "lost", "declined", "unlocated", "gulf",
)  # fmt: skip
FIELD = {"key": "field7", "type": "text", "label": {"en": NOTE}}
GULF = {"address": {"city": "الرياض", "country": "SA"}}
NOWHERE = {"address": {"city": "Źżć 99", "country": "PL"}}


@dataclass
class Town:
    """The world on a busy morning: `arguments` of the routes by their name."""

    leads: dict[str, Lead]
    arguments: dict[str, list[Any]]
    of: dict[str, dict[str, list[Any]]]
    """Endpoint → its own values."""

    def addresses(self, app: Flask, rule: routing.Rule, language: str = LOCALE) -> list[str]:
        """One address for each value of the first name that has several."""
        own = {**self.arguments, **self.of.get(rule.endpoint, {})}
        names = rule.arguments - set(rule.defaults or ())
        count = max([len(own[name]) for name in names], default=1)
        with app.test_request_context():
            return [
                app.url_for(
                    rule.endpoint,
                    lang=language,
                    **{n: own[n][min(i, len(own[n]) - 1)] for n in names},
                )
                for i in range(count)
            ]


@dataclass
class Morning:
    sessions: SessionFactory
    session: Session
    settings: Settings
    world: World
    cast: dict[str, User]
    of: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def town(self) -> Town:
        leads = {state: self._lead(state) for state in STATES}
        self.session.expire_all()
        self._work(leads)
        self._desk(leads)
        arguments = self._headquarters(leads)
        self.session.commit()
        outbox.send_due(self.sessions, self.settings, NINE)
        self.session.expire_all()
        mails = list_mails(self.settings)
        taps = self._taps([each.id for each in mails])
        arguments["mail_id"] = [each.id for each in mails[:1]]
        statuses = [
            signed.status_token(self.settings.secret_key, lead.id, NINE) for lead in leads.values()
        ]
        thanks = {"code": ["contact-pl"], "token": [uuid.uuid4().hex]}
        secret, lead_id = self.settings.secret_key, leads["offered"].id
        return Town(
            leads,
            arguments,
            {
                **self._codes(),
                **self.of,
                "portal.status": {"token": [*statuses, "forged"]},
                "portal.times": {"token": statuses[:3]},
                "portal.confirm": {
                    "token": [signed.confirm_token(secret, lead_id, NINE), "forged"]
                },
                "portal.stop": {"token": [signed.stop_token(secret, lead_id, NINE), "forged"]},
                "taps.tap": {"token": [*taps, "forged"]},
                "taps.mute": {"token": [mutes.mute_token(secret, self._digest()), "forged"]},
                **dict.fromkeys(("embed.thanks", "embed.frame_thanks"), thanks),
            },
        )

    def _codes(self) -> dict[str, dict[str, list[Any]]]:
        """What a `code` in an address is one of."""
        kinds = {
            "PL-WAW-1": ("dealer", "edit_dealer", "dealer_end", "dealer_system", "competences"),
            "contact-pl": ("form", "build_form", "form_texts", "preview_form"),
            "api-pl": ("source", "edit_source", "source_test"),
            "json-pl": ("source_mapping",),
            "mail-pl": ("source_mails",), "camp-7": ("campaign",), "PL": ("market",),
            "aurel": ("brand", "model", "new_model"),
        }  # fmt: skip
        found = {f"hq.{name}": {"code": [code]} for code, names in kinds.items() for name in names}
        found["hq.source"] = {"code": ["api-pl", "adf-pl", "form-pl", "json-pl", "mail-pl"]}
        found["hq.edit_source"] = found["hq.source"]
        found["hq.rule"] = {"code": ["PL"], "place": ["0", "new"]}
        return found

    def _taps(self, ids: list[str]) -> list[str]:
        """The one-tap links of mails."""
        found = []
        for id in ids:
            mail = read_mail(self.settings, id)
            body = mail.get_body(("html",)) if mail is not None else None
            if body is not None:
                found += re.findall(r"/t/([\w-]{20,})", body.get_content())
        return found

    def _digest(self) -> uuid.UUID:
        """A mail that its reader may end."""
        digest = Message(
            cause="digest", kind="dealer_digest", audience="dealer", created_at=NINE, status="sent",
            market_id=self.world.markets["PL"], recipient="d@dealers.example", language="pl",
            timezone="Europe/Warsaw", next_attempt_at=NINE,
        )  # fmt: skip
        self.session.add(digest)
        self.session.commit()
        return digest.id

    def _lead(self, state: str) -> Lead:
        source = "api-gulf" if state == "gulf" else "api-pl"
        data = warsaw_lead(**somebody()) | {
            "consents": [{"purpose": "contact", "given": True}],
            **{"gulf": GULF, "unlocated": NOWHERE}.get(state, {}),
        }
        data["request"]["comments"] = NOTE
        lead = send(self.session, source, data, FRIDAY)
        pipeline.advance(self.sessions, lead.id, FRIDAY)
        return lead

    def _work(self, leads: dict[str, Lead]) -> None:
        session, anna = self.session, actor_of(self.cast["anna"])
        pipeline.decline(session, leads["declined"].id, reason="no_capacity", at=NINE, actor=anna)
        for state in ("accepted", "planned", "resting", "won", "lost"):
            pipeline.accept(session, leads[state].id, at=NINE, actor=anna)
        for state in ("planned", "resting", "won", "lost"):
            following.contacted(
                session, leads[state].id, how="phone", result="reached", note=NOTE, at=NINE,
                actor=anna,
            )  # fmt: skip
        for kind in ("call", "test_drive"):
            following.plan(
                session, leads["planned"].id, kind=kind, due_at=NINE + timedelta(days=3),
                note=NOTE, at=NINE, actor=anna,
            )  # fmt: skip
        resting.rest(
            session, leads["resting"].id, until=NINE + timedelta(days=9), note=NOTE, at=NINE,
            actor=anna,
        )  # fmt: skip
        closing.won(session, leads["won"].id, at=NINE, actor=anna)
        closing.lost(session, leads["lost"].id, reason="price", note=NOTE, at=NINE, actor=anna)
        following.add_note(session, leads["accepted"].id, text=NOTE, at=NINE, actor=anna)

    def _desk(self, leads: dict[str, Lead]) -> None:
        session, lead = self.session, leads["accepted"]
        anna, dealer_id = actor_of(self.cast["anna"]), self.world.dealers["PL-WAW-1"]
        session.add_all(
            [
                SlotTerms(dealer_id=dealer_id, kind="test_drive"),
                ReplyTemplate(name=NOTE, texts={"pl": {"subject": NOTE, "body": NOTE}}),
                ReplyTemplate(name=NOTE, kind="snippet", texts={"pl": {"body": NOTE}}),
                MarketStatus(
                    market_id=self.world.markets["PL"], code="bank", status="accepted",
                    names={"pl": NOTE, "en": NOTE},
                ),
            ]
        )  # fmt: skip
        session.add_all(
            SavedView(user_id=user.id, room=room, name=NOTE, filters={}, created_at=NINE)
            for user in self.cast.values()
            for room in ("desk", "console")
        )
        session.commit()
        helping.ask(session, lead.id, text=NOTE, at=NINE, actor=anna)
        replies.send_reply(
            session, lead.id, subject=NOTE, body=NOTE, language="pl", template_id=None, at=NINE,
            actor=anna,
        )  # fmt: skip
        verdicts.give(session, lead.id, verdict="partly", note=NOTE, at=NINE, actor=anna)
        won = session.get_one(Lead, leads["won"].id)
        assert won.dealer_id is not None
        session.add(Feedback(lead_id=won.id, dealer_id=won.dealer_id, at=NINE, score=4))
        session.add(Consent(lead_id=leads["offered"].id, purpose="marketing", given=True, at=NINE,
                            to_confirm=True))  # fmt: skip
        declined = session.scalars(
            select(RoutingDecision.id).where(RoutingDecision.lead_id == lead.id)
        ).first()
        session.add_all(
            [
                Contest(decision_id=declined, lead_id=lead.id, dealer_id=dealer_id, at=NINE,
                        note=NOTE),
                Inquiry(lead_id=lead.id, source_id=lead.source_id, at=NINE),
            ]
        )  # fmt: skip

    def _headquarters(self, leads: dict[str, Lead]) -> dict[str, list[Any]]:
        session, world = self.session, self.world
        market_id, dealer_id = world.markets["PL"], world.dealers["PL-WAW-1"]
        day = FRIDAY.isoformat()
        draft = PolicyDraft(
            market_id=market_id, name=NOTE, settings={}, created_at=FRIDAY, changed_at=FRIDAY
        )
        replay = Job(kind="replay", market_id=market_id, arguments={}, created_at=FRIDAY)
        intakes = Job(
            kind="replay_intake", market_id=market_id, created_at=FRIDAY,
            arguments={"source_id": world.sources["api-pl"], "code": "", "until": day},
        )  # fmt: skip
        json = Source(code="json-pl", kind="json", name=NOTE, market_id=market_id, country="PL")
        mailbox = Source(
            code="mail-pl", kind="mailbox", name=NOTE, market_id=market_id, country="PL",
            settings={"host": "localhost", "user": "leads"},
        )  # fmt: skip
        own = CustomField(market_id=market_id, key="field7", definition=FIELD)
        campaign = Campaign(
            code="camp-7", market_id=market_id, name=NOTE, utm_campaign="u7", starts_on=FRIDAY
        )
        group = DealerGroup(code="group-7", name=NOTE)
        session.add_all([draft, replay, intakes, json, mailbox, own, campaign, group])
        problems = ("no_json", "mapping", "wrong_key", "invalid")
        broken = [
            Intake(
                id=uuid7(FRIDAY), source_id=world.sources["api-pl"], received_at=FRIDAY,
                body=b"{}", body_hash=b"x", status="quarantined",
                problem={"code": problem, "errors": []},
            )
            for problem in problems
        ]  # fmt: skip
        session.add_all(broken)
        session.add_all(
            [
                SourceAlert(source_id=world.sources["api-pl"], kind="silent", began_at=FRIDAY),
                SourceRefusal(
                    source_id=world.sources["api-pl"], hour=FRIDAY, code="wrong_key", last_at=FRIDAY
                ),
                Closure(dealer_id=dealer_id, starts_on=date(2026, 8, 1), ends_on=date(2026, 8, 2),
                        valid=since(None)),
                Territory(dealer_id=dealer_id, postcodes=["99-9"], valid=since(None)),
                DealerSystem(dealer_id=dealer_id, transport="mail", address="crm@example.com",
                             created_at=FRIDAY),
                Handover(dealer_id=world.dealers["PL-WAW-2"], at=NINE + timedelta(days=9),
                         reason="moves", created_at=FRIDAY),
                SpecialHours(market_id=market_id, country="PL", starts_on=date(2026, 12, 24),
                             ends_on=date(2026, 12, 24), hours="off", name=NOTE,
                             valid=since(None)),
                Suppression(kind="phone", value="+48600000001", origin="list", created_at=FRIDAY),
                ConsentText(market_id=market_id, purpose="contact", version="7", language="pl",
                            text=NOTE, hash="x", created_at=FRIDAY),
            ]
        )  # fmt: skip
        session.flush()
        replay.arguments = {"draft": draft.id, "from": day, "to": day}
        file = keep_upload(
            session, [b"code;name\nPL-WAW-9;7\n"], "7.csv", market_id=market_id, at=FRIDAY,
            actor=SYSTEM, most_bytes=1000,
        )  # fmt: skip
        run = begin_import(session, json, file, at=FRIDAY, actor=SYSTEM)
        session.commit()
        tested = send(session, "json-pl", warsaw_lead(**somebody()) | {"test": True}, FRIDAY)
        pipeline.advance(self.sessions, tested.id, FRIDAY)
        session.expire_all()
        texts = {"fallback": "pl", "languages": {"pl": {"subject": NOTE}}}
        omar = actor_of(self.cast["omar"])
        mailtexts.save_draft(session, KINDS[0], None, texts, NINE, omar)
        mailtexts.publish(session, KINDS[0], None, NOTE, NINE, omar)
        thread = session.scalars(select(HelpThread)).one()
        schedule = self._reports()
        sold = self._sales()
        self.of["hq.replayed_deliveries"] = {"job_id": [intakes.id]}
        self.of["hq.source_test_lead"] = {"code": ["json-pl"], "lead_id": [tested.id]}
        template = session.scalars(select(ReplyTemplate)).first()
        assert template is not None
        return {
            "lead_id": [lead.id for lead in leads.values()],
            "plan_id": [session.scalars(select(PlannedAction.id)).first()],
            "intake_id": [each.id for each in broken],
            "customer_id": [leads["planned"].customer_id],
            "market": ["PL"], "draft_id": [draft.id], "job_id": [replay.id],
            "import_id": [run.id], "code": ["contact-pl"], "upload_id": [file.id],
            "field_id": [own.id],
            "user_id": [self.cast["anna"].id], "thread_id": [thread.id], "id": [template.id],
            "report_id": [schedule.report_id], "schedule_id": [schedule.id],
            "file_id": [each.id for each in sold],
            "name": ["manager"], "kind": [KINDS[0]], "model_code": ["mira"],
        }  # fmt: skip

    def _reports(self) -> ReportSchedule:
        """Omar's, which is mailed; the facts of all leads; a key of his programs."""
        session, omar = self.session, self.cast["omar"]
        report = SavedReport(
            user_id=omar.id, name=NOTE, created_at=NINE, changed_at=NINE, shared="all",
            address={"rows": "dealer", "columns": "channel", "figures": "leads,conversion"},
        )  # fmt: skip
        session.add(report)
        session.flush()
        schedule = ReportSchedule(
            report_id=report.id, user_id=omar.id, every="week", minute=480, timezone="UTC",
            recipients=[omar.id], next_at=NINE + timedelta(days=3), created_at=NINE,
        )  # fmt: skip
        session.add(schedule)
        session.commit()
        reportkeys.make_key(session, NOTE, 30, at=NINE, actor=actor_of(omar))
        refresh(self.sessions, NINE)
        return schedule

    def _sales(self) -> list[SalesFile]:
        """One that waits for its columns, one that was matched."""
        found = []
        for number, start in ((1, False), (2, True)):
            content = f"Verkaufsdatum;Telefon\n2026-03-0{number};7\n".encode()
            file = brought(self.session, self.world, content)
            if start:
                sales.start(self.session, file, NINE, SYSTEM)
            found.append(file)
        return found
