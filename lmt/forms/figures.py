"""How a version of a form fares, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """How often it was seen, begun, sent and put to review; refused answers by the field's key;
    `leads` that arrived by it, tests aside."""

    seen: int = 0
    started: int = 0
    sent: int = 0
    review: int = 0
    leads: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def completion(self) -> float | None:
        """The share, 0 to 1, of those who began that sent it; None where nobody began.

        A visitor without JavaScript is never seen to begin, so what was sent may be more.
        """
        return min(self.sent / self.started, 1.0) if self.started else None
