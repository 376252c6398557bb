"""One sequence for the keys of both sides, so that an insert of either version never takes a key of the other.

Where one old table becomes a new one, key for key, and both number their rows by themselves, the new key draws from the
old table's sequence from expand on. The old table and its sequence are not touched. The default of the new key is a
function of ours that runs with the rights of its owner: who may insert into the new table needs no right to the old
table's sequence. It knows the sequence by its oid, and so finds it also in the archive.

Rollback puts the key back as the plan's files have made it. `retire` does the same before it drops the old table, and
the new table's own sequence goes on where the common one has come to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.kernel.identifiers import qualified
from orchestrator.mapping.sqltext import literal
from phases.actions import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.mapping.model import Key

_NUMBERS: Final = frozenset({"int2", "int4", "int8"})
_ALWAYS: Final = "a"


@dataclass(frozen=True)
class _Sequence:
    """A sequence, and how it counts."""

    oid: int
    schema: str
    name: str
    step: int
    lowest: int
    highest: int
    start: int
    cache: int
    cycle: bool

    @property
    def sql(self) -> str:
        return qualified(self.schema, self.name)


def action_id(target: Table, column: str) -> str:
    """What the ledger calls the action on this key."""
    return f"numbers of {target.label}.{column}"


def actions(conn: psycopg.Connection[Any], mapping: Mapping, compiled: Compiled) -> Iterator[Action]:
    """What has to be done with the key of a new table that the plan makes; nothing once it is done."""
    common = mapping.common_key
    if common is None:
        return
    target = compiled.target
    key = target.by_name.get(common.target)
    if key is None or key.type not in _NUMBERS:
        return
    own = _sequence(conn, target, key.name)
    old = _numbering(conn, common, compiled)
    if own is not None and old is not None and own.oid != old.oid:
        yield _shared(target, key, own, old, f"x{compiled.mapping_id}_next_number")
    elif key.identity == _ALWAYS:
        yield _by_default(target, key)


def _numbering(conn: psycopg.Connection[Any], common: Key, compiled: Compiled) -> _Sequence | None:
    """The sequence of the old key, where there is one old table and its keys are those of the new one."""
    if len(compiled.sources) != 1:
        return None
    (source,) = compiled.sources
    key = source.by_name.get(common.column)
    found = None if key is None or key.type not in _NUMBERS else _sequence(conn, source, key.name)
    return found if found is not None and found.step > 0 else None


def _sequence(conn: psycopg.Connection[Any], table: Table, column: str) -> _Sequence | None:
    cursor = conn.cursor(row_factory=class_row(_Sequence))
    values = {"oid": table.oid, "column": column}
    return cursor.execute(queries.load("key_sequence.sql"), values).fetchone()


def _shared(target: Table, key: Column, own: _Sequence, old: _Sequence, name: str) -> Action:
    function = f"changeover.{name}()"
    column = f"ALTER TABLE {target.sql} ALTER COLUMN {key.sql}"
    body = literal(f"SELECT nextval({old.oid}::oid::regclass)")
    secure = "VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
    take = [
        f"CREATE OR REPLACE FUNCTION {function} RETURNS bigint LANGUAGE sql {secure} AS {body}",
        f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
        *([f"{column} DROP IDENTITY"] if key.identity else []),
        f"{column} SET DEFAULT {function}",
    ]
    cycle = "CYCLE" if own.cycle else "NO CYCLE"
    kind = "ALWAYS" if key.identity == _ALWAYS else "BY DEFAULT"
    counts = (
        f"SEQUENCE NAME {own.sql} INCREMENT BY {own.step} MINVALUE {own.lowest} MAXVALUE {own.highest} "
        f"START WITH {own.start} CACHE {own.cache} {cycle}"
    )
    again = f"{column} SET DEFAULT {key.default}"
    if key.identity:
        again = f"{column} DROP DEFAULT;\n{column} ADD GENERATED {kind} AS IDENTITY ({counts})"
    common = f"pg_sequence_last_value({old.oid}::oid::regclass)"
    within = f"{common} BETWEEN {own.lowest} AND {own.highest}"
    goes_on = f"SELECT CASE WHEN {within} THEN setval({literal(own.sql)}, {common}) END"
    return Action(
        id=action_id(target, key.name),
        statement=";\n".join(take),
        inverse=";\n".join([again, goes_on, f"DROP FUNCTION {function}"]),
        lock="ACCESS EXCLUSIVE on a new table",
        doc=f"draws from {old.schema}.{old.name}",
        told=f"{target.label}.{key.name} draws its numbers from the old table's sequence {old.schema}.{old.name} "
        "until rollback or retire: no insert of either version takes a key of the other",
    )


def _by_default(target: Table, key: Column) -> Action:
    column = f"ALTER TABLE {target.sql} ALTER COLUMN {key.sql}"
    return Action(
        id=action_id(target, key.name),
        statement=f"{column} SET GENERATED BY DEFAULT",
        inverse=f"{column} SET GENERATED ALWAYS",
        lock="ACCESS EXCLUSIVE on a new table",
        doc="takes the keys of old rows",
        told=f"{target.label}.{key.name} is GENERATED BY DEFAULT until rollback or retire: "
        "it takes the keys of old rows",
    )
