"""The ledger's tables, described once in SQLAlchemy Core: `schema.install` creates what stands here.

A mapping's functions write some of them: what they leave out has a default. What a mirror writes has no foreign key (a
snapshot may be older than its source), and hash indexes of keys (a B-tree refuses over 2.7 kB). `id > 0`: not of keys.
"""

from __future__ import annotations

from typing import Final

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

from orchestrator.ledger.columns import identity, key, moment, one_of, optional, required, time

SCHEMA: Final = "changeover"
metadata: Final = MetaData(schema=SCHEMA)

RUN_KINDS: Final = ("rehearsal", "cutover")
RUN_STATES: Final = ("active", "finished", "rolled_back", "abandoned")
PHASE_STATES: Final = ("pending", "running", "done", "failed", "stopped", "going_back", "rolled_back")
ACTION_STATES: Final = ("started", "done", "undone")
SOURCE_STATES: Final = ("found", "mirrored", "copying", "copied", "archived")
SOURCE_MODES: Final = ("copy", "resync")
REJECT_STATES: Final = ("open", "waived")
DIRECTIONS: Final = ("forward", "reverse")
VERIFICATION_STATES: Final = ("running", "clean", "different")


run: Final = Table(
    "run",
    metadata,
    identity(),
    required("plan", Text),
    required("plan_version", Integer),
    required("checksum", Text),
    required("kind", Text),
    required("state", Text, "'active'"),
    required("started_by", Text, "session_user"),
    time("started_at"),
    moment("ended_at"),
    optional("folder", Text),
    one_of("kind", RUN_KINDS),
    one_of("state", RUN_STATES),
)
# The guard that makes two active runs of a plan impossible, whatever the programs do.
Index("run_one_active", run.c.plan, unique=True, postgresql_where=text("state = 'active'"))

phase: Final = Table(
    "phase",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.id), primary_key=True, autoincrement=False),
    key("stage"),
    key("phase"),
    required("state", Text, "'pending'"),
    required("epoch", BigInteger, "0"),
    moment("started_at"),
    moment("ended_at"),
    required("detail", JSONB, "'{}'"),
    one_of("state", PHASE_STATES),
)

action: Final = Table(
    "action",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    key("stage"),
    key("phase"),
    key("action_id"),
    # The order in which they were begun: rollback undoes them in the opposite one.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    required("statement", Text),
    optional("inverse", Text),
    required("checksum", Text),
    required("lock", Text, "''"),
    required("role", Text, "''"),  # of dual-write: the order in which mirrors go is by role
    required("transactional", Boolean, "true"),
    required("state", Text, "'started'"),
    moment("done_at"),
    ForeignKeyConstraint(["run_id", "stage", "phase"], [phase.c.run_id, phase.c.stage, phase.c.phase]),
    one_of("state", ACTION_STATES),
)

lease: Final = Table(
    "lease",
    metadata,
    key("plan"),
    required("owner", Text),
    required("epoch", BigInteger, "1"),
    required("pids", ARRAY(Integer), "'{}'"),
    time("acquired_at"),
    time("heartbeat_at"),
    required("expires_at", DateTime(timezone=True)),
)

mapping: Final = Table(
    "mapping",
    metadata,
    identity(Integer),
    required("plan", Text),
    required("stage", Text),
    required("name", Text),
    required("kind", Text),
    required("target", Text),
    optional("target_oid", OID),
    required("one_way", Boolean, "false"),  # never written back: its flag needs no reverse mirror
    required("shares_rows", Boolean, "false"),  # a row of the target may be of several sources
    UniqueConstraint("plan", "stage", "name"),
)

source: Final = Table(
    "source",
    metadata,
    identity(Integer),
    Column("mapping_id", Integer, ForeignKey(mapping.c.id, ondelete="CASCADE"), nullable=False),
    required("name", Text),
    required("schema_name", Text),
    required("table_name", Text),
    required("view_name", Text, "''"),
    required("oid", OID),
    required("discriminators", ARRAY(Text), "'{}'"),
    optional("key_type", Text),
    optional("fingerprint", Text),
    optional("relfilenode", OID),
    required("ordinal", Integer, "0"),
    required("state", Text, "'found'"),
    required("mode", Text, "'copy'"),
    optional("rows_estimated", BigInteger),
    UniqueConstraint("mapping_id", "oid"),
    one_of("state", SOURCE_STATES),
    one_of("mode", SOURCE_MODES),
)

warning: Final = Table(
    "warning",
    metadata,
    identity(),
    required("plan", Text),
    required("stage", Text),
    required("mapping", Text, "''"),
    required("code", Text),
    required("subject", Text, "''"),
    required("detail", Text, "''"),
    time("created_at"),
    UniqueConstraint("plan", "stage", "mapping", "code", "subject"),
)

