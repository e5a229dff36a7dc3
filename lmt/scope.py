"""Who may see what: every session acts for somebody, and sees that somebody's part of the world.

The part is applied to each ORM statement by the session itself, joins, counts, lazy loads, updates
and deletes included, so that no page can forget it; a session that acts for nobody refuses to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, event, false, func, or_, select
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.orm.interfaces import CriteriaOption

from lmt.models import (
    CallRecord,
    Closure,
    Competence,
    Consent,
    Contest,
    Customer,
    CustomerKey,
    CustomerMove,
    Dealer,
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
    Lead,
    LeadFact,
    MailboxState,
    MailRead,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    Reply,
    ReportKey,
    ReportSchedule,
    Retrieval,
    RoutingDecision,
    Sale,
    SalesFile,
    SavedReport,
    SavedView,
    ShareFact,
    ShareMonth,
    SlotTerms,
    SlotUse,
    Source,
    SourceAlert,
    SourceRefusal,
    SpecialHours,
    Suppression,
    Tap,
    Target,
    Territory,
    Upload,
    UploadPart,
    User,
    UserScope,
    Verdict,
)
from lmt.models.message import SCHEDULED_REPORT


class NoActor(RuntimeError):
    """A statement was run on a session that acts for nobody."""


@dataclass(frozen=True, slots=True)
class Part:
    """A market or a dealer, narrowed to a brand where one is given."""

    market_id: int | None = None
    dealer_id: int | None = None
    brand_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, or the system, with what they may do and the parts they see.

    A part with neither market nor dealer is everything (of its brand).
    """

    user_id: int | None
    permissions: frozenset[str]
    parts: tuple[Part, ...] = ()

    def may(self, permission: str) -> bool:
        return permission in self.permissions or EVERYTHING in self.permissions

    @property
    def everywhere(self) -> bool:
        return EVERYTHING in self.permissions or Part() in self.parts

    def whole_markets(self, permission: str) -> frozenset[int] | None:
        """Ids of the markets in which the actor may do that, for all brands; None for all."""
        if not self.may(permission):
            return frozenset()
        if self.everywhere:
            return None
        whole = [part for part in self.parts if part.dealer_id is None and part.brand_id is None]
        return frozenset(part.market_id for part in whole if part.market_id is not None)

    @property
    def dealers(self) -> frozenset[int]:
        return frozenset(p.dealer_id for p in self.parts if p.dealer_id is not None)

    @property
    def markets(self) -> frozenset[int]:
        return frozenset(p.market_id for p in self.parts if p.market_id is not None)


EVERYTHING = "*"
"""The permission that only the system holds."""

SYSTEM = Actor(user_id=None, permissions=frozenset({EVERYTHING}))
"""The worker, machines that deliver leads, and commands of the operator."""

NOBODY = Actor(user_id=None, permissions=frozenset())
"""A visitor: sees no scoped row at all."""


def actor_of(user: User) -> Actor:
    """The actor that a logged-in user is; nobody's, where the account is no longer active."""
    if not user.active:
        return NOBODY
    return Actor(
        user_id=user.id,
        permissions=frozenset(p for role in user.roles for p in role.permissions),
        parts=tuple(part for scope in user.scopes for part in _parts(scope)),
    )


def _parts(scope: UserScope) -> tuple[Part, ...]:
    """A group is its dealers of today."""
    if scope.group is None:
        return (Part(scope.market_id, scope.dealer_id, scope.brand_id),)
    return tuple(Part(dealer_id=id, brand_id=scope.brand_id) for id in scope.group.dealer_ids)


def act_as(session: Session, actor: Actor) -> Session:
    """From now on `session` acts for `actor`. Rows of an earlier actor are forgotten."""
    if session.info.get("actor") not in {None, actor}:
        session.expunge_all()
    session.info["actor"] = actor
    return session


@contextmanager
def as_system(session: Session) -> Iterator[None]:
    """For a step that must see the whole market whoever began it, such as routing a lead that a
    dealer declined. What it loaded is forgotten at its end, so nothing leaks to the actor."""
    actor, known = session.info["actor"], set(session.identity_map.keys())
    session.info["actor"] = SYSTEM
    try:
        yield
    finally:
        session.info["actor"] = actor
        for key in set(session.identity_map.keys()) - known:
            session.expunge(session.identity_map[key])


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    actor: Actor | None = state.session.info.get("actor")
    if actor is None:
        raise NoActor("act_as() comes before the first statement")
    if actor.everywhere or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(_narrowing(actor))


