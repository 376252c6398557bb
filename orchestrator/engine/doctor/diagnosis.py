"""Judging what the doctor measured: pure functions from facts to checks, one rule each.

A rule says what it looked at even when all is well; a check without a finding is worth as much as one with. The rules
on tables are in `diagnosis_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from orchestrator.engine.pooler import TODO as PAST_THE_POOLER
from orchestrator.kernel import advisory_locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestrator.engine.doctor.doctor_facts import DoctorFacts, ServerFacts

Level = Literal["ok", "warn", "fail"]

OLDEST: Final = 140_000
NEWEST_KNOWN: Final = 18
_LONG_TRANSACTION_S: Final = 60.0
_OWN_CONNECTIONS: Final = 4  # control, heartbeat, drainer, probes; the workers come on top


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    detail: str
    todo: str = ""


def diagnose(facts: DoctorFacts, *, workers: int) -> list[Check]:
    """All rules on the server and the place, in the order in which a person wants to read them."""
    server = facts.server
    checks = [rule(server) for rule in _RULES]
    checks.append(_connections(server, workers))
    checks.append(_pooler(facts))
    checks.append(_advisory_locks(facts))
    checks.extend(_reach(facts))
    checks.extend(_discovery(facts))
    checks.extend(_schemas(facts))
    return checks


def _version(server: ServerFacts) -> Check:
    if server.version < OLDEST:
        return Check("version", "fail", f"PostgreSQL {server.version_text}", "PostgreSQL 14 or newer is needed.")
    if server.version // 10_000 > NEWEST_KNOWN:
        detail = f"PostgreSQL {server.version_text} is newer than what this program was tested with ({NEWEST_KNOWN})"
        return Check("version", "warn", detail, "Rehearse on a copy first.")
    return Check("version", "ok", f"PostgreSQL {server.version_text}")


def _writable(server: ServerFacts) -> Check:
    if server.in_recovery:
        return Check("writable", "fail", "this server is a replica", "Give the DSN of the primary.")
    if server.read_only:
        detail = "default_transaction_read_only is on for this role or database"
        return Check("writable", "fail", detail, "ALTER ROLE … SET default_transaction_read_only = off.")
    return Check("writable", "ok", "a primary that takes writes")


def _role(server: ServerFacts) -> Check:
    if server.is_superuser:
        detail = f"{server.role} is a superuser; row-level security and rights are not tested by this run"
        return Check("role", "warn", detail, "Use the role that owns the tables: no more rights are needed.")
    return Check("role", "ok", f"{server.role}, an ordinary role")


def _ledger(server: ServerFacts) -> Check:
    if server.ledger_schema and not server.may_use_ledger_schema:
        detail = "schema changeover is there and belongs to somebody else"
        return Check("ledger", "fail", detail, f"GRANT ALL ON SCHEMA changeover TO {server.role}, or use its owner.")
    if not server.ledger_schema and not server.may_create_schemas:
        detail = f"{server.role} may not create schemas in this database"
        return Check("ledger", "fail", detail, "GRANT CREATE ON DATABASE …, or have the schema changeover made for it.")
    return Check("ledger", "ok", "is there" if server.ledger_schema else "can be created")


def _triggers_fire(server: ServerFacts) -> Check:
    if server.replication_role != "origin":
        detail = f"session_replication_role is {server.replication_role}: the mirror's triggers would not fire"
        return Check("triggers fire", "fail", detail, "Reset it for this role.")
    if server.roles_without_triggers:
        who = ", ".join(server.roles_without_triggers)
        detail = f"session_replication_role is set for {who}: what is written so goes past the mirror"
        return Check("triggers fire", "fail", detail, "Take that setting away, or keep these from writing meanwhile.")
    return Check("triggers fire", "ok", "session_replication_role is origin for everybody")


def _event_triggers(server: ServerFacts) -> Check:
    if server.event_triggers:
        names = ", ".join(server.event_triggers)
        todo = "Know what they do: they may refuse or change DDL. A rehearsal on a copy shows it."
        return Check("event triggers", "warn", f"they fire on our DDL: {names}", todo)
    return Check("event triggers", "ok", "none")


def _logical(server: ServerFacts) -> Check:
    if server.publications_of_all or server.logical_slots:
        names = ", ".join([*server.publications_of_all, *server.logical_slots])
        detail = (
            f"logical replication is in use ({names}): the new tables are not at the subscriber by themselves, and "
            "each write leaves twice, as the old row and as the mirror's"
        )
        todo = "Create them there without triggers of Changeover, or leave them out of the publication."
        return Check("logical replication", "warn", detail, todo)
    return Check("logical replication", "ok", "no publication of all tables or of a schema, no logical slot")


def _slots(server: ServerFacts) -> Check:
    if server.idle_slots:
        detail = f"nobody reads from {', '.join(server.idle_slots)}: all WAL of the copy stays on the disk"
        todo = "Bring the replica back, or pg_drop_replication_slot; max_slot_wal_keep_size bounds it."
        return Check("slots", "warn", detail, todo)
    return Check("slots", "ok", "no replication slot without a reader")


def _autovacuum(server: ServerFacts) -> Check:
    if not server.autovacuum:
        detail = "autovacuum is off: the new tables get no statistics, and what the mirrors write over stays"
        return Check("autovacuum", "warn", detail, "autovacuum = on and track_counts = on, at least meanwhile.")
    return Check("autovacuum", "ok", "on")


def _replicas(server: ServerFacts) -> Check:
    sync = f", synchronous: {server.synchronous_standbys}" if server.synchronous_standbys else ""
    if server.replicas:
        detail = f"{server.replicas} connected{sync}; the copy slows down when they fall behind"
        if server.synchronous_standbys:
            return Check(
                "replicas", "warn", detail, "Batches commit without waiting for them; the application does wait."
            )
        return Check("replicas", "ok", detail)
    return Check("replicas", "ok", "none connected")


def _long_transactions(server: ServerFacts) -> Check:
    hidden = f"; {server.hidden_sessions} sessions of other roles hide theirs" if server.hidden_sessions else ""
    if server.longest_transaction > _LONG_TRANSACTION_S:
        detail = f"the longest open transaction is {server.longest_transaction:.0f} s old{hidden}"
        todo = "DDL waits for it in short attempts, CREATE INDEX CONCURRENTLY for as long as it lasts. End it."
        return Check("long transactions", "warn", detail, todo)
    return Check("long transactions", "ok", f"none longer than {_LONG_TRANSACTION_S:.0f} s{hidden}")


def _prepared(server: ServerFacts) -> Check:
    if server.prepared:
        detail = f"{server.prepared} prepared transactions, the oldest of {server.prepared_seconds:.0f} s"
        return Check(
            "prepared transactions",
            "warn",
            detail,
            "A forgotten one holds its locks for ever: COMMIT or ROLLBACK PREPARED.",
        )
    return Check("prepared transactions", "ok", "none")


def _timeouts(server: ServerFacts) -> Check:
    small = 1000
    if server.deadlock_timeout_ms < small // 2:
        detail = f"deadlock_timeout is {server.deadlock_timeout_ms} ms: the application could be the one that gives way"
        return Check("timeouts", "warn", detail, "Leave it at its default of 1 s.")
    return Check("timeouts", "ok", f"deadlock_timeout {server.deadlock_timeout_ms} ms; statement_timeout is set aside")


_RULES: Final[tuple[Callable[[ServerFacts], Check], ...]] = (
    _version,
    _writable,
    _role,
    _ledger,
    _triggers_fire,
    _event_triggers,
    _logical,
    _replicas,
    _slots,
    _autovacuum,
    _long_transactions,
    _prepared,
    _timeouts,
)


def _connections(server: ServerFacts, workers: int) -> Check:
    limits = [server.connections_for_all, server.database_limit, server.role_limit]
    free = min(limit for limit in limits if limit >= 0) - server.connections_used
    need = workers + _OWN_CONNECTIONS
    detail = f"{free} free, {need} needed with {workers} workers"
    if free < need:
        return Check("connections", "fail", detail, "Fewer workers, or a higher max_connections.")
    if free < 2 * need:
        return Check("connections", "warn", detail, "The application could run out of them; take fewer workers.")
    return Check("connections", "ok", detail)


def _advisory_locks(facts: DoctorFacts) -> Check:
    if not facts.lock_holders:
        return Check("advisory locks", "ok", "nobody else holds one of ours")
    detail = f"one of ours is held by {'; '.join(who for _, who in facts.lock_holders)}: copy and drain wait for it"
    return Check("advisory locks", "fail", detail, advisory_locks.ending([pid for pid, _ in facts.lock_holders]))


def _pooler(facts: DoctorFacts) -> Check:
    pooler = facts.pooler
    if pooler.moved:
        detail = "a pooler between us and the server hands out backends by transaction"
        return Check("pooler", "fail", detail, PAST_THE_POOLER)
    if pooler.announced_pid != pooler.answering_pid:
        detail = "a pooler stands between us and the server"
        return Check("pooler", "warn", detail, "It must be in session mode; a direct connection is better.")
    if pooler.port_differs:
        detail = "something between us and the server (a proxy, NAT, a pooler) makes the connections"
        return Check("pooler", "warn", detail, "If it is a pooler it must be in session mode.")
    return Check("pooler", "ok", "a direct connection")


def _reach(facts: DoctorFacts) -> Iterator[Check]:
    for each in facts.strangers:
        yield Check("strangers", "fail", each.words, each.todo)
    if not facts.strangers:
        yield Check("strangers", "ok", "nobody else may create objects where SQL of this role looks for names")


def _discovery(facts: DoctorFacts) -> Iterator[Check]:
    for words in facts.unfound:
        yield Check("discovery", "warn", words, "`changeover plan check` shows all that the plan finds.")
    for words in facts.refused:
        todo = "Somebody has named a table that the plan does not allow: correct the name, or the plan."
        yield Check("discovery", "fail", words, todo)
    if facts.planned and not facts.tables:
        yield Check("discovery", "fail", "the plan finds none of its tables here", "Is this the right database?")
    elif facts.planned and not facts.unfound and not facts.refused:
        yield Check("discovery", "ok", f"{len(facts.tables)} source tables")


def _schemas(facts: DoctorFacts) -> Iterator[Check]:
    server = facts.server
    for schema in facts.schemas:
        if schema.there and not schema.may_create:
            detail = f"{server.role} may not create tables in schema {schema.name}"
            yield Check("schemas", "fail", detail, f"GRANT CREATE ON SCHEMA {schema.name} TO {server.role}.")
        elif not schema.there and not server.may_create_schemas:
            detail = f"schema {schema.name} is not there, and {server.role} may not create it"
            yield Check("schemas", "fail", detail, "GRANT CREATE ON DATABASE …, or have the schema made for it.")
    if facts.planned and all(s.may_create or (not s.there and server.may_create_schemas) for s in facts.schemas):
        yield Check("schemas", "ok", "tables can be created in " + ", ".join(s.name for s in facts.schemas))
