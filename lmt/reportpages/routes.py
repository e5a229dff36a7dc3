"""The pages of the reports, as a part of the application."""

from __future__ import annotations

from lmt.reportpages import (
    coverage,
    dashboard,
    downloads,
    drilling,
    home,
    keyspage,
    plan,
    saving,
    scheduling,
    showing,
)
from lmt.reportpages.blueprint import blueprint

__all__ = [
    "blueprint",
    "coverage",
    "dashboard",
    "downloads",
    "drilling",
    "home",
    "keyspage",
    "plan",
    "saving",
    "scheduling",
    "showing",
]
