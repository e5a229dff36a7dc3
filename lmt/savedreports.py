"""Reports that a person gave a name: questions to be asked again, by themselves or by others.

What is shared is the question, never its answer: whoever opens it is answered for their own part of
the world. Each verb commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.exc import StaleDataError

from lmt.ingest.characters import clean_line
from lmt.models import SavedReport
from lmt.scope import Actor

PERMISSION = "report.read"
MOST_REPORTS = 100
MOST_SHARED = 100
LONGEST_NAME = 100
MOST_CHARACTERS = 8_000
"""Of a question's parameters, names included."""

Address = Mapping[str, str | list[str]]
"""The parameters of a report's address, as `Question.parameters` gives them."""


class BadReport(ValueError):
    """`cause` is one of: unnamed, long, known, many, large, market."""

    def __init__(self, cause: str):
        super().__init__(cause)
        self.cause = cause


def saved_of(session: Session, user_id: int) -> Sequence[SavedReport]:
    """A person's own by name, then those that others share with them, the latest MOST_SHARED."""
    shared = (
        select(SavedReport.id)
        .where(SavedReport.shared != "", SavedReport.user_id != user_id)
        .order_by(SavedReport.changed_at.desc(), SavedReport.id)
        .limit(MOST_SHARED)
    )
    return session.scalars(
        select(SavedReport)
        .options(joinedload(SavedReport.user))
        .where(or_(SavedReport.user_id == user_id, SavedReport.id.in_(shared)))
        .order_by(SavedReport.user_id != user_id, func.lower(SavedReport.name), SavedReport.id)
    ).all()


def open_report(session: Session, report_id: int, actor: Actor) -> SavedReport:
    """One's own, or one that is shared with the actor. Raises LookupError for any other."""
    found = session.scalars(
        select(SavedReport).where(SavedReport.id == report_id, _open_to(actor))
    ).first()
    if found is None:
        raise LookupError(f"no report {report_id}")
    return found


def own_report(session: Session, report_id: int, actor: Actor) -> SavedReport:
    """Raises LookupError for one of somebody else."""
    found = open_report(session, report_id, actor)
    if found.user_id != actor.user_id:
        raise LookupError(f"report {report_id} is somebody else's")
    return found


def keep(
    session: Session, name: str, address: Address, *, at: datetime, actor: Actor
) -> SavedReport:
    """A question under a new name. Raises BadReport."""
    assert actor.user_id is not None
    free_name = _free_name(session, name, actor.user_id)
    if len(_names(session, actor.user_id)) >= MOST_REPORTS:
        raise BadReport("many")
    report = SavedReport(
        user_id=actor.user_id,
        name=free_name,
        address=_checked(address),
        created_at=at,
        changed_at=at,
    )
    session.add(report)
    _commit(session)
    return report


def rename(session: Session, report_id: int, name: str, *, at: datetime, actor: Actor) -> None:
    """Raises BadReport, and LookupError for one of somebody else."""
    report = own_report(session, report_id, actor)
    report.name = _free_name(session, name, report.user_id, but=report.id)
    report.changed_at = at
    _commit(session)


def change(
    session: Session, report_id: int, address: Address, *, at: datetime, actor: Actor
) -> None:
    """Another question under the same name; its schedules mail that from now on. As `rename`."""
    report = own_report(session, report_id, actor)
    report.address, report.changed_at = _checked(address), at
    _commit(session)


def share(
    session: Session,
    report_id: int,
    shared: str,
    *,
    market_id: int | None = None,
    at: datetime,
    actor: Actor,
) -> None:
    """With nobody (""), with the people of a market, or with `all` who may see reports.

    Only who sees the reports of a whole market shares with it, and of all markets with all: raises
    BadReport else, and LookupError for a report of somebody else.
    """
    report = own_report(session, report_id, actor)
    if not may_share(actor, shared, market_id):
        raise BadReport("market")
    report.shared = shared
    report.market_id = market_id if shared == "market" else None
    report.changed_at = at
    _commit(session)


def may_share(actor: Actor, shared: str, market_id: int | None = None) -> bool:
    if shared == "":
        return True
    whole = actor.whole_markets(PERMISSION)
    if shared == "market":
        return market_id is not None and (whole is None or market_id in whole)
    return shared == "all" and whole is None


def copy(session: Session, report_id: int, *, at: datetime, actor: Actor) -> SavedReport:
    """A shared one as one's own, to change and to schedule; under a name that is still free.

    Raises BadReport where there are too many, LookupError where it isn't shared with the actor.
    """
    assert actor.user_id is not None
    report = open_report(session, report_id, actor)
    known = set(_names(session, actor.user_id).values())
    name, number = report.name, 1
    while name.casefold() in known:
        number += 1
        name = f"{report.name[: LONGEST_NAME - 5]} {number}"
    return keep(session, name, report.address, at=at, actor=actor)


def delete(session: Session, report_id: int, *, actor: Actor) -> str:
    """With its schedules; its name. Raises LookupError for one of somebody else."""
    report = own_report(session, report_id, actor)
    name = report.name
    session.delete(report)
    session.commit()
    return name


def _open_to(actor: Actor) -> ColumnElement[bool]:
    """The session narrows what is shared; who sees everything sees nobody's own drawer."""
    return or_(SavedReport.user_id == actor.user_id, SavedReport.shared != "")


def _free_name(session: Session, name: str, user_id: int, *, but: int | None = None) -> str:
    name = clean_line(name)
    if not name:
        raise BadReport("unnamed")
    if len(name) > LONGEST_NAME:
        raise BadReport("long")
    taken = _names(session, user_id)
    if name.casefold() in (known for id, known in taken.items() if id != but):
        raise BadReport("known")
    return name


def _names(session: Session, user_id: int) -> dict[int, str]:
    """What a person's own are called, folded, by id."""
    own = select(SavedReport.id, SavedReport.name).where(SavedReport.user_id == user_id)
    return {row.id: row.name.casefold() for row in session.execute(own)}


def _checked(address: Address) -> dict[str, str | list[str]]:
    kept = dict(address)
    characters = sum(
        len(name) + sum(map(len, [value] if isinstance(value, str) else value))
        for name, value in kept.items()
    )
    if characters > MOST_CHARACTERS:
        raise BadReport("large")
    return kept


def _commit(session: Session) -> None:
    try:
        session.commit()
    except IntegrityError:
        # Saved twice at once.
        session.rollback()
        raise BadReport("known") from None
    except StaleDataError:
        session.rollback()
        raise LookupError("deleted meanwhile") from None
