"""What shadow reads have found: the sums per read, and the mismatches with both their values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, tuple_row

from flags.guard import p99
from orchestrator.kernel import sqlfiles

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row of `changeover.flag_mismatch`."""

    id: int
    at: datetime
    flag: str
    version: int
    read: str
    key: str | None
    kind: str
    fields: list[str]
    old_value: Any
    new_value: Any
    old_ms: float | None
    new_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """The shape that `flag mismatches --json` prints."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of the application: how often it was compared, and with what result."""

    flag: str
    read: str
    compared: int
    mismatches: int
    errors: int
    late: int
    old_p99_ms: float | None
    new_p99_ms: float | None


def mismatches(
    conn: psycopg.Connection[Any], flag: str | None = None, *, read: str | None = None, limit: int = 20
) -> list[Mismatch]:
    """The last mismatches, the newest first."""
    values = {"flag": flag, "read": read, "limit": limit}
    return conn.cursor(row_factory=class_row(Mismatch)).execute(_load("mismatches.sql"), values).fetchall()


def readings(conn: psycopg.Connection[Any], flag: str | None = None, *, read: str | None = None) -> list[Reading]:
    """The sums per read."""
    rows = conn.cursor(row_factory=tuple_row).execute(_load("readings.sql"), {"flag": flag, "read": read}).fetchall()
    return [
        Reading(of_flag, of_read, compared, different, errors, late, p99(tuple(old)), p99(tuple(new)))
        for of_flag, of_read, compared, different, errors, late, old, new in rows
    ]


def _load(file: str) -> str:
    return sqlfiles.load(__package__, file)
