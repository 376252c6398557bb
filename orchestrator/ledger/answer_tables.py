"""The ledger's tables of what people and queries have answered; `tables` has all others."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from orchestrator.ledger.columns import identity, key, one_of, optional, required, time
from orchestrator.ledger.tables import metadata, run, verification

__all__ = ["check_result", "gate_approval", "metadata"]

CHECK_MOMENTS: Final = ("before", "verify", "contract")

gate_approval: Final = Table(
    "gate_approval",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    *(key(name) for name in ("stage", "gate", "approved_by")),
    required("reason", Text),
    time("created_at"),
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
