"""The legacy audit tables as the application knows them: their names, columns and statements.

The old application finds its tables through the scorecards (it must: each scorecard has its own) and
makes its statements from their columns. Values travel as JSON and are read by the table's own row type,
so a duration is text here and a number there without the caller knowing; names are quoted identifiers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    import asyncpg

SUBMITTED: Final = ("submitted_at", "average_score", "passing_status", "total_errors_count")
"""What a list of audits shows of each."""
_PARAMETERS_WRITTEN: Final = 3


@dataclass(frozen=True)
class LegacyTable:
    """One audit table."""

    schema: str
    name: str
    scorecard: str | None
    columns: dict[str, str] = field(hash=False)
    makes_id: bool = field(hash=False)
    parameters: tuple[str, ...] = field(hash=False)

    @property
    def label(self) -> str:
        """`schema.name`, as journal and reports write it."""
        return f"{self.schema}.{self.name}"

    @cached_property
    def sql(self) -> str:
        """The quoted name."""
        return qualified(self.schema, self.name)

    @property
    def uuid_key(self) -> bool:
        """Whether an audit of this table keeps its id in the unified table."""
        return self.columns["id"] == "uuid"

    def with_ids_made(self, *, made: bool) -> LegacyTable:
        """The same table, with another answer to who makes the id."""
        return replace(self, makes_id=made)

    def insert(self, names: list[str]) -> str:
        """The statement that inserts one audit with these columns."""
        return _statement(
            "legacy_insert.sql", self, columns=", ".join(map(quote, names)), picked=", ".join(map(_of_row, names))
        )

    def update(self, names: list[str]) -> str:
        """The statement that sets these columns."""
        assignments = ", ".join(f"{quote(name)} = {_of_row(name)}" for name in names)
        return _statement("legacy_update.sql", self, assignments=assignments)

    def delete(self) -> str:
        """The statement that deletes one audit."""
        return _statement("legacy_delete.sql", self)

    def report(self) -> str:
        """The statement for one employee's audits."""
        return _statement("legacy_report.sql", self)

    def submitted(self) -> str:
        """The statement for what a shadow read compares of one employee's audits."""
        picked = ", ".join(quote(name) for name in SUBMITTED if name in self.columns)
        return _statement("legacy_submitted.sql", self, columns=picked)

    def unclean(self) -> str:
        """The statement that finds whose audits cannot all be migrated."""
        return _statement("legacy_unclean.sql", self)

    def month(self) -> str:
        """The statement that counts a month."""
        return _statement("legacy_month.sql", self)

    def claim(self) -> str:
        """The statement that picks old rows for a client."""
        return _statement("legacy_claim.sql", self)

    def present(self) -> str:
        """The statement that finds ids of another table here."""
        return _statement("legacy_present.sql", self)

    def scores(self, dice: random.Random) -> dict[str, Any]:
        """New values of what an auditor changes: score, status, errors, some parameters."""
        score = round(dice.uniform(40, 99), 2)
        values: dict[str, Any] = {
            "average_score": {"integer": int(score), "text": f"{score:.2f}"}.get(self.columns["average_score"], score),
            "passing_status": dice.choice(("Passed", "FAIL", "pass", "fail")),
            "total_errors_count": dice.randrange(12),
        }
        written = [name for name in self.parameters if name in self.columns][:_PARAMETERS_WRITTEN]
        values |= {name: _value(self.columns[name], dice) for name in written}
        return {name: value for name, value in values.items() if name in self.columns}


def _value(kind: str, dice: random.Random) -> Any:
    """A value of a parameter column of this type, in JSON."""
    number = dice.randrange(5)
    values = {
        "integer": number,
        "bigint": number,
        "numeric": number + 0.5,
        "double precision": number + 0.5,
        "boolean": number > 1,
        "jsonb": {"score": number, "notes": ["ok", None]},
        "text[]": ["a,b", None, f'"{number}"'],
        "date": f"2024-06-{10 + number}",
        "timestamp with time zone": f"2024-06-1{number}T10:00:00+00:00",
    }
    return values.get(kind, f"N/A {number}")


async def discover(conn: asyncpg.Connection) -> list[LegacyTable]:
    """Find the audit tables."""
    return [
        LegacyTable(
            schema=row["schema"],
            name=row["name"],
            scorecard=row["scorecard"],
            columns=json.loads(row["columns"]),
            makes_id=row["makes_id"],
            parameters=tuple(row["parameters"]),
        )
        for row in await conn.fetch(load(__package__, "discover.sql"))
    ]


def twice(tables: Sequence[LegacyTable]) -> str:
    """The statement that finds whose audits share an id with another table's."""
    rows = [_statement("legacy_owners.sql", table) for table in tables if table.uuid_key]
    return load(__package__, "legacy_twice.sql").format(rows=" UNION ALL ".join(rows))


def _statement(file: str, table: LegacyTable, **parts: str) -> str:
    return load(__package__, file).format(table=table.sql, **parts)


def _of_row(name: str) -> str:
    return f"r.{quote(name)}"
