"""Results: the figures of all parts, each with its day, kept in a file until they are measured again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

from figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path


@dataclass(slots=True)
class Results:
    """Figures by name, the days when they were measured, and what is to be said of them."""

    figures: dict[str, Figure] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, figures: Iterable[Figure], notes: Mapping[str, str], day: date) -> None:
        """These in place of those of the same names."""
        for each in figures:
            self.figures[each.name] = each
            self.days[each.name] = day.isoformat()
        self.notes.update(notes)

    def save(self, path: Path) -> None:
        """Keep them."""
        path.write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those that were kept, if any were."""
        try:
            kept = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls()
        figures = {
            name: Figure(name, tuple(each["wall"]), tuple(each["cpu"]), tuple(each["peak"]))
            for name, each in kept["figures"].items()
        }
        return cls(figures, kept["days"], kept["notes"])
