"""How headquarters keeps its forms: drafted, published as versions that stay, shown or rolled back.

Each verb notes who changed what, and commits.
"""

from __future__ import annotations

from lmt.publishing.access import PERMISSION, BadSettings, edited_markets, kept_by, kept_form
from lmt.publishing.beginning import create_form, duplicate, form_source, market_facts, ready_fields
from lmt.publishing.counts import figures
from lmt.publishing.settings import LONGEST_NAME, rename, set_active, set_origins
from lmt.publishing.versions import (
    LONGEST_NOTE,
    StaleDraft,
    Unpublishable,
    publish,
    publishable,
    roll_back,
    save_draft,
)

__all__ = [
    "LONGEST_NAME",
    "LONGEST_NOTE",
    "PERMISSION",
    "BadSettings",
    "StaleDraft",
    "Unpublishable",
    "create_form",
    "duplicate",
    "edited_markets",
    "figures",
    "form_source",
    "kept_by",
    "kept_form",
    "market_facts",
    "publish",
    "publishable",
    "ready_fields",
    "rename",
    "roll_back",
    "save_draft",
    "set_active",
    "set_origins",
]
