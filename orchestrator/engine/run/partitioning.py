"""`partition:` of a stage: expand makes the first partitions, and the clock of `refresh` those that come.

A later one is attached, and not made as a partition: ATTACH keeps nobody from the other partitions. The default one is
locked meanwhile, as the server looks whether it holds rows of the new one; those are moved there first, in the same
transaction. It lasts two seconds at most, or it is given up and nothing is changed. Rights to a table are rights to its
partitions by its name; a partition by itself is nobody's but the owner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.kernel import locks
from orchestrator.kernel.errors import RefusedError
from orchestrator.mapping.sqltext import literal
from phases.actions import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.ledger.store import About, Ledger
    from orchestrator.plan.model import Stage
    from orchestrator.plan.partition import Partition, Period

_LONGEST: Final = "SET LOCAL statement_timeout = '2s'"
_THERE: Final = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL"
_PARTITIONED: Final = "SELECT relkind = 'p' FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)"
_KEY: Final = (
    "SELECT a.attname::text FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_attribute a "
    "ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] "
    "WHERE p.partrelid = pg_catalog.to_regclass(%s) AND p.partstrat = 'r' AND p.partnatts = 1 "
    "AND a.atttypid = ANY (ARRAY['date', 'timestamp', 'timestamptz']::regtype[])"
)


_COLUMNS: Final = (
    "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute "
    "WHERE attrelid = pg_catalog.to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
)
_MOVE: Final = (
    "WITH moved AS (DELETE FROM {rest} WHERE {key} >= {begins} AND {key} < {ends} RETURNING {names}) "
    "INSERT INTO {new} ({names}) SELECT {names} FROM moved"
)


@dataclass(frozen=True, slots=True)
class MadePartition:
    """A partition that the clock has made."""

    stage: str
    table: str
    partition: str
    moved: int
    """Rows that were in the default partition."""


def actions(stage: Stage, now: datetime | None = None) -> Iterator[Action]:
    """The first partitions of new tables, which nobody uses yet."""
    for each in stage.partition:
        for period in each.periods(now or datetime.now(UTC), all_of_them=True):
            yield _new(period.sql, each, f"FOR VALUES {_bounds(period)}")
        if each.default:
            yield _new(each.rest, each, "DEFAULT")


def _new(name: str, of: Partition, what: str) -> Action:
    return Action(
        id=f"partition {name}",
        statement=f"CREATE TABLE {name} PARTITION OF {of.sql} {what};\n{_private(name)}",
        probe=f"SELECT to_regclass({literal(name)}) IS NOT NULL",
        lock="ACCESS EXCLUSIVE on a new table",
        doc=f"of {of.table}",
        goes_with=True,
    )


def _private(name: str) -> str:
    return f"SELECT changeover.keep_private({literal(name)}::regclass, true)"


def _bounds(period: Period) -> str:
    """A zone is read where the column has one, and passed over where it has none."""
    return f"FROM ({literal(_moment(period.begins))}) TO ({literal(_moment(period.ends))})"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d} 00:00:00+00"


def keep_ahead(ledger: Ledger, about: About, stage: Stage, now: datetime | None = None) -> Iterator[MadePartition]:
    """Make what is to be there now and is not; nothing while the stage has not made the table."""
    for each in stage.partition:
        found = ledger.conn.execute(_PARTITIONED, (each.sql,)).fetchone()
        if found is None or not found[0]:
            continue
        for period in each.periods(now or datetime.now(UTC), all_of_them=False):
            if ledger.conn.execute(_THERE, (period.sql,)).fetchone() != (True,):
                yield _attach(ledger, about, each, period)


def _attach(ledger: Ledger, about: About, of: Partition, period: Period) -> MadePartition:
    key = ledger.conn.execute(_KEY, (of.sql,)).fetchone()
    if key is None:
        raise RefusedError(
            f"{of.table} is not partitioned by the range of one date or time.",
            kept="Nothing was changed.",
            todo="Take it out of `partition`, or look after its partitions yourself.",
        )
    rest = ledger.conn.execute(_THERE, (of.rest,)).fetchone() == (True,)
    locked, moved = of.rest if rest else of.sql, 0
    mode = "ACCESS EXCLUSIVE" if rest else "SHARE UPDATE EXCLUSIVE"

    def follow(conn: psycopg.Connection[Any]) -> None:
        nonlocal moved
        if conn.execute(_THERE, (period.sql,)).fetchone() == (True,):
            return  # another refresh was first
        conn.execute(_LONGEST)
        like = "INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING STORAGE"
        conn.execute(f"CREATE TABLE {period.sql} (LIKE {of.sql} {like})".encode())
        conn.execute(_private(period.sql).encode())
        if rest:
            moved = _move(conn, of, period, str(key[0]))
        conn.execute(f"ALTER TABLE {of.sql} ATTACH PARTITION {period.sql} FOR VALUES {_bounds(period)}".encode())
        ledger.event("partition.made", about, table=of.table, partition=period.name, moved=moved)

    try:
        locks.run_bounded(ledger.conn, f"LOCK TABLE {locked} IN {mode} MODE".encode(), within=follow)
    except psycopg.errors.QueryCanceled as exc:
        raise RefusedError(
            f"Partition {period.name} of {of.table} takes longer than two seconds to attach: the default one is large.",
            kept="Nothing was changed; rows go to the default partition.",
            todo=f"At a quiet moment, make table {period.name}, move its rows there and attach it by ALTER TABLE.",
        ) from exc
    return MadePartition(about.stage or "", of.table, period.name, moved)


def _move(conn: psycopg.Connection[Any], of: Partition, period: Period, key: str) -> int:
    """Put the rows of the new partition there that the default one has taken."""
    columns = conn.execute(_COLUMNS, (of.sql,)).fetchone()
    values = {
        "rest": sql.SQL(of.rest), "new": sql.SQL(period.sql), "names": sql.SQL(str(columns[0]) if columns else ""),
        "key": sql.Identifier(key),
        "begins": sql.Literal(_moment(period.begins)), "ends": sql.Literal(_moment(period.ends)),
    }  # fmt: skip
    return conn.execute(sql.SQL(_MOVE).format(**values)).rowcount
