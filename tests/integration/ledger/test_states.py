"""Runs, phases and actions: only listed moves, only by the holder of the lease, one winner of a race."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.ledger import actions, events, leases, phases, runs, sources
from orchestrator.ledger.errors import DriftError, LeaseLostError, MoveRefusedError
from orchestrator.ledger.store import About, Ledger
from tests.support.running import eventually

if TYPE_CHECKING:
    from orchestrator.ledger.runs import Run
    from tests.support.database import Database

MARK = runs.PlanMark("p", 1, "abc")
WHICH = actions.Which("audits", "expand", "table.audits")
TEXT = actions.Text("CREATE TABLE a ()", "DROP TABLE a", lock="none")


@pytest.fixture
def epoch(ledger: Ledger) -> int:
    return leases.acquire(ledger, "p", "ann")


def _kinds(ledger: Ledger) -> list[str]:
    return [entry.kind for entry in events.history(ledger, events.Which())]


def test_a_run_is_begun_once_and_resumed(ledger: Ledger, rival: Ledger) -> None:
    first, resumed = runs.start_or_resume(ledger, MARK, "cutover")
    assert not resumed
    assert (first.state, first.started_by, first.kind) == ("active", "ann", "cutover")
    again, resumed = runs.start_or_resume(rival, MARK, "cutover")
    assert resumed
    assert again == first
    assert _kinds(ledger) == ["run.active"]


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        (runs.PlanMark("p", 1, "other"), "cutover"),
        (runs.PlanMark("p", 2, "abc"), "cutover"),
        (MARK, "rehearsal"),
    ],
)
def test_a_run_goes_on_only_with_its_own_plan(ledger: Ledger, run: Run, mark: runs.PlanMark, kind: runs.Kind) -> None:
    with pytest.raises(DriftError, match=f"Run {run.id}") as refused:
        runs.start_or_resume(ledger, mark, kind)
    assert mark == MARK or "files back as they were" in str(refused.value.todo)


def test_the_database_allows_one_active_run(ledger: Ledger, run: Run) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        ledger.conn.execute(
            "INSERT INTO changeover.run (plan, plan_version, checksum, kind) VALUES ('p', 1, 'x', 'cutover')"
        )
    runs.move(ledger, run, "finished")
    other, _ = runs.start_or_resume(ledger, MARK, "cutover")
    with pytest.raises(psycopg.errors.UniqueViolation):  # taken up again, there would be two
        runs.move(ledger, run, "active")
    assert runs.active(ledger, "p") == other
    assert [each.id for each in runs.every(ledger, "p")] == [other.id, run.id]


def test_an_ended_run_ends_once(ledger: Ledger, run: Run) -> None:
    runs.move(ledger, run, "rolled_back", reason="no good")
    with pytest.raises(MoveRefusedError, match="from rolled_back to finished"):
        runs.move(ledger, run, "finished")
    last = runs.latest(ledger, "p")
    assert last is not None
    assert last.ended_at is not None
    assert runs.active(ledger, "p") is None


@pytest.mark.parametrize("table", ["run", "phase", "action", "source", "reject", "verification"])
def test_the_database_knows_the_states(installed: Database, table: str) -> None:
    definition = installed.value(
        """SELECT pg_get_constraintdef(oid) FROM pg_constraint
           WHERE conrelid = %s::regclass AND conname = 'state_is_known'""",
        [f"changeover.{table}"],
    )
    assert "state = ANY" in definition


def test_of_two_movers_one_wins(ledger: Ledger, rival: Ledger, run: Run) -> None:
    """Both have read 'active'; the second one's write finds it gone."""
    outcome: list[str] = []

    def second() -> None:
        try:
            runs.move(rival, run, "abandoned")
            outcome.append("moved")
        except MoveRefusedError as refused:
            outcome.append(refused.what)

    with ledger.transaction():
        runs.move(ledger, run, "finished")
        thread = threading.Thread(target=second)
        thread.start()
        _until_waiting(ledger, rival)
    thread.join(60)
    assert len(outcome) == 1
    assert "moved by somebody else" in outcome[0]
    assert _kinds(ledger) == ["run.active", "run.finished"]


def _until_waiting(ledger: Ledger, rival: Ledger) -> None:
    blocking = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    eventually(lambda: ledger.conn.execute(blocking, (rival.conn.info.backend_pid,)).fetchone() == (True,))


def test_a_move_and_its_event_are_one(ledger: Ledger, run: Run) -> None:
    with ledger.transaction():
        runs.move(ledger, run, "finished")
        raise psycopg.Rollback
    assert runs.active(ledger, "p") == run
    assert _kinds(ledger) == ["run.active"]


def test_a_phase_there_and_back(ledger: Ledger, run: Run, epoch: int) -> None:
    assert phases.begin(ledger, run, "audits", "expand", epoch=epoch) == "pending"
    assert phases.begin(ledger, run, "audits", "expand", epoch=epoch) == "running"  # after a kill
    phases.finish(ledger, run, "audits", "expand", epoch=epoch, detail={"tables": 2})
    done = phases.get(ledger, run, "audits", "expand")
    assert done is not None
    assert (done.state, done.detail, done.epoch) == ("done", {"tables": 2}, epoch)
    with pytest.raises(MoveRefusedError):
        phases.fail(ledger, run, "audits", "expand", epoch=epoch, detail={})
    with pytest.raises(MoveRefusedError):
        phases.roll_back(ledger, run, "audits", "expand", epoch=epoch)
    phases.begin_back(ledger, run, "audits", "expand", epoch=epoch)
    phases.begin_back(ledger, run, "audits", "expand", epoch=epoch)  # after a kill
    phases.roll_back(ledger, run, "audits", "expand", epoch=epoch)
    assert phases.begin(ledger, run, "audits", "expand", epoch=epoch) == "rolled_back"
    assert [(each.phase, each.state) for each in phases.every(ledger, run)] == [("expand", "running")]
    last = events.history(ledger, events.Which(plan="p", stage="audits", kinds=["phase"]))[-1]
    assert (last.actor, last.phase, last.detail["from"], last.detail["to"]) == (
        "ann",
        "expand",
        "rolled_back",
        "running",
    )
    assert last.detail["why"]


