"""What came by a source last: each delivery, and the leads or the import that it became."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload, load_only

from lmt.models import ImportRun, Inquiry, Intake, Lead, Source

LAST_DELIVERIES = 10


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """`joined` are leads of earlier deliveries, which this one asked for again. Of an imported
    file the `run` tells them: there may be a million."""

    intake: Intake
    leads: Sequence[Lead] = ()
    joined: Sequence[Lead] = ()
    run: ImportRun | None = None


def last_deliveries(session: Session, source: Source) -> list[DeliveryRow]:
    """Without their bodies, which may be large; leads as far as the actor sees them."""
    intakes = session.scalars(
        select(Intake)
        .options(load_only(Intake.received_at, Intake.status, Intake.problem, Intake.times))
        .where(Intake.source_id == source.id)
        .order_by(Intake.id.desc())
        .limit(LAST_DELIVERIES)
    ).all()
    runs = {
        run.intake_id: run
        for run in session.scalars(
            select(ImportRun)
            .options(joinedload(ImportRun.upload), defer(ImportRun.options))
            .where(
                ImportRun.source_id == source.id,
                ImportRun.intake_id.in_([each.id for each in intakes]),
            )
        )
    }
    single = [each for each in intakes if each.id not in runs]
    made, joined = _made(session, source, single), _joined(session, source, single)
    return [
        DeliveryRow(each, made.get(each.id, ()), joined.get(each.id, ()), runs.get(each.id))
        for each in intakes
    ]


def _made(
    session: Session, source: Source, intakes: Sequence[Intake]
) -> Mapping[uuid.UUID | None, Sequence[Lead]]:
    if not intakes:
        return {}
    found = session.scalars(
        select(Lead)
        .options(joinedload(Lead.brand))
        .where(
            # By when they were made, which is indexed; by their delivery, they aren't.
            Lead.created_at >= min(each.received_at for each in intakes),
            Lead.source_id == source.id,
            Lead.import_id.is_(None),
            Lead.intake_id.in_([each.id for each in intakes]),
        )
    )
    return _by_delivery((lead.intake_id, lead) for lead in found)


def _joined(
    session: Session, source: Source, intakes: Sequence[Intake]
) -> Mapping[uuid.UUID | None, Sequence[Lead]]:
    if not intakes:
        return {}
    found = session.execute(
        select(Inquiry.intake_id, Lead)
        .join(Lead, Lead.id == Inquiry.lead_id)
        .where(
            Inquiry.source_id == source.id,
            Inquiry.intake_id.in_([each.id for each in intakes]),
        )
    )
    return _by_delivery((intake_id, lead) for intake_id, lead in found)


def _by_delivery(
    pairs: Iterable[tuple[uuid.UUID | None, Lead]],
) -> dict[uuid.UUID | None, list[Lead]]:
    found: dict[uuid.UUID | None, list[Lead]] = {}
    for intake_id, lead in pairs:
        found.setdefault(intake_id, []).append(lead)
    return found
