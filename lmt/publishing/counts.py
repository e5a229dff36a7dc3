"""How the versions of a form fare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.forms.figures import VersionFigures
from lmt.models import Form, FormCount, FormVersion, Lead


def figures(
    session: Session,
    form: Form,
    versions: Sequence[FormVersion],
    *,
    since: date | None = None,
    until: date | None = None,
) -> dict[int, VersionFigures]:
    """How each of the form's `versions` fared, by its id, on the market's days from `since` to
    `until`, both counted in; leads without tests, of all time."""
    ids = [version.id for version in versions if version.form_id == form.id]
    counted = (
        select(FormCount.version_id, FormCount.kind, FormCount.field, func.sum(FormCount.times))
        .where(FormCount.version_id.in_(ids))
        .group_by(FormCount.version_id, FormCount.kind, FormCount.field)
    )
    if since is not None:
        counted = counted.where(FormCount.day >= since)
    if until is not None:
        counted = counted.where(FormCount.day <= until)
    totals: dict[int, dict[str, int]] = {id: {} for id in ids}
    errors: dict[int, dict[str, int]] = {id: {} for id in ids}
    for id, kind, field, times in session.execute(counted):
        if kind == "error":
            errors[id][field] = int(times)
        else:
            totals[id][kind] = totals[id].get(kind, 0) + int(times)
    arrived = session.execute(
        select(Lead.form_version_id, func.count())
        .where(Lead.form_version_id.in_(ids), ~Lead.test)
        .group_by(Lead.form_version_id)
    )
    leads = {id: int(number) for id, number in arrived}
    return {
        id: VersionFigures(**totals[id], leads=leads.get(id, 0), errors=errors[id]) for id in ids
    }
