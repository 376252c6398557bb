"""The ledger's tables, described once in SQLAlchemy Core: `schema.install` creates what stands here.

The mappings' functions write `source`, `reject`, `recheck` and `born` too: what they leave out has a default. A mirror
never raises: what it writes has no foreign key (a snapshot may be older than its source), and keys have hash indexes
(a B-tree refuses over 2.7 kB). Indexes of whole sources hold `id > 0`, lest a mirror's plan take one to look for a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, OID
from sqlalchemy.sql.elements import quoted_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.types import TypeEngine

SCHEMA: Final = "changeover"
metadata: Final = MetaData(schema=SCHEMA)

RUN_KINDS: Final = ("rehearsal", "cutover")
RUN_STATES: Final = ("active", "finished", "rolled_back", "abandoned")
PHASE_STATES: Final = ("pending", "running", "done", "failed", "rolled_back")
ACTION_STATES: Final = ("started", "done", "undone")
SOURCE_STATES: Final = ("found", "mirrored", "copying", "copied", "archived")
SOURCE_MODES: Final = ("copy", "resync")
REJECT_STATES: Final = ("open", "waived")
DIRECTIONS: Final = ("forward", "reverse")
VERIFICATION_STATES: Final = ("running", "clean", "different")


def _required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], default: str | None = None) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=None if default is None else text(default))


def _optional(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _identity(kind: type[TypeEngine[Any]] = BigInteger) -> Column[Any]:
    return Column("id", kind, Identity(always=True), primary_key=True)


def _key(name: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _time(name: str) -> Column[Any]:
    return _required(name, DateTime(timezone=True), "clock_timestamp()")  # of the statement: a batch lasts a while


def _moment(name: str) -> Column[Any]:
    return _optional(name, DateTime(timezone=True))


def _one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


run: Final = Table(
    "run",
    metadata,
    _identity(),
    _required("plan", Text),
    _required("plan_version", Integer),
    _required("checksum", Text),
    _required("kind", Text),
    _required("state", Text, "'active'"),
    _required("started_by", Text, "session_user"),
    _time("started_at"),
    _moment("ended_at"),
    _one_of("kind", RUN_KINDS),
    _one_of("state", RUN_STATES),
)
# The guard that makes two active runs of a plan impossible, whatever the programs do.
Index("run_one_active", run.c.plan, unique=True, postgresql_where=text("state = 'active'"))

phase: Final = Table(
    "phase",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.id), primary_key=True, autoincrement=False),
    _key("stage"),
    _key("phase"),
    _required("state", Text, "'pending'"),
    _required("epoch", BigInteger, "0"),
    _moment("started_at"),
    _moment("ended_at"),
    _required("detail", JSONB, "'{}'"),
    _one_of("state", PHASE_STATES),
)

action: Final = Table(
    "action",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    _key("stage"),
    _key("phase"),
    _key("action_id"),
    # The order in which they were begun: rollback undoes them in the opposite one.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    _required("statement", Text),
    _optional("inverse", Text),
    _required("checksum", Text),
    _required("lock", Text, "''"),
    _required("transactional", Boolean, "true"),
    _required("state", Text, "'started'"),
    _moment("done_at"),
    ForeignKeyConstraint(["run_id", "stage", "phase"], [phase.c.run_id, phase.c.stage, phase.c.phase]),
    _one_of("state", ACTION_STATES),
)

lease: Final = Table(
    "lease",
    metadata,
    _key("plan"),
    _required("owner", Text),
    _required("epoch", BigInteger, "1"),
    _required("pids", ARRAY(Integer), "'{}'"),
    _time("acquired_at"),
    _time("heartbeat_at"),
    _required("expires_at", DateTime(timezone=True)),
)

mapping: Final = Table(
    "mapping",
    metadata,
    _identity(Integer),
    _required("plan", Text),
    _required("stage", Text),
    _required("name", Text),
    _required("kind", Text),
    _required("target", Text),
    _optional("target_oid", OID),
    UniqueConstraint("plan", "stage", "name"),
)

source: Final = Table(
    "source",
    metadata,
    _identity(Integer),
    Column("mapping_id", Integer, ForeignKey(mapping.c.id, ondelete="CASCADE"), nullable=False),
    _required("name", Text),
    _required("schema_name", Text),
    _required("table_name", Text),
    _required("view_name", Text, "''"),
    _required("oid", OID),
    _required("discriminators", ARRAY(Text), "'{}'"),
    _optional("key_type", Text),
    _optional("fingerprint", Text),
    _optional("relfilenode", OID),
    _required("ordinal", Integer, "0"),
    _required("state", Text, "'found'"),
    _required("mode", Text, "'copy'"),
    _optional("rows_estimated", BigInteger),
    UniqueConstraint("mapping_id", "oid"),
    _one_of("state", SOURCE_STATES),
    _one_of("mode", SOURCE_MODES),
)

finding: Final = Table(
    "finding",
    metadata,
    _identity(),
    _required("plan", Text),
    _required("stage", Text),
    _required("mapping", Text, "''"),
    _required("code", Text),
    _required("subject", Text, "''"),
    _required("detail", Text, "''"),
    _time("created_at"),
    UniqueConstraint("plan", "stage", "mapping", "code", "subject"),
)

lane: Final = Table(
    "lane",
    metadata,
    Column("source_id", Integer, ForeignKey(source.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _key("lane", Integer),
    _required("first_page", BigInteger),
    _required("next_page", BigInteger),
    _required("end_page", BigInteger),
    _required("rows_seen", BigInteger, "0"),
    _required("rows_copied", BigInteger, "0"),
    _required("rows_rejected", BigInteger, "0"),
    _time("updated_at"),
    CheckConstraint("first_page <= next_page", name="next_page_is_within"),
)

reject: Final = Table(
    "reject",
    metadata,
    _identity(),
    _required("source_id", Integer),
    _required("source", Text),
    _required("stage", Text),
    _optional("key", Text),
    _required("reason", Text),
    _optional("detail", Text),
    _optional(quoted_name("row", quote=True), JSONB),
    _required("state", Text, "'open'"),
    _optional("waived_by", Text),
    _optional("waived_reason", Text),
    _moment("waived_at"),
    _time("created_at"),
    _one_of("state", REJECT_STATES),
    CheckConstraint("state <> 'waived' OR (waived_by IS NOT NULL AND waived_reason <> '')", name="waived_by_name"),
)
Index("reject_source", reject.c.source_id, reject.c.state, postgresql_where=text("id > 0"))
Index("reject_key", reject.c.key, postgresql_using="hash")

recheck: Final = Table(
    "recheck",
    metadata,
    _identity(),
    _required("source_id", Integer),
    _required("direction", Text),
    _optional("key", Text),  # NULL: the whole source
    _required("cause", Text, "''"),
    _required("attempts", Integer, "0"),
    _optional("patch", JSONB),  # of a reverse one: what the hindered write was to do
    _optional("last_error", Text),
    _time("created_at"),
    _moment("not_before"),
    _one_of("direction", DIRECTIONS),
)
# A sweep takes some keys in their order, however many wait, and asks at each call for what is rare among them.
_rare: Final = {"back": "direction = 'reverse'", "whole": "key IS NULL", "place": "patch ? 'place'", "order": "true"}
for _name, _rule in _rare.items():
    Index(f"recheck_{_name}", recheck.c.source_id, recheck.c.id, postgresql_where=text(f"id > 0 AND {_rule}"))
Index("recheck_key", recheck.c.key, postgresql_using="hash")
_new_key: Final = recheck.c.patch["key"].astext  # of a hindered change of the key: what it becomes
Index("recheck_new_key", _new_key, postgresql_using="hash", postgresql_where=_new_key.is_not(None))

born: Final = Table(
    "born",
    metadata,
    _key("source_id", Integer),
    _key("key"),
    _optional("target_key", Text),
)
Index("born_target", born.c.source_id, born.c.target_key)

verification: Final = Table(
    "verification",
    metadata,
    _identity(),
    Column("run_id", BigInteger, ForeignKey(run.c.id), nullable=True),  # NULL: verified outside a run
    _required("plan", Text),
    _required("stage", Text),
    _required("checksum", Text),
    _time("started_at"),
    _moment("ended_at"),
    _required("state", Text, "'running'"),
    _required("rows_compared", BigInteger, "0"),
    _required("differences", BigInteger, "0"),
    _required("detail", JSONB, "'{}'"),
    _one_of("state", VERIFICATION_STATES),
    CheckConstraint("state <> 'clean' OR differences = 0", name="clean_is_clean"),
)
Index("verification_stage", verification.c.plan, verification.c.stage)

verify_range: Final = Table(
    "verify_range",
    metadata,
    Column(
        "verification_id",
        BigInteger,
        ForeignKey(verification.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    _key("scope"),
    _key("lo", BigInteger),
    _required("hi", BigInteger),
    _required("rows", BigInteger, "0"),
    _required("differences", BigInteger, "0"),
    _time("at"),
)

difference: Final = Table(
    "difference",
    metadata,
    _identity(),
    Column("verification_id", BigInteger, ForeignKey(verification.c.id, ondelete="CASCADE"), nullable=False),
    _required("source", Text),
    _optional("key", Text),
    _required("kind", Text),
    _required("columns", ARRAY(Text), "'{}'"),
    _optional("expected", JSONB),
    _optional("actual", JSONB),
)
Index("difference_verification", difference.c.verification_id)

control: Final = Table(
    "control",
    metadata,
    _key("plan"),
    _required("wish", Text, "'run'"),
    _required("knobs", JSONB, "'{}'"),
    _required("version", BigInteger, "0"),
    _required("changed_by", Text, "session_user"),
    _time("changed_at"),
    _required("reason", Text, "''"),
    _required("answered", BigInteger, "-1"),
    _required("answer", JSONB, "'{}'"),
    _moment("answered_at"),
    _one_of("wish", ("run", "pause", "cancel")),
)

gate_approval: Final = Table(
    "gate_approval",
    metadata,
    *(_key(name) for name in ("plan", "stage", "gate", "approved_by")),
    _required("reason", Text),
    _time("created_at"),
)

event: Final = Table(
    "event",
    metadata,
    _identity(),
    _time("at"),
    _required("actor", Text, "session_user"),
    _optional("plan", Text),
    _optional("stage", Text),
    _optional("phase", Text),
    _required("kind", Text),
    _required("detail", JSONB, "'{}'"),
)
Index("event_plan", event.c.plan, event.c.id)
