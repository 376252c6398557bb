"""The ledger forgets what nobody asks for any more, and nothing else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from orchestrator.ledger import events, pruning, runs, verifications
from orchestrator.ledger.runs import PlanMark
from orchestrator.ledger.store import Ledger
from orchestrator.ledger.verifications import Subject

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=30)
OLD = NOW - timedelta(days=60)


def verify(ledger: Ledger, stage: str, *, run_id: int | None, ended: datetime, ranges: int = 3) -> int:
    """A finished verification with ranges and a row that differed."""
    found, _ = verifications.start_or_resume(ledger, Subject("p", stage, "abc", run_id))
    ledger.conn.execute(
        "INSERT INTO changeover.verify_range SELECT %s, 's', i, i + 1, 5, 0 FROM generate_series(1, %s) AS i",
        (found.id, ranges),
    )
    ledger.conn.execute(
        "INSERT INTO changeover.difference (verification_id, source, key, kind) VALUES (%s, 's', 'k', 'missing')",
        (found.id,),
    )
    verifications.finish(ledger, found, detail={})
    ledger.conn.execute("UPDATE changeover.verification SET ended_at = %s WHERE id = %s", (ended, found.id))
    return found.id


def act(ledger: Ledger, run: runs.Run, *, ended: datetime | None = None, state: str = "active") -> None:
    """Two statements of a phase; the run as it shall stand."""
    ledger.conn.execute("INSERT INTO changeover.phase (run_id, stage, phase) VALUES (%s, 'a', 'expand')", (run.id,))
    ledger.conn.execute(
        "INSERT INTO changeover.action (run_id, stage, phase, action_id, statement, checksum) "
        "SELECT %s, 'a', 'expand', i::text, 'SELECT 1', '' FROM generate_series(1, 2) AS i",
        (run.id,),
    )
    ledger.conn.execute(
        "UPDATE changeover.run SET state = %s, ended_at = %s, started_at = coalesce(%s, started_at) WHERE id = %s",
        (state, ended, ended, run.id),
    )


def event(ledger: Ledger, plan: str | None, at: datetime, kind: str = "x") -> None:
    ledger.conn.execute("INSERT INTO changeover.event (at, plan, kind) VALUES (%s, %s, %s)", (at, plan, kind))


def prune(ledger: Ledger, batch: int = 10_000) -> dict[str, int]:
    """What went, without what was left alone; a dry run said the same."""
    said = pruning.prunable(ledger, BEFORE)
    gone = pruning.prune(ledger, BEFORE, threading.Event(), batch=batch)
    assert gone == said
    assert not any(pruning.prunable(ledger, BEFORE).values())
    return {table: rows for table, rows in gone.items() if rows}


def test_old_verifications_go_but_the_last_of_a_stage(ledger: Ledger, run: runs.Run) -> None:
    for stage in ("a", "b"):
        verify(ledger, stage, run_id=run.id, ended=OLD)
        verify(ledger, stage, run_id=run.id, ended=OLD + timedelta(days=1))
    verify(ledger, "c", run_id=None, ended=OLD)
    verify(ledger, "c", run_id=run.id, ended=NOW)
    verify(ledger, "d", run_id=None, ended=NOW)
    verify(ledger, "d", run_id=None, ended=NOW)
    going, _ = verifications.start_or_resume(ledger, Subject("p", "a", "abc", run.id))
    assert prune(ledger) == {"verify_range": 9, "difference": 3, "verification": 3}
    for stage in ("a", "b"):
        last = verifications.latest(ledger, "p", stage)
        assert last is not None
        assert len(verifications.compared(ledger, last)) == 3
        assert len(verifications.differences(ledger, last)) == 1
    assert verifications.start_or_resume(ledger, Subject("p", "a", "abc", run.id)) == (going, True)


def test_runs_that_were_taken_back_and_followed_lose_their_statements(ledger: Ledger) -> None:
    made = []
    for state, ended in (("rolled_back", OLD), ("abandoned", OLD), ("rolled_back", NOW), ("finished", OLD)):
        made.append(runs.start_or_resume(ledger, PlanMark("p", 1, "abc"), "cutover")[0])
        act(ledger, made[-1], state=state, ended=ended)
    act(ledger, runs.start_or_resume(ledger, PlanMark("p", 1, "abc"), "cutover")[0])
    alone, _ = runs.start_or_resume(ledger, PlanMark("q", 1, "abc"), "cutover")
    act(ledger, alone, state="rolled_back", ended=OLD)
    assert prune(ledger) == {"action": 4, "phase": 2}
    left = ledger.conn.execute("SELECT DISTINCT run_id FROM changeover.action ORDER BY 1").fetchall()
    assert len(left) == 4, "young, finished, active, and the last one of a plan"
    assert len(runs.every(ledger)) == 6, "runs stay"


def test_events_of_open_runs_stay(ledger: Ledger) -> None:
    open_, _ = runs.start_or_resume(ledger, PlanMark("p", 1, "abc"), "cutover")
    ledger.conn.execute("UPDATE changeover.run SET started_at = %s WHERE id = %s", (OLD, open_.id))
    event(ledger, "p", OLD - timedelta(days=1), "of a run before")
    event(ledger, "p", OLD + timedelta(days=1), "of the run")
    event(ledger, "q", OLD, "of a plan that nobody runs")
    event(ledger, "q", NOW, "young")
    event(ledger, None, OLD, "of no plan")
    assert prune(ledger) == {"event": 2}
    kinds = [each.kind for each in events.history(ledger, events.Which())]
    assert kinds == ["run.active", "of the run", "young", "of no plan", "ledger.pruned"]


def test_a_finished_run_is_open_until_it_is_taken_back(ledger: Ledger) -> None:
    run, _ = runs.start_or_resume(ledger, PlanMark("p", 1, "abc"), "cutover")
    ledger.conn.execute("UPDATE changeover.run SET started_at = %s WHERE id = %s", (OLD, run.id))
    event(ledger, "p", OLD + timedelta(hours=1))
    runs.move(ledger, run, "finished")
    assert prune(ledger) == {}
    (run,) = runs.every(ledger)
    runs.move(ledger, run, "active")
    (run,) = runs.every(ledger)
    runs.move(ledger, run, "rolled_back")
    assert prune(ledger) == {"event": 1}


def test_who_pruned_is_told(ledger: Ledger) -> None:
    event(ledger, "q", OLD)
    prune(ledger)
    (told,) = events.history(ledger, events.Which(kinds=["ledger"]))
    assert (told.actor, told.detail["table"], told.detail["rows"]) == ("ann", "event", 1)


def test_mismatches_go_and_rejects_and_the_flags_history_stay(ledger: Ledger) -> None:
    ledger.conn.execute(
        """INSERT INTO changeover.feature_flags (flag, stage) VALUES ('F', 'off');
           INSERT INTO changeover.flag_mismatch (flag, version, read, key, kind, at)
           VALUES ('F', 1, 'r', 'k', 'different', now() - interval '60 days'), ('F', 1, 'r', 'k', 'different', now());
           INSERT INTO changeover.reject (source_id, source, stage, reason, created_at)
           VALUES (1, 's', 'a', 'no_date', now() - interval '60 days')"""
    )
    assert prune(ledger) == {"flag_mismatch": 1}
    for table in ("flag_history", "reject", "flag_mismatch"):
        row = ledger.conn.execute(f"SELECT count(*) AS n FROM changeover.{table}".encode()).fetchone()
        assert row is not None
        assert tuple(row.values() if isinstance(row, dict) else row) == (1,)


def test_it_goes_in_small_batches_and_may_be_stopped(ledger: Ledger, run: runs.Run) -> None:
    verify(ledger, "a", run_id=run.id, ended=OLD, ranges=25)
    verify(ledger, "a", run_id=run.id, ended=NOW)
    stop = threading.Event()
    stop.set()
    assert sum(pruning.prune(ledger, BEFORE, stop).values()) == 0
    assert prune(ledger, batch=10) == {"verify_range": 25, "difference": 1, "verification": 1}
    told = [each.detail["rows"] for each in events.history(ledger, events.Which(kinds=["ledger"]))]
    assert told == [10, 10, 5, 1, 1]


def test_events_cannot_be_deleted_otherwise(ledger: Ledger) -> None:
    event(ledger, "q", OLD)
    prune(ledger)
    allow = "SELECT set_config('changeover.pruning', 'on', true); "
    for statement in (
        "DELETE FROM changeover.event",
        f"{allow} UPDATE changeover.event SET actor = 'x'",
        f"{allow} TRUNCATE changeover.event",
        f"{allow} DELETE FROM changeover.flag_history",
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            ledger.conn.execute(statement.encode())
