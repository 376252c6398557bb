"""The second person: on a flag that wants one, a move that brings more readers to the new tables takes two names.

One proposes it, from the version that was looked at; whoever else makes that very move, agrees. The table's trigger
insists on it, so a raw UPDATE meets it as well, and history has both names. Any other change of the flag ends a
proposal. A move back takes nobody else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from flags import store
from flags.errors import FlagConflictError, NoProposalError, SecondPersonError
from flags.moves import check_move
from flags.stages import Stage
from orchestrator.kernel import sqlfiles

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from flags.store import By, Change, Flag, Gate


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row of `changeover.flag_proposal`."""

    flag: str
    version: int
    stage: str
    rollout: int
    rules: list[dict[str, Any]]
    release: bool
    proposed_by: str
    reason: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """The shape that the command line prints."""
        return {**asdict(self), "at": self.at.isoformat()}


def propose(
    conn: psycopg.Connection[Any], flag: str, change: Change, by: By, *, expected_version: int | None = None
) -> Proposal:
    """Propose a move; the gates are asked when somebody agrees. Replaces an earlier proposal."""
    found = store.get(conn, flag)
    if expected_version is not None and found.version != expected_version:
        raise FlagConflictError(flag, expected_version, found.version, found.updated_by, found.updated_at)
    stage, rollout = change.of(found)
    check_move(flag, (Stage(found.stage), found.rollout), stage, planned=found.plan is not None)
    values = {
        "flag": flag,
        "version": found.version,
        "stage": stage.value,
        "rollout": rollout,
        "rules": Jsonb(found.rules if change.rules is None else change.rules),
        "release": change.release,
        "proposed_by": by.actor,
        "reason": by.reason,
    }
    made = _proposals(conn).execute(_load("propose.sql"), values).fetchone()
    if made is None:
        raise NoProposalError(flag)
    return made


def pending(conn: psycopg.Connection[Any], flag: str) -> Proposal | None:
    """What waits for somebody else."""
    return _proposals(conn).execute(_load("proposal.sql"), {"flag": flag}).fetchone()


def approve(conn: psycopg.Connection[Any], flag: str, by: By, *, gate: Gate | None = None) -> Flag:
    """Agree, which makes the move; NoProposalError if there is none, SecondPersonError for who proposed it."""
    found = pending(conn, flag)
    if found is None:
        store.get(conn, flag)
        raise NoProposalError(flag)
    if found.proposed_by == by.actor:
        raise SecondPersonError(flag, found.stage, found.proposed_by)
    change = store.Change(Stage(found.stage), rollout=found.rollout, rules=found.rules, release=found.release)
    reasons = store.By(by.actor, "; ".join(reason for reason in (found.reason, by.reason) if reason))
    return store.set_flag(conn, flag, change, reasons, expected_version=found.version, gate=gate)


def _proposals(conn: psycopg.Connection[Any]) -> psycopg.Cursor[Proposal]:
    return conn.cursor(row_factory=class_row(Proposal))


def _load(file: str) -> str:
    return sqlfiles.load(__package__, file)
