"""What the doctor measures. Judging it is `diagnosis`, which knows no database.

Every query here can be made by an ordinary role and takes no lock that anybody waits for.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.engine.check.reach import Stranger, strangers
from orchestrator.engine.check.sources import discovered
from orchestrator.engine.pooler import PoolerFacts, between
from orchestrator.kernel import advisory_locks
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import translate
from orchestrator.kernel.sqltokens import table_name
from orchestrator.mapping.discovery import REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.plan.loader import LoadedPlan

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The server, the database and the role."""

    version: int
    version_text: str
    role: str
    is_superuser: bool
    in_recovery: bool
    read_only: bool
    may_create_schemas: bool
    ledger_schema: bool
    may_use_ledger_schema: bool
    replication_role: str
    connections_for_all: int
    database_limit: int
    role_limit: int
    connections_used: int
    deadlock_timeout_ms: int
    idle_timeout_ms: int
    synchronous_standbys: str
    wal_level: str
    archive_mode: str
    replicas: int
    logical_slots: list[str]
    idle_slots: list[str]
    """Slots that nobody reads, with the WAL they keep."""
    publications_of_all: list[str]
    autovacuum: bool
    event_triggers: list[str]
    prepared: int
    prepared_seconds: float
    longest_transaction: float
    hidden_sessions: int
    roles_without_triggers: list[str]
    database_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table that the plan reads."""

    name: str
    owner: str
    owned: bool
    readable: bool
    may_create_beside: bool
    kind: str
    persistence: str
    rls: bool
    rls_forced: bool
    rls_hides: bool
    rls_behind_view: bool
    is_partition: bool
    inherits: bool
    has_children: bool
    referenced_by: list[str]
    refers: list[str]
    triggers: list[str]
    rules: list[str]
    published: list[str]
    subscribed: bool
    views: list[str]
    autovacuum_off: bool
    freeze_due: bool
    vacuuming: bool
    bytes: int
    rows_estimated: int


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """A schema in which something will be created."""

    name: str
    there: bool
    may_create: bool


@dataclass(frozen=True, slots=True)
class DoctorFacts:
    """Everything that was measured."""

    server: ServerFacts
    pooler: PoolerFacts
    tables: tuple[TableFacts, ...] = ()
    schemas: tuple[SchemaFacts, ...] = ()
    unfound: tuple[str, ...] = ()
    """What a discovery could not answer, in words."""
    refused: tuple[str, ...] = ()
    """Tables that somebody has named and that the plan may not read, in words."""
    strangers: tuple[Stranger, ...] = ()
    """Who else may create objects where the plan's SQL looks for names."""
    lock_holders: tuple[tuple[int, str], ...] = ()
    """Sessions of other roles that hold an advisory lock of ours: process number, and who it is in words."""
    planned: bool = False


def measure(dsn: str, plan: LoadedPlan | None) -> DoctorFacts:
    """Measure a database, and what a plan would meet in it."""
    try:
        with closing(connect(dsn, role="doctor")) as conn:
            server = _one(conn, ServerFacts, "doctor_server.sql")
            pooler = between(dsn, conn)
            if plan is None:
                facts = DoctorFacts(server, pooler, strangers=tuple(strangers(conn, None)))
            else:
                facts = _with_plan(conn, plan, server, pooler)
            return replace(facts, lock_holders=tuple(advisory_locks.others(conn)))
    except psycopg.Error as exc:
        raise translate(exc) from exc


def _with_plan(
    conn: psycopg.Connection[Any], plan: LoadedPlan, server: ServerFacts, pooler: PoolerFacts
) -> DoctorFacts:
    if others := strangers(conn, plan.model):
        # Then no SQL of the plan is executed, not even the discovery's.
        return DoctorFacts(server, pooler, strangers=tuple(others))
    oids: set[int] = set()
    schemas = {"changeover", "compat"}
    unfound, refused = [], list[str]()
    for each in discovered(conn, plan, any_owner=True):
        oids |= {found.table.oid for found in each.found}
        schemas.add(table_name(each.mapping.target)[0])
        label = each.stage.stage
        if each.error is not None:
            unfound.append(f"{label}: {each.error}")
        for warning in each.warnings:
            said = refused if warning.code in REFUSED else unfound
            said.append(f"{label}: {warning.subject}: {warning.detail}")
    # Two mappings of a stage often read the same tables.
    unfound, refused = list(dict.fromkeys(unfound)), list(dict.fromkeys(refused))
    if any(stage.contract is not None and stage.contract.archive == "sources" for stage in plan.model.stages):
        schemas.add("archive")
    tables = _all(conn, TableFacts, "doctor_tables.sql", {"oids": sorted(oids)})
    found = _all(conn, SchemaFacts, "doctor_schemas.sql", {"names": sorted(schemas)})
    return DoctorFacts(server, pooler, tuple(tables), tuple(found), tuple(unfound), tuple(refused), planned=True)


def _one(conn: psycopg.Connection[Any], kind: type[T], file: str) -> T:
    row = conn.cursor(row_factory=class_row(kind)).execute(_load(file)).fetchone()
    if row is None:
        message = f"{file} gives one row"
        raise LookupError(message)
    return row


def _all(conn: psycopg.Connection[Any], kind: type[T], file: str, values: dict[str, Sequence[Any]]) -> list[T]:
    return conn.cursor(row_factory=class_row(kind)).execute(_load(file), values).fetchall()


def _load(file: str) -> str:
    return queries.load(file)