def test_only_the_holder_of_the_lease_moves_a_phase(ledger: Ledger, rival: Ledger, run: Run, epoch: int) -> None:
    phases.begin(ledger, run, "audits", "expand", epoch=epoch)
    actions.start(ledger, run, WHICH, TEXT, epoch=epoch)
    leases.release(ledger, "p", epoch)
    leases.acquire(rival, "p", "bob")
    with pytest.raises(LeaseLostError):
        phases.finish(ledger, run, "audits", "expand", epoch=epoch, detail={})
    with pytest.raises(LeaseLostError):
        phases.begin(ledger, run, "audits", "verify", epoch=epoch)
    with pytest.raises(LeaseLostError):
        actions.done(ledger, run, WHICH, epoch=epoch)
    with pytest.raises(LeaseLostError):
        actions.start(ledger, run, WHICH, TEXT, epoch=epoch)
    assert phases.get(ledger, run, "audits", "verify") is None


def test_an_action_commits_with_its_statement(ledger: Ledger, run: Run, epoch: int) -> None:
    phases.begin(ledger, run, "audits", "expand", epoch=epoch)
    with ledger.transaction():
        actions.start(ledger, run, WHICH, TEXT, epoch=epoch)
        ledger.conn.execute("CREATE TABLE public.a ()")
        actions.done(ledger, run, WHICH, epoch=epoch)
        raise psycopg.Rollback
    assert actions.get(ledger, run, WHICH) is None
    with ledger.transaction():
        actions.start(ledger, run, WHICH, TEXT, epoch=epoch)
        actions.done(ledger, run, WHICH, epoch=epoch, note="found done")
    done = actions.get(ledger, run, WHICH)
    assert done is not None
    assert (done.state, done.statement, done.inverse, done.lock) == ("done", TEXT.statement, TEXT.inverse, "none")
    assert done.done_at is not None


def test_a_recorded_action_keeps_its_text(ledger: Ledger, run: Run, epoch: int) -> None:
    phases.begin(ledger, run, "audits", "expand", epoch=epoch)
    actions.start(ledger, run, WHICH, TEXT, epoch=epoch)
    other = actions.Text("CREATE TABLE a (i int)", "DROP TABLE a")
    with pytest.raises(DriftError, match="another text"):
        actions.start(ledger, run, WHICH, other, epoch=epoch)
    recorded = actions.every(ledger, run, "audits", "expand")
    actions.check_drift(run, {WHICH.action_id: TEXT, "new one": other}, recorded)
    with pytest.raises(DriftError, match="is not in the plan"):
        actions.check_drift(run, {"new one": other}, recorded)
    actions.undone(ledger, run, WHICH, epoch=epoch)
    actions.start(ledger, run, WHICH, other, epoch=epoch)  # after the way back it may be another
    assert actions.every(ledger, run)[0].statement == other.statement


def test_actions_come_in_the_order_of_their_last_beginning(ledger: Ledger, run: Run, epoch: int) -> None:
    phases.begin(ledger, run, "audits", "expand", epoch=epoch)
    which = [actions.Which("audits", "expand", f"a{number}") for number in range(3)]
    for each in which:
        actions.start(ledger, run, each, TEXT, epoch=epoch)
        actions.done(ledger, run, each, epoch=epoch)
    actions.undone(ledger, run, which[0], epoch=epoch)
    actions.start(ledger, run, which[0], TEXT, epoch=epoch)
    assert [each.action_id for each in actions.every(ledger, run)] == ["a1", "a2", "a0"]


def test_sources_move_and_add_up(ledger: Ledger, run: Run) -> None:
    ledger.conn.execute(
        """INSERT INTO changeover.mapping (plan, stage, name, kind, target)
           VALUES ('p', 'audits', 'audits', 'unify', 'public.audits');
           INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid)
           VALUES (1, 'public.chat', 'public', 'chat', 'pg_class'::regclass);
           INSERT INTO changeover.chunk
           (source_id, chunk, first_page, next_page, end_page, rows_seen, rows_copied, rows_rejected)
           VALUES (1, 0, 0, 5, 10, 50, 49, 1), (1, 1, 10, 10, 20, 0, 0, 0)"""
    )
    (source,) = sources.every(ledger, run.plan, "audits")
    assert (source.name, source.state, source.mode) == ("public.chat", "found", "copy")
    with pytest.raises(MoveRefusedError, match="from found to copied"):
        sources.move(ledger, source, "copied", About("p", "audits"))
    sources.move(ledger, source, "mirrored", About("p", "audits"))
    done = sources.progress(ledger, [source.id])[source.id]
    assert (done.pages, done.pages_done, done.rows_seen, done.rows_copied, done.rows_rejected) == (20, 5, 50, 49, 1)


def test_a_finding_is_told_once(ledger: Ledger) -> None:
    missing = sources.MappingWarning(
        "p", "audits", "audits", "no_table", "phone_qa", "listed, but there is no such table"
    )
    assert sources.find(ledger, missing)
    assert not sources.find(ledger, missing)
    assert sources.warnings(ledger, "p") == [missing]
    assert _kinds(ledger) == ["warning"]
