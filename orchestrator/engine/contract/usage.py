"""Whether anybody still reads or writes the old tables: the last gate before `retire`.

After contract an old table is behind a view. The server counts what happens to it, and does not say who did it: the old
application by the view, a mirror for the new application, or we. So:

- *We* are left out. Each command of ours that may touch the tables looks at the counters when it begins and when it
  ends; what is counted in between is nobody's.
- *A mirror* reads and writes them only when a new table is written. If none was, everything is the old application's;
  if some were, more reads than their mirrors can have made are.
- *The view* is locked by whoever uses the old name, and by no mirror. It is watched for two seconds.
- *A connection* that is older than the switch may be an old application that says nothing at the moment.

What it cannot tell: an old application that does little, while the new one writes much, and that has connected since.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

READS_OF_A_MIRROR: Final = 10
"""At most so many scans of an old table for one row of a new one that is written."""
_WATCH_S: Final = 2.0
_LOOK_S: Final = 0.05
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class OldUse:
    """The counters of an archived table, now and when they were looked at last."""

    oid: int
    plan: str
    name: str
    reads: int
    writes: int
    new_writes: int
    reads_before: int | None
    writes_before: int | None
    new_writes_before: int | None
    quiet_hours: float | None
    words: str | None
    since: datetime | None
    pids: list[int]
    """Who was connected when it was archived."""

    @property
    def used(self) -> str:
        """Why the old application must have used it since, in words; '' where nothing says so."""
        if self.reads_before is None or self.writes_before is None or self.new_writes_before is None:
            return "it was archived"
        reads, writes = self.reads - self.reads_before, self.writes - self.writes_before
        new = self.new_writes - self.new_writes_before
        if reads < 0 or writes < 0 or new < 0:
            return "the server's counters were reset"
        if reads > READS_OF_A_MIRROR * new or (writes and not new):
            mirrored = f", {counted(new, 'write')} of the new tables" if new else " and no write of a new table"
            return f"{counted(reads, 'read')}, {counted(writes, 'write')}{mirrored}"
        return ""


@contextmanager
def ours(conn: psycopg.Connection[Any], plan: str | None) -> Iterator[None]:
    """What is done in the block is not the application's."""
    look(conn, plan)
    try:
        yield
    finally:
        # The counters of this connection, too, and those of workers that have just ended.
        with suppress(psycopg.Error):
            _flush(conn)
            look(conn, plan, forgive=True)


def look(conn: psycopg.Connection[Any], plan: str | None, *, forgive: bool = False) -> None:
    """Take the counters down. What they say of the application counts, unless it is forgiven."""
    for each in _counters(conn, plan):
        used = "" if forgive and each.reads_before is not None else each.used
        conn.execute(
            queries.load("old_use_seen.sql"),
            {
                "oid": each.oid,
                "plan": each.plan,
                "reads": each.reads,
                "writes": each.writes,
                "new_writes": each.new_writes,
                "used": used,
                "first": each.reads_before is None,
                "pids": _clients(conn) if each.reads_before is None else [],
            },
        )


def forget(conn: psycopg.Connection[Any], tables: Sequence[int]) -> None:
    """These tables are archived no more."""
    conn.execute("DELETE FROM changeover.old_use WHERE oid = ANY (%s::oid[])", (list(tables),))


def unmet(conn: psycopg.Connection[Any], plan: str, views: Sequence[int], hours: float) -> list[str]:
    """What says that the old tables are in use, in words."""
    if not hours:
        return []
    seen = _counters(conn, plan)
    found = [*_watched(conn, views), *_old_connections(conn, seen)]
    for each in seen:
        quiet = each.quiet_hours or 0.0
        if quiet < hours:
            why = f"before: {each.words}" if each.words else "it was never looked at"
            found.append(f"{each.name} has been left alone for {quiet:.1f} of {hours:g} hours ({why})")
    return found


def _watched(conn: psycopg.Connection[Any], views: Sequence[int]) -> Iterator[str]:
    pids: set[int] = set()
    deadline = time.monotonic() + _WATCH_S
    while time.monotonic() < deadline:
        rows = conn.execute(queries.load("old_name_locks.sql"), {"views": list(views)})
        pids |= {row[0] for row in rows}
        time.sleep(_LOOK_S)
    if pids:
        yield f"somebody uses an old name at this moment (pid {', '.join(map(str, sorted(pids)[:_SHOWN]))})"


def _old_connections(conn: psycopg.Connection[Any], seen: Sequence[OldUse]) -> Iterator[str]:
    since = min((each.since for each in seen if each.since is not None), default=None)
    if since is None:
        return
    values = {"since": since, "pids": sorted({pid for each in seen for pid in each.pids})}
    rows = conn.execute(queries.load("old_connections.sql"), values).fetchall()
    if rows:
        shown = ", ".join(f"{who} (pid {pid})" for pid, who in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        yield f"{counted(len(rows), 'connection')} from before the switch: {shown}{more}"


def _counters(conn: psycopg.Connection[Any], plan: str | None) -> list[OldUse]:
    conn.execute("SELECT pg_stat_clear_snapshot()")
    cursor = conn.cursor(row_factory=class_row(OldUse))
    return cursor.execute(queries.load("old_use.sql"), {"plan": plan}).fetchall()


def _clients(conn: psycopg.Connection[Any]) -> list[int]:
    row = conn.execute(queries.load("clients.sql")).fetchone()
    return [] if row is None else list(row[0])


def _flush(conn: psycopg.Connection[Any]) -> None:
    """Have this session's counters written, where the server can (15 and later; 14 does so by itself)."""
    conn.execute(queries.load("flush_counters.sql"))