class _Narrowing(CriteriaOption):
    """All that narrows the statements of an actor, as one option.

    SQLAlchemy reads every option of every statement to find what it compiled before, and an actor's
    are sixty: half a millisecond each time. They are read once here; actors of one shape share a
    short key, and with it what was compiled, and each brings its own values.
    """

    propagate_to_loaders = True

    def __init__(self, options: tuple[LoaderCriteriaOption, ...]) -> None:
        self._options = options
        read = select().options(*options)._generate_cache_key()
        assert read is not None
        self._shape, self._values = _shape(read.key), read.bindparams

    def _gen_cache_key(self, anon_map: Any, bindparams: list[Any]) -> tuple[Any, ...]:
        bindparams.extend(self._values)
        return (_Narrowing, self._shape)

    def process_compile_state(self, compile_state: Any) -> None:
        for option in self._options:
            option.process_compile_state(compile_state)

    def process_compile_state_replaced_entities(
        self, compile_state: Any, mapper_entities: Any
    ) -> None:
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        for option in self._options:
            option.get_global_criteria(attributes)


@lru_cache(maxsize=512)
def _shape(_key: tuple[Any, ...]) -> object:
    """The same object for equal keys."""
    return object()


@lru_cache(maxsize=512)
def _narrowing(actor: Actor) -> _Narrowing:
    """Worked out once for each actor, since they make many statements."""
    return _Narrowing(
        tuple(
            with_loader_criteria(model, criterion, include_aliases=True)
            for model, criterion in _criteria(actor)
        )
    )


def _criteria(actor: Actor) -> Iterable[tuple[type[Any], ColumnElement[bool]]]:
    lead = _any(_leads(actor.parts))
    leads = select(Lead.id).where(lead).correlate(None)
    yield Lead, lead
    for by_lead in (RoutingDecision, Outcome, Consent, Inquiry):
        yield by_lead, by_lead.lead_id.in_(leads)
    # A dealer reads what concerns it, never what a rival did before.
    for by_dealer in (Event, Offer, PlannedAction, Contest, Reply, Verdict, Feedback):
        yield by_dealer, and_(by_dealer.lead_id.in_(leads), _concerns(actor, by_dealer))
    # Whoever is asked for help sees the question, whether or not they see the lead.
    # Nobody in particular is not the expert of a thread that names none.
    asked = false() if actor.user_id is None else HelpThread.expert_id == actor.user_id
    threads = or_(and_(HelpThread.lead_id.in_(leads), _concerns(actor, HelpThread)), asked)
    yield HelpThread, threads
    yield HelpPost, HelpPost.thread_id.in_(select(HelpThread.id).where(threads).correlate(None))
    yield SavedView, SavedView.user_id == actor.user_id
    # A link is had by its token alone, and by no query of anybody short of the centre.
    yield Tap, false()
    customers = select(Lead.customer_id).where(lead).correlate(None)
    yield Customer, Customer.id.in_(customers)
    yield CustomerKey, CustomerKey.customer_id.in_(customers)
    # Who sees one of the two only can't be asked whether they are the same.
    both = and_(
        DuplicateSuggestion.customer_id.in_(customers), DuplicateSuggestion.other_id.in_(customers)
    )
    yield DuplicateSuggestion, both
    yield CustomerMove, or_(CustomerMove.from_id.in_(customers), CustomerMove.to_id.in_(customers))
    yield (
        Message,
        or_(
            # Of a lead that has gone, a dealer keeps the mails to itself, not the customer's.
            and_(
                Message.dealer_id.in_(actor.dealers),
                or_(Message.audience == "dealer", Message.lead_id.in_(leads)),
            ),
            # A report by mail is what its one reader sees, which may be more than the market.
            and_(
                _any(_in_market(part, Message.market_id) for part in actor.parts),
                or_(
                    Message.kind != SCHEDULED_REPORT,
                    func.jsonb_extract_path_text(Message.context, "user_id") == str(actor.user_id),
                ),
            ),
        ),
    )
    sources = select(Source.id).where(
        _any(_in_market(part, Source.market_id) for part in actor.parts)
    )
    for by_source in (
        Intake,
        DeliveryKey,
        Retrieval,
        SourceRefusal,
        SourceAlert,
        ImportRun,
        MailboxState,
        MailRead,
        Form,
    ):
        yield by_source, by_source.source_id.in_(sources)
    forms = select(Form.id).where(Form.source_id.in_(sources))
    yield FormVersion, FormVersion.form_id.in_(forms)
    versions = select(FormVersion.id).where(FormVersion.form_id.in_(forms))
    yield FormCount, FormCount.version_id.in_(versions)
    # A visitor's file is had through its lead, by whoever sees the lead, and in no other way.
    yield FormFile, false()
    imports = select(ImportRun.id).where(ImportRun.source_id.in_(sources))
    yield ImportRow, ImportRow.import_id.in_(imports)
    # A customer is shared; what was noted of a call for another brand or market isn't.
    of_calls = or_(CallRecord.lead_id.in_(leads), CallRecord.source_id.in_(sources))
    yield CallRecord, of_calls
    uploads = _any(_in_market(part, Upload.market_id) for part in actor.parts)
    yield Upload, uploads
    yield UploadPart, UploadPart.upload_id.in_(select(Upload.id).where(uploads))
    # What holds in every market is everybody's to respect, and central's to read.
    yield Suppression, _any(_in_market(part, Suppression.market_id) for part in actor.parts)
    dealer = _any(_dealers(actor.parts))
    dealers = select(Dealer.id).where(dealer).correlate(None)
    yield Dealer, dealer
    for of_dealer in (
        DealerTerms,
        Competence,
        Closure,
        Territory,
        DealerLoad,
        Handover,
        DealerSystem,
        SlotTerms,
        SlotUse,
    ):
        yield of_dealer, of_dealer.dealer_id.in_(dealers)
    # Facts name what they are of: a dealer counts what it was given, wherever the lead went since.
    yield LeadFact, _any(_facts(actor.parts))
    # Added up without dealers and brands, so for those who see a market whole.
    for by_market in (FactMonth, FactSlice, ShareFact, ShareMonth, Target, ExchangeRate, SalesFile):
        yield by_market, _any(_in_market(part, by_market.market_id) for part in actor.parts)
    yield Sale, _any(_in_market(part, Sale.market_id) for part in actor.parts)
    at_home = select(Dealer.market_id).where(Dealer.id.in_(actor.dealers)).correlate(None)
    yield (
        SavedReport,
        or_(
            SavedReport.user_id == actor.user_id,
            SavedReport.shared == "all",
            SavedReport.market_id.in_(actor.markets),
            SavedReport.market_id.in_(at_home),
        ),
    )
    yield ReportSchedule, ReportSchedule.user_id == actor.user_id
    yield ReportKey, ReportKey.user_id == actor.user_id
    # A country's days are no secret of anybody; a dealer's own are its own.
    yield SpecialHours, or_(SpecialHours.dealer_id.is_(None), SpecialHours.dealer_id.in_(dealers))


