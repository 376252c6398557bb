"""`changeover rehearse`: a plan carried out on a copy, contract and way back included, and what was seen.

It is the run of kind `rehearsal` that anybody can start by hand, with somebody who takes notes: time and log of changes
of each phase, the size of the database, rejects by reason, the locks. A failure is a note too; then the way back
is tried from where it stopped. A database in which the plan runs in production is refused: this takes everything back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg

from orchestrator.engine import commands, plans, queries
from orchestrator.engine.report.predicting import FORMAT
from orchestrator.engine.run.lock_watch import LockWatch
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError, GateUnmetError, RefusedError, translate
from orchestrator.ledger import runs

if TYPE_CHECKING:
    import threading

    from orchestrator.engine.results import PhaseResult
    from orchestrator.engine.session import Terms
    from orchestrator.kernel.events import Bus, Event


@dataclass
class Notes:
    """What a rehearsal writes to its file. Sizes are bytes, times seconds."""

    format: int
    plan: str
    version: int
    checksum: str
    server_version: int
    rehearsed_at: str
    seconds: float = 0.0
    rollback_seconds: float | None = None
    longest_wait_seconds: float | None = None
    phases: list[dict[str, Any]] = field(default_factory=list)
    """stage, phase, seconds, wal_bytes."""
    back: list[dict[str, Any]] = field(default_factory=list)
    """stage, phase, seconds of the way back."""
    database_bytes_before: int = 0
    database_bytes_most: int = 0
    database_bytes_after: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    """stage, name, rows, bytes."""
    locks: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def rehearse(
    dsn: str,
    plan_name: str,
    *,
    workers: int,
    bus: Bus,
    stop: threading.Event | None,
    operator: str,
    terms: Terms | None,
) -> Notes:
    """Carry the plan out on a copy and take it back; what was seen."""
    plan = plans.find(dsn, plan_name)
    begun = datetime.now(UTC)
    try:
        commands.init(dsn)
        _refuse_production(dsn, plan.name)
        with connect(dsn, role="notes") as conn, LockWatch(dsn) as watch:
            notes = Notes(
                FORMAT,
                plan.name,
                plan.model.version,
                plan.checksum,
                conn.info.server_version,
                begun.isoformat(timespec="seconds"),
            )
            taker = _Taker(conn, notes)
            unsubscribe = bus.subscribe(taker.hear)
            given: dict[str, Any] = {"bus": bus, "stop": stop, "operator": operator, "terms": terms}
            try:
                done = _forward(dsn, plan_name, workers, notes, given)
                taker.look_at_rows()
                taken = _back(dsn, plan_name, notes, given)
            finally:
                unsubscribe()
            notes.phases = [{**p, "wal_bytes": taker.wal.get((p["stage"], p["phase"]), 0)} for p in _told(done)]
            notes.back = _told(taken)
            notes.database_bytes_after = taker.look()[1]
        notes.locks = [asdict(each) for each in watch.locks]
        notes.longest_wait_seconds = max((each.others_waited_s for each in watch.locks), default=0.0)
        notes.seconds = _since(begun)
    except psycopg.Error as exc:
        raise translate(exc) from exc
    return notes


def _forward(dsn: str, plan: str, workers: int, notes: Notes, given: dict[str, Any]) -> list[PhaseResult]:
    """All phases of all stages, as far as they go."""
    try:
        return commands.start(dsn, plan, workers=workers, kind="rehearsal", **given).phases
    except GateUnmetError as exc:
        notes.problems.append(exc.what)
        done: list[PhaseResult] = getattr(exc, "phases", [])
        return done
    except ChangeoverError as exc:
        notes.problems.append(exc.what)
        return []


def _back(dsn: str, plan: str, notes: Notes, given: dict[str, Any]) -> list[PhaseResult]:
    """The whole way back, timed."""
    begun = datetime.now(UTC)
    try:
        taken = commands.rollback(dsn, plan, reason="the rehearsal's way back", **given)
    except ChangeoverError as exc:
        notes.problems.append(f"way back: {exc.what}")
        return []
    notes.rollback_seconds = _since(begun)
    return taken


def _refuse_production(dsn: str, plan: str) -> None:
    with open_ledger(dsn, "rehearse") as ledger:
        run = runs.current(ledger, plan)
        if run is not None and run.kind == "cutover":
            raise RefusedError(
                f"Plan {plan} runs in production in this database (run {run.id}): a rehearsal takes everything back.",
                kept="Nothing was changed.",
                todo="Give the DSN of a copy: --on DSN.",
            )


class _Taker:
    """Takes notes of what the server spends, phase by phase."""

    def __init__(self, conn: psycopg.Connection[Any], notes: Notes) -> None:
        self._conn = conn
        self._notes = notes
        self._begun = 0
        self.wal: dict[tuple[str, str], int] = {}
        self._begun, notes.database_bytes_before = self.look()

    def hear(self, event: Event) -> None:
        """Follow the phases; called in the thread that works."""
        if event.kind == "phase.started":
            self._begun, _ = self.look()
        elif event.kind in {"phase.done", "phase.failed", "phase.stopped"}:
            at, _ = self.look()
            self.wal[event.fields["stage"], event.fields["phase"]] = at - self._begun

    def look(self) -> tuple[int, int]:
        """Where the log of changes is, and the size of the database."""
        row = self._conn.execute(queries.load("server_use.sql")).fetchone()
        at, size = (0, 0) if row is None else (int(row[0]), int(row[1]))
        self._notes.database_bytes_most = max(self._notes.database_bytes_most, size)
        return at, size

    def look_at_rows(self) -> None:
        """What the ledger has of rows, before the way back forgets it."""
        about = {"plan": self._notes.plan}
        rejects = self._conn.execute(queries.load("rejects_by_reason.sql"), about).fetchall()
        self._notes.rejects = {reason: int(rows) for reason, rows in rejects}
        sources = self._conn.execute(queries.load("rehearsed_sources.sql"), about).fetchall()
        names = ("stage", "name", "rows", "bytes")
        self._notes.sources = [dict(zip(names, row, strict=True)) for row in sources]


def _told(results: list[PhaseResult]) -> list[dict[str, Any]]:
    return [{"stage": each.stage, "phase": each.phase, "seconds": each.seconds} for each in results]


def _since(begun: datetime) -> float:
    return round((datetime.now(UTC) - begun).total_seconds(), 3)
