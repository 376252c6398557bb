"""The rows that could not be migrated, read from the ledger: each, one whole, and their number by reason."""

from __future__ import annotations

from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import rejects


def rejects_list(
    dsn: str,
    *,
    plan: str | None = None,
    stage: str | None = None,
    source: str | None = None,
    reason: str | None = None,
    limit: int | None = None,
) -> list[rejects.Reject]:
    """The rejects, in the order they came."""
    with open_ledger(dsn, "rejects") as ledger:
        return rejects.every(ledger, rejects.Which(plan=plan, stage=stage, source=source, reason=reason), limit=limit)


def rejects_summary(
    dsn: str, *, plan: str | None = None, stage: str | None = None, source: str | None = None, reason: str | None = None
) -> list[rejects.ReasonCount]:
    """How many rejects there are by table and reason, the most first."""
    with open_ledger(dsn, "rejects") as ledger:
        return rejects.summary(ledger, rejects.Which(plan=plan, stage=stage, source=source, reason=reason))


def rejects_show(dsn: str, reject_id: int) -> rejects.Reject:
    """One reject, whole."""
    with open_ledger(dsn, "rejects") as ledger:
        found = rejects.get(ledger, reject_id)
    if found is None:
        raise UsageError(
            f"There is no reject {reject_id}.", kept="Nothing was changed.", todo="See `changeover rejects list`."
        )
    return found