def _any(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(false(), *conditions)


def _leads(parts: Iterable[Part]) -> Iterator[ColumnElement[bool]]:
    """A group's many dealers are one condition, which an index can answer."""
    whole = [p.dealer_id for p in parts if p.dealer_id is not None and p.brand_id is None]
    if whole:
        yield Lead.dealer_id.in_(whole)
    yield from (_lead(p) for p in parts if p.dealer_id is None or p.brand_id is not None)


def _facts(parts: Iterable[Part]) -> Iterator[ColumnElement[bool]]:
    whole = [p.dealer_id for p in parts if p.dealer_id is not None and p.brand_id is None]
    if whole:
        yield LeadFact.dealer_id.in_(whole)
    for part in parts:
        if part.dealer_id is None or part.brand_id is not None:
            named = {
                LeadFact.market_id: part.market_id,
                LeadFact.dealer_id: part.dealer_id,
                LeadFact.brand_id: part.brand_id,
            }
            yield and_(*(column == id for column, id in named.items() if id is not None))


def _dealers(parts: Iterable[Part]) -> Iterator[ColumnElement[bool]]:
    if named := {part.dealer_id for part in parts if part.dealer_id is not None}:
        yield Dealer.id.in_(sorted(named))
    yield from (_dealer(part) for part in parts if part.dealer_id is None)


def _lead(part: Part) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if part.market_id is not None:
        conditions.append(Lead.market_id == part.market_id)
    if part.dealer_id is not None:
        conditions.append(Lead.dealer_id == part.dealer_id)
    if part.brand_id is not None:
        conditions.append(Lead.brand_id == part.brand_id)
    return and_(*conditions)


def _dealer(part: Part) -> ColumnElement[bool]:
    if part.market_id is not None:
        return Dealer.market_id == part.market_id
    return Dealer.id.is_not(None)


def _in_market(part: Part, column: Any) -> ColumnElement[bool]:
    """A part of one brand sees leads of that brand, not a market's whole mail and intake."""
    if part.dealer_id is not None or part.brand_id is not None or part.market_id is None:
        return false()
    return column == part.market_id  # type: ignore[no-any-return]


_OfDealer = Event | Offer | PlannedAction | Contest | Reply | Verdict | Feedback | HelpThread


def _concerns(actor: Actor, model: type[_OfDealer]) -> ColumnElement[bool]:
    if not actor.dealers:
        return model.lead_id.is_not(None)
    seen: list[ColumnElement[bool]] = [
        model.dealer_id.is_(None),
        model.dealer_id.in_(actor.dealers),
    ]
    if wider := [part for part in actor.parts if part.dealer_id is None]:
        leads = select(Lead.id).where(_any(_lead(part) for part in wider)).correlate(None)
        seen.append(model.lead_id.in_(leads))
    return or_(*seen)
