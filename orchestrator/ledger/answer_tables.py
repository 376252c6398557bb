"""The ledger's tables of what people and queries have answered; `tables` has all others."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, OID

from orchestrator.ledger.columns import identity, key, one_of, optional, required, time
from orchestrator.ledger.tables import metadata, run, verification

__all__ = ["approval", "check_result", "metadata", "old_use", "rehearsal"]

CHECK_MOMENTS: Final = ("before", "verify", "contract")

approval: Final = Table(
    "approval",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    *(key(name) for name in ("stage", "control", "approved_by")),
    required("role", Text, "''"),
    required("checksum", Text),
    required("reason", Text),
    time("created_at"),
    CheckConstraint("approved_by <> '' AND reason <> ''", name="approved_by_name"),
)
# However the name is written, a person answers for a control once, and so in one role.
Index(
    "approval_person",
    *(approval.c[name] for name in ("run_id", "stage", "control")),
    func.lower(func.btrim(approval.c.approved_by)),
    unique=True,
)

rehearsal: Final = Table(
    "rehearsal",
    metadata,
    identity(),
    required("plan", Text),
    required("checksum", Text),
    required("rehearsed_at", DateTime(timezone=True)),
    required("imported_by", Text),
    time("imported_at"),
    required("document", JSONB),
)
Index("rehearsal_plan", rehearsal.c.plan, rehearsal.c.rehearsed_at)

# What the server counted of an archived table when we looked at it last, and since when nobody has used it.
old_use: Final = Table(
    "old_use",
    metadata,
    key("oid", OID),
    required("plan", Text),
    required("reads", BigInteger),
    required("writes", BigInteger),
    required("new_writes", BigInteger),
    required("pids", ARRAY(Integer), "'{}'"),
    time("since"),
    time("quiet_since"),
    required("words", Text, "'it was archived'"),
)

# What a query of the plan answered, at the moments at which the plan asks it.
check_result: Final = Table(
    "check_result",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey(run.c.id, ondelete="CASCADE"), nullable=False),
    Column(
        "verification_id", BigInteger, ForeignKey(verification.c.id, ondelete="CASCADE"), nullable=True
    ),  # NULL: before the first change, or before contract
    required("stage", Text),
    required("check_name", Text),
    required("moment", Text),
    required("ok", Boolean),
    required("binding", Boolean),
    required("words", Text),
    optional("rows", BigInteger),
    required("sample", JSONB, "'[]'"),
    required("seconds", Float),
    time("at"),
    one_of("moment", CHECK_MOMENTS),
)
Index("check_result_stage", check_result.c.run_id, check_result.c.stage, check_result.c.check_name)
Index("check_result_verification", check_result.c.verification_id)
