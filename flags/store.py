"""Changing a flag: who, why, from which version, and past which gate.

The rules that must hold whoever writes (coherence, version, history, announcement, the clean verification before
`live`) stand in the table's triggers. What is asked here comes before and gives the better answer: the steps
of the ladder, the version somebody believes to be changing, and the `gate` that the engine hands in.
A move back is never gated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from flags.errors import (
    FlagConflictError,
    FlagGateError,
    FlagHeldError,
    FlagTakenError,
    SecondPersonError,
    UnknownFlagError,
)
from flags.moves import check_move, check_rules
from flags.stages import EVERYBODY, Stage, is_forward, rank, reads_new
from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import UsageError, sqlstate_of

if TYPE_CHECKING:
    from datetime import datetime

GATE_SHUT = "CO003"
HELD = "CO004"
ALONE = "CO005"


@dataclass(frozen=True, slots=True)
class Flag:
    """A row of `changeover.feature_flags`."""

    flag: str
    enabled: bool
    stage: str
    rollout: int
    version: int
    plan: str | None
    plan_stage: str | None
    updated_at: datetime
    updated_by: str
    reason: str | None
    rules: list[dict[str, Any]]
    hold: str | None
    soak_hours: float
    second_person: bool

    def as_json(self) -> dict[str, Any]:
        """The shape that `flag list --json` prints."""
        return {**asdict(self), "updated_at": self.updated_at.isoformat()}


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `changeover.flag_history`."""

    id: int
    at: datetime
    flag: str
    version: int
    kind: str
    enabled: bool
    stage: str
    rollout: int
    was_stage: str | None
    was_rollout: int | None
    actor: str
    reason: str | None
    rules: list[dict[str, Any]]
    proposed_by: str | None
    """Where it took two: the actor has agreed to it."""

    def as_json(self) -> dict[str, Any]:
        """The shape that `flag history --json` prints."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed; None leaves it. `enabled` is the document's word for a stage: live, or shadow.

    `hold` says why nobody may move the flag forward; `release` ends that, in the name of whoever says it.
    `second_person` is for the moves after this one, see `flags.proposals`.
    """

    stage: Stage | None = None
    rollout: int | None = None
    enabled: bool | None = None
    rules: list[dict[str, Any]] | None = None
    hold: str | None = None
    release: bool = False
    second_person: bool | None = None

    def of(self, flag: Flag) -> tuple[Stage, int]:
        """Stage and rollout as they would be then."""
        rollout = flag.rollout if self.rollout is None else self.rollout
        if self.stage is not None:
            return self.stage, rollout
        if self.enabled is None or self.enabled == flag.enabled:
            return Stage(flag.stage), rollout
        return (Stage.LIVE if self.enabled else Stage.SHADOW), rollout


@dataclass(frozen=True, slots=True)
class By:
    """In whose name a flag is changed, and why."""

    actor: str
    reason: str = ""


Gate = Callable[["psycopg.Connection[Any]", Flag, Stage], str | None]
"""Asked before more readers are let to the new side: None to let them, otherwise what is missing."""


def get(conn: psycopg.Connection[Any], flag: str) -> Flag:
    """One flag; raises UnknownFlagError."""
    return _found(conn, _flags(conn).execute(_load("get.sql"), {"flag": flag}).fetchone(), flag)


def every(conn: psycopg.Connection[Any]) -> list[Flag]:
    """All flags, by name."""
    return _flags(conn).execute(_load("list.sql")).fetchall()


def set_flag(
    conn: psycopg.Connection[Any],
    flag: str,
    change: Change,
    by: By,
    *,
    expected_version: int | None = None,
    gate: Gate | None = None,
) -> Flag:
    """Change a flag and return it as it is then; unchanged if there is nothing to change.

    With `expected_version` the change is a compare-and-set: FlagConflictError names the version it lost to.
    """
    if change.stage is not None and change.enabled is not None and change.enabled != reads_new(change.stage):
        raise UsageError(
            f"enabled={change.enabled} and stage={change.stage} contradict each other.", kept="Nothing was changed."
        )
    if change.rollout is not None and not 0 <= change.rollout <= 100:  # noqa: PLR2004 - percent
        raise UsageError(f"A rollout is 0 to 100 percent, not {change.rollout}.", kept="Nothing was changed.")
    if change.rules is not None:
        check_rules(change.rules)
    with _announced(conn, by):
        found = _found(conn, _flags(conn).execute(_load("lock.sql"), {"flag": flag}).fetchone(), flag)
        if expected_version is not None and found.version != expected_version:
            raise FlagConflictError(flag, expected_version, found.version, found.updated_by, found.updated_at)
        start = (Stage(found.stage), found.rollout)
        end = change.of(found)
        check_move(flag, start, end[0], planned=found.plan is not None)
        hold = None if change.release else change.hold or found.hold
        if hold is not None and found.hold is not None and is_forward(start, end):
            raise FlagHeldError(flag, end[0], found.hold)
        if gate is not None and reads_new(end[0]) and is_forward(start, end):
            missing = gate(conn, found, end[0])
            if missing is not None:
                raise FlagGateError(flag, end[0], missing)
        rules = found.rules if change.rules is None else change.rules
        values = {"flag": flag, "stage": end[0].value, "rollout": end[1], "rules": Jsonb(rules), "hold": hold}
        values["second_person"] = found.second_person if change.second_person is None else change.second_person
        return _found(conn, _guarded(conn, "set.sql", values, flag, end[0]), flag)


