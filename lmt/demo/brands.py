"""The fictional maker of the demo: two brands and what they build."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model; `price_eur` is what one sells for, roughly."""

    code: str
    name: str
    price_eur: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoBrand:
    code: str
    name: str
    models: tuple[DemoModel, ...]


BRANDS = (
    DemoBrand(
        "aurel",
        "Aurel",
        (
            DemoModel("belisa", "Belisa", 19_900, ("Belisa City",)),
            DemoModel("doriva", "Doriva", 27_500, ("Doriva Wagon", "Doriva SW")),
            DemoModel("elvaro", "Elvaro", 38_900, ("Elvaro E", "Elvaro Electric")),
            DemoModel("kestrano", "Kestrano", 44_500, ("Kestrano 7",)),
            DemoModel("osmira", "Osmira", 33_200),
        ),
    ),
    DemoBrand(
        "vanta",
        "Vanta",
        (
            DemoModel("halden", "Halden", 52_000, ("Halden X",)),
            DemoModel("korin", "Korin", 41_800, ("Korin Hybrid",)),
            DemoModel("rasmo", "Rasmo", 68_500, ("Rasmo GT",)),
            DemoModel("talvi", "Talvi", 59_400, ("Talvi E",)),
        ),
    ),
)
