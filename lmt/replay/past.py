"""The dealers and the policies as they were at each instant: stretches of time in which none of
them changed, with the rules to try beside those that held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Dealer, RoutingPolicy
from lmt.replay.cases import Case, Rules, Stretch
from lmt.replay.question import Question
from lmt.replay.whatif import BadChange, changed
from lmt.routing.candidate import Candidate
from lmt.routing.dealers import candidates_of
from lmt.routing.network import Network
from lmt.routing.policy import Policy
from lmt.routing.policybook import PolicyBook

_MOST_MENDED = 1_000
"""Above so many changed dealers, reading all of the market is cheaper than mending."""

# Rows that begin or end by themselves or by an edit, and whose dealer that concerns: None for all.
_EDGES = text(
    """
    SELECT edge, dealer_id FROM (
        SELECT dealer_id, unnest(ARRAY[lower(t.valid), upper(t.valid)]) AS edge
          FROM dealer_terms t JOIN dealer ON dealer.id = dealer_id WHERE market_id = :market_id
        UNION
        SELECT dealer_id, unnest(ARRAY[lower(t.valid), upper(t.valid)])
          FROM competence t JOIN dealer ON dealer.id = dealer_id WHERE market_id = :market_id
        UNION
        SELECT dealer_id, unnest(ARRAY[lower(t.valid), upper(t.valid)])
          FROM closure t JOIN dealer ON dealer.id = dealer_id WHERE market_id = :market_id
        UNION
        SELECT dealer_id, unnest(ARRAY[lower(t.valid), upper(t.valid)])
          FROM territory t JOIN dealer ON dealer.id = dealer_id WHERE market_id = :market_id
        UNION
        SELECT dealer_id, unnest(ARRAY[lower(t.valid), upper(t.valid)])
          FROM special_hours t WHERE market_id = :market_id
    ) AS edges
    WHERE edge > :first AND edge <= :last
    ORDER BY edge
    """
)


@dataclass(slots=True)
class Past:
    """The market's dealers and policies, walked through from the first case to the last.

    `known` are all dealers met on the way, as they were last.
    """

    session: Session
    question: Question
    draft: PolicyBook | None
    known: dict[int, Candidate]
    first: Network

    @classmethod
    def of(cls, session: Session, question: Question, at: datetime) -> Past:
        """From `at` on. Raises BadChange and PolicyError for what can't be tried."""
        tried = question.settings
        draft = None if tried is None else PolicyBook.from_settings(tried)
        dealers = candidates_of(session, question.market_id, at)
        past = cls(session, question, draft, {}, Network(dealers))
        past._note(dealers)
        _refuse_unknown_dealers(session, question)
        return past

    def stretches(self, cases: Sequence[Case]) -> Iterator[Stretch]:
        """Cut the cases where a dealer or a policy changed. Raises BadChange."""
        if not cases:
            self._tried(list(self.known.values()))
            return
        first_at, last_at = cases[0].at, cases[-1].at
        edges = self._edges(first_at, last_at)
        policies = self._policies(first_at, last_at)
        before = self.first
        after = before.replaced(self._tried(list(self.known.values())))
        moments = sorted(
            {first_at, *edges, *(since for since, _book in policies if since > first_at)}
        )
        position = 0
        waiting: set[int | None] = set()
        for moment, until in zip(moments, [*moments[1:], None], strict=True):
            waiting |= edges.get(moment, set())
            end = position
            while end < len(cases) and (until is None or cases[end].at < until):
                end += 1
            if end == position:
                continue
            if waiting:
                before, after = self._moved_on(before, after, waiting, moment)
                waiting = set()
            book = [book for since, book in policies if since <= moment][-1]
            yield Stretch(
                cases[position:end],
                Rules(before, book),
                Rules(after, book if self.draft is None else self.draft),
            )
            position = end

    def _moved_on(
        self, before: Network, after: Network, ids: set[int | None], at: datetime
    ) -> tuple[Network, Network]:
        market_id = self.question.market_id
        if None in ids or len(ids) > _MOST_MENDED:
            dealers = candidates_of(self.session, market_id, at)
            self._note(dealers)
            before = Network(dealers)
            return before, before.replaced(self._tried(dealers))
        numbers = {number for number in ids if number is not None}
        dealers = candidates_of(self.session, market_id, at, numbers)
        self._note(dealers)
        gone = numbers - {dealer.id for dealer in dealers}
        tried = {dealer.id: dealer for dealer in self._tried(dealers)}
        return (
            before.replaced(dealers, gone),
            after.replaced([tried.get(dealer.id, dealer) for dealer in dealers], gone),
        )

    def _note(self, dealers: Sequence[Candidate]) -> None:
        self.known |= {dealer.id: dealer for dealer in dealers}

    def _tried(self, dealers: Sequence[Candidate]) -> list[Candidate]:
        changes = self.question.changes
        return [changed(each, changes[each.code]) for each in dealers if each.code in changes]

    def _edges(self, first_at: datetime, last_at: datetime) -> Mapping[datetime, set[int | None]]:
        found = self.session.execute(
            _EDGES,
            {"market_id": self.question.market_id, "first": first_at, "last": last_at},
        )
        edges: defaultdict[datetime, set[int | None]] = defaultdict(set)
        for edge, dealer_id in found:
            edges[edge.astimezone(UTC)].add(dealer_id)
        return edges

    def _policies(self, first_at: datetime, last_at: datetime) -> list[tuple[datetime, PolicyBook]]:
        """Since when which policy held; the defaults where the market had none."""
        rows = self.session.execute(
            select(RoutingPolicy.valid, RoutingPolicy.settings)
            .where(RoutingPolicy.market_id == self.question.market_id)
            .order_by(func.lower(RoutingPolicy.valid).nulls_first())
        )
        none = PolicyBook(Policy())
        books = [(datetime.min.replace(tzinfo=UTC), none)]
        for valid, settings in rows:
            if valid.isempty or (valid.lower is not None and valid.lower > last_at):
                continue
            if valid.upper is not None and valid.upper <= first_at:
                continue
            since = valid.lower or books[0][0]
            books.append((since, PolicyBook.from_settings(settings)))
            if valid.upper is not None:
                books.append((valid.upper, none))
        return books


def _refuse_unknown_dealers(session: Session, question: Question) -> None:
    """Raise BadChange for a change to a dealer that the market doesn't have."""
    if not question.changes:
        return
    known = set(
        session.scalars(
            select(Dealer.code).where(
                Dealer.market_id == question.market_id, Dealer.code.in_(question.changes)
            )
        )
    )
    unknown = sorted(set(question.changes) - known)
    if unknown:
        raise BadChange(_("The market has no dealer %(code)s.", code=unknown[0]))