def ensure(
    conn: psycopg.Connection[Any], flag: str, plan: str, plan_stage: str, by: By, *, soak_hours: float = 0
) -> Flag:
    """The flag of a plan stage, made `off` if it is not there; one that was made by hand is adopted."""
    values = {"flag": flag, "plan": plan, "plan_stage": plan_stage, "soak_hours": soak_hours}
    with _announced(conn, by):
        conn.execute(_load("ensure.sql"), values)
        found = _found(conn, _flags(conn).execute(_load("lock.sql"), values).fetchone(), flag)
        if (found.plan, found.plan_stage, found.soak_hours) == (plan, plan_stage, soak_hours):
            return found
        if found.plan is not None and (found.plan, found.plan_stage) != (plan, plan_stage):
            raise FlagTakenError(flag, f"stage {found.plan_stage} of plan {found.plan}")
        if found.plan is None and reads_new(Stage(found.stage)):
            raise FlagTakenError(flag, f"somebody who has set it to {found.stage}, before this plan has copied a row")
        return _found(conn, _guarded(conn, "adopt.sql", values, flag, Stage(found.stage)), flag)


def kill(conn: psycopg.Connection[Any], flag: str, by: By) -> Flag:
    """Everybody back to the old tables, at once, nobody compares, and nothing comes forward without a person."""
    found = get(conn, flag)
    stage = min(Stage(found.stage), Stage.DUALWRITE, key=rank)
    hold = f"{by.actor} killed it" + (f": {by.reason}" if by.reason else "")
    return set_flag(conn, flag, Change(stage, rollout=EVERYBODY, hold=hold), by)


def delete(conn: psycopg.Connection[Any], flag: str, by: By) -> bool:
    """Remove a flag; clients fall back to the old side. False if there was none. Its history stays."""
    with _announced(conn, by):
        return conn.execute(_load("delete.sql"), {"flag": flag}).rowcount == 1


def history(conn: psycopg.Connection[Any], flag: str | None = None, *, limit: int = 100) -> list[Entry]:
    """The last changes of a flag, or of all, oldest first."""
    entries = conn.cursor(row_factory=class_row(Entry))
    return entries.execute(_load("history.sql"), {"flag": flag, "limit": limit}).fetchall()[::-1]


def allow_reading(conn: psycopg.Connection[Any], role: str) -> None:
    """Let a role of the application ask the flags: nothing else in the schema."""
    name = sql.Identifier(role)
    with conn.transaction():
        conn.execute(sql.SQL("GRANT USAGE ON SCHEMA changeover TO {}").format(name))
        conn.execute(sql.SQL("GRANT SELECT ON changeover.feature_flags TO {}").format(name))


def allow_reporting(conn: psycopg.Connection[Any], role: str) -> None:
    """Let a role of the application ask the flags and report shadow reads, by which the guard takes a flag back."""
    with conn.transaction():
        allow_reading(conn, role)
        conn.execute(sql.SQL("GRANT INSERT ON changeover.flag_reading TO {}").format(sql.Identifier(role)))


def _flags(conn: psycopg.Connection[Any]) -> psycopg.Cursor[Flag]:
    return conn.cursor(row_factory=class_row(Flag))


def _found(conn: psycopg.Connection[Any], row: Flag | None, flag: str) -> Flag:
    if row is None:
        raise UnknownFlagError(flag, [each.flag for each in _flags(conn).execute(_load("list.sql"))])
    return row


def _guarded(conn: psycopg.Connection[Any], file: str, values: dict[str, Any], flag: str, stage: Stage) -> Flag | None:
    """Execute what the table's own gate may refuse."""
    try:
        return _flags(conn).execute(_load(file), values).fetchone()
    except psycopg.Error as exc:
        if sqlstate_of(exc) == HELD:
            raise FlagHeldError(flag, stage, (exc.diag.message_primary or "").partition(", because ")[2]) from exc
        if sqlstate_of(exc) == ALONE:
            raise SecondPersonError(flag, stage) from exc
        if sqlstate_of(exc) != GATE_SHUT:
            raise
        said = (exc.diag.message_primary or "").partition(": ")[2]
        raise FlagGateError(flag, stage, said) from exc


@contextmanager
def _announced(conn: psycopg.Connection[Any], by: By) -> Iterator[None]:
    """The caller's transaction or a new one; its triggers know who and why, and nobody after us is taken for us."""
    with conn.transaction():
        conn.execute(_load("announce.sql"), {"actor": by.actor, "reason": by.reason})
        yield
        conn.execute(_load("announce.sql"), {"actor": "", "reason": ""})


def _load(file: str) -> str:
    return sqlfiles.load(__package__, file)
