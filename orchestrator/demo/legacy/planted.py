"""What stands in a legacy database, counted: the measure that the migration's own counts are held against.

All numbers are of one moment and are counted from the finished tables by SQL that is written from the
rules (`expectations.py`), not from what the generator meant to do and not by the mapping. So the same
count can be taken again later, while or after an application has written, as long as the legacy tables
(or the views under their names) are there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Planted:
    """Counts of a legacy database; every field is JSON as it stands (`as_dict`, `from_dict`)."""

    rows: dict[str, int]
    """Rows per legacy table (`schema.name`): users, people, assignments, every audit table."""
    sources: tuple[str, ...]
    """The audit tables that a scorecard names and that exist, in order of name."""
    rejects: dict[str, dict[str, int]]
    """Rows that cannot become a target row: by table, then by reason. A table without is not listed."""
    exempt: dict[str, int]
    """Rows that are migrated and break a rule of the new schema: by rule. One row can break several."""
    warnings: dict[str, tuple[str, ...]]
    """What discovery must report, and not do: by code, the scorecards, tables or columns concerned."""
    employees: int
    """Persons that users and people make, after folding their e-mails."""
    placeholders: int
    """Persons that only audits know."""
    statuses: dict[str, int]
    """Migrated audits by folded status, as `column=value`, for the values whose folding is certain."""
    totals: dict[str, int]
    """Sums over the migrated audits that a wrong cast would change: days, seconds, rows."""
    spellings: dict[str, int]
    """Distinct spellings per column: of e-mails, of statuses, of channels, countries, roles, departments."""
    decoys: dict[str, str]
    """Tables that look like audit tables and are none: a hash of their rows."""
    troubles: dict[str, str] = field(default_factory=dict)
    """Why a table of the generator is there, in words."""

    @property
    def audits(self) -> int:
        """Rows of all audit tables together."""
        return sum(self.rows[source] for source in self.sources)

    def rejected(self, table: str) -> int:
        """Rows of one table that are expected among the rejects."""
        return sum(self.rejects.get(table, {}).values())

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Planted:
        """Read back what `as_dict` gave, through JSON or not."""
        warnings = {code: tuple(subjects) for code, subjects in values["warnings"].items()}
        return cls(**{**values, "sources": tuple(values["sources"]), "warnings": warnings})