chunk: Final = Table(
    "chunk",
    metadata,
    Column("source_id", Integer, ForeignKey(source.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    key("chunk", Integer),
    required("first_page", BigInteger),
    required("next_page", BigInteger),
    required("end_page", BigInteger),
    required("rows_seen", BigInteger, "0"),
    required("rows_copied", BigInteger, "0"),
    required("rows_rejected", BigInteger, "0"),
    time("updated_at"),
    CheckConstraint("first_page <= next_page", name="next_page_is_within"),
)

reject: Final = Table(
    "reject",
    metadata,
    identity(),
    required("source_id", Integer),
    required("source", Text),
    required("stage", Text),
    optional("key", Text),
    required("reason", Text),
    optional("detail", Text),
    optional(quoted_name("row", quote=True), JSONB),
    required("state", Text, "'open'"),
    optional("waived_by", Text),
    optional("waived_reason", Text),
    moment("waived_at"),
    time("created_at"),
    one_of("state", REJECT_STATES),
    CheckConstraint("state <> 'waived' OR (waived_by IS NOT NULL AND waived_reason <> '')", name="waived_by_name"),
)
Index("reject_source", reject.c.source_id, reject.c.state, postgresql_where=text("id > 0"))
Index("reject_key", reject.c.key, postgresql_using="hash")

# A person's answer for rejects: for one row (source_id and key), or for every row with a reason, now and later.
waiver: Final = Table(
    "waiver",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey(run.c.id, ondelete="CASCADE"), nullable=False),
    optional("stage", Text),  # NULL: every stage
    optional("source", Text),  # NULL: every table
    optional("source_id", Integer),  # NULL: of a reason
    optional("key", Text),
    required("reason", Text),
    required("waived_by", Text),
    required("waived_reason", Text),
    time("created_at"),
    CheckConstraint("waived_by <> '' AND waived_reason <> ''", name="waived_by_name"),
    CheckConstraint("(source_id IS NULL) = (key IS NULL)", name="of_a_row_or_of_a_reason"),
)
Index("waiver_reason", waiver.c.reason, waiver.c.run_id, postgresql_where=waiver.c.key.is_(None))
Index("waiver_key", waiver.c.key, postgresql_using="hash")

queue: Final = Table(
    "queue",
    metadata,
    identity(),
    required("source_id", Integer),
    required("direction", Text),
    optional("key", Text),  # NULL: the whole source
    required("cause", Text, "''"),
    required("attempts", Integer, "0"),
    optional("patch", JSONB),  # of a reverse one: what the hindered write was to do
    optional("last_error", Text),
    time("created_at"),
    moment("not_before"),
    one_of("direction", DIRECTIONS),
)
# A drain takes some keys in their order, however many wait, and asks at each call for what is rare among them.
_rare: Final = {
    "forward": "direction = 'forward'",
    "patched": "direction = 'reverse' AND patch IS NOT NULL",
    "unpatched": "direction = 'reverse' AND patch IS NULL",
    "whole": "key IS NULL",
    "place": "patch ? 'place'",
}
for _name, _rule in _rare.items():
    Index(f"queue_{_name}", queue.c.source_id, queue.c.id, postgresql_where=text(f"id > 0 AND {_rule}"))
Index("queue_key", queue.c.key, postgresql_using="hash")
_new_key: Final = queue.c.patch["key"].astext  # of a hindered change of the key: what it becomes
Index("queue_new_key", _new_key, postgresql_using="hash", postgresql_where=_new_key.is_not(None))

verification: Final = Table(
    "verification",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey(run.c.id), nullable=True),  # NULL: verified outside a run
    required("plan", Text),
    required("stage", Text),
    required("checksum", Text),
    time("started_at"),
    moment("ended_at"),
    required("state", Text, "'running'"),
    required("rows_compared", BigInteger, "0"),
    required("differences", BigInteger, "0"),
    required("detail", JSONB, "'{}'"),
    one_of("state", VERIFICATION_STATES),
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
    key("scope"),
    key("lo", BigInteger),
    required("hi", BigInteger),
    required("rows", BigInteger, "0"),
    required("differences", BigInteger, "0"),
    time("at"),
)

difference: Final = Table(
    "difference",
    metadata,
    identity(),
    Column("verification_id", BigInteger, ForeignKey(verification.c.id, ondelete="CASCADE"), nullable=False),
    required("source", Text),
    optional("key", Text),
    required("kind", Text),
    required("columns", ARRAY(Text), "'{}'"),
    optional("expected", JSONB),
    optional("actual", JSONB),
)
Index("difference_verification", difference.c.verification_id)

control: Final = Table(
    "control",
    metadata,
    key("plan"),
    required("request", Text, "'run'"),
    required("settings", JSONB, "'{}'"),
    required("version", BigInteger, "0"),
    required("changed_by", Text, "session_user"),
    time("changed_at"),
    required("reason", Text, "''"),
    required("answered", BigInteger, "-1"),
    required("answer", JSONB, "'{}'"),
    moment("answered_at"),
    one_of("request", ("run", "pause", "cancel")),
)

event: Final = Table(
    "event",
    metadata,
    identity(),
    time("at"),
    required("actor", Text, "session_user"),
    optional("plan", Text),
    optional("stage", Text),
    optional("phase", Text),
    required("kind", Text),
    required("detail", JSONB, "'{}'"),
)
Index("event_plan", event.c.plan, event.c.id)

# What each receiver of notifications was told; `sink` is a digest of its address, which is a secret.
notified: Final = Table(
    "notified",
    metadata,
    key("sink"),
    required("state", JSONB, "'{}'"),
    optional("claimed_by", Text),
    moment("claimed_until"),
)
