"""A person answers for a row or for a reason, and the answer lasts as long as the run."""

from __future__ import annotations

import pytest

from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import rejects, runs, waivers
from orchestrator.ledger.errors import MoveRefusedError
from orchestrator.ledger.runs import PlanMark, Run, start_or_resume
from orchestrator.ledger.store import Ledger


@pytest.fixture
def sources(ledger: Ledger, run: Run) -> Ledger:
    """Two tables of plan p in two stages, one of plan q."""
    assert run.plan == "p"
    start_or_resume(ledger, PlanMark("q", 1, "abc"), "cutover")
    ledger.conn.execute(
        """INSERT INTO changeover.mapping (plan, stage, name, kind, target)
           VALUES ('p', 'one', 'm', 'unify', 'public.t'), ('p', 'two', 'm', 'unify', 'public.u'),
                  ('q', 'one', 'm', 'unify', 'public.v');
           INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid)
           VALUES (1, 'public.a', 'public', 'a', 1), (2, 'public.b', 'public', 'b', 2), (3, 'public.c', 'public', 'c', 3)"""
    )
    return ledger


def reject(ledger: Ledger, source: int, key: str | None, reason: str, value: int = 0) -> str:
    """Reject a row; the state that it is born with."""
    stage, name = {1: ("one", "public.a"), 2: ("two", "public.b"), 3: ("one", "public.c")}[source]
    row = ledger.conn.execute(
        """INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
           VALUES (%s, %s, %s, %s, %s, jsonb_build_object('v', %s::integer)) RETURNING state""",
        (source, name, stage, key, reason, value),
    ).fetchone()
    assert row is not None
    return str(row[0])


def rewrite(ledger: Ledger, source: int, key: str, reason: str, value: int) -> str:
    """What a mirror does when the row of a reject is written and is still rejected."""
    ledger.conn.execute("DELETE FROM changeover.reject WHERE source_id = %s AND key = %s", (source, key))
    return reject(ledger, source, key, reason, value)


def test_a_waived_row_stays_waived_when_it_is_written(sources: Ledger) -> None:
    reject(sources, 1, "7", "too_old")
    rejects.waive(sources, rejects.Which(plan="p"), by="ann", reason="seen")
    assert rewrite(sources, 1, "7", "too_old", 1) == "waived"
    (found,) = rejects.every(sources, rejects.Which(plan="p"))
    assert (found.waived_by, found.waived_reason, found.row) == ("ann", "seen", {"v": 1})
    assert rewrite(sources, 1, "7", "no_name", 2) == "open", "for another reason nobody has answered"
    assert reject(sources, 1, "8", "too_old") == "open", "for another row neither"
    assert reject(sources, 2, "7", "too_old") == "open"


@pytest.mark.parametrize(
    ("stage", "source", "born"),
    [
        (None, None, ["waived", "waived", "waived", "open"]),
        ("one", None, ["waived", "waived", "open", "open"]),
        (None, "public.b", ["open", "open", "waived", "open"]),
        ("two", "public.a", ["open", "open", "open", "open"]),
    ],
)
def test_a_reason_is_waived_now_and_later(
    sources: Ledger, run: Run, stage: str | None, source: str | None, born: list[str]
) -> None:
    reject(sources, 1, "0", "too_old")
    waivers.give(sources, run, waivers.Covers("too_old", stage, source), by="ann", reason="agreed")
    later = [reject(sources, 1, "1", "too_old"), reject(sources, 1, None, "too_old")]
    later += [reject(sources, 2, "1", "too_old"), reject(sources, 3, "1", "too_old")]
    assert later == born
    assert reject(sources, 1, "1", "no_name") == "open"
    (now,) = [each.state for each in rejects.every(sources, rejects.Which()) if each.key == "0"]
    assert now == born[0]
    (listed,) = waivers.every(sources, rejects.Which(plan="p"))
    assert (listed.reason, listed.stage, listed.source, listed.waived_by) == ("too_old", stage, source, "ann")
    assert listed.rejects == born.count("waived") + (born[0] == "waived")
    assert waivers.every(sources, rejects.Which(plan="q")) == []


def test_a_reason_is_answered_for_once(sources: Ledger, run: Run) -> None:
    for words in ("agreed", "agreed again"):
        waivers.give(sources, run, waivers.Covers("too_old"), by="ann", reason=words)
    (only,) = waivers.every(sources, rejects.Which())
    assert only.waived_reason == "agreed again"
    with pytest.raises(MoveRefusedError, match="by a name and for a reason"):
        waivers.give(sources, run, waivers.Covers("too_old"), by="ann", reason=" ")


def test_what_could_not_see_the_waiver_is_waived_at_the_gate(sources: Ledger, rival: Ledger, run: Run) -> None:
    with rival.conn.transaction():
        rival.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rival.conn.execute("SELECT 1")
        waivers.give(sources, run, waivers.Covers("too_old"), by="ann", reason="agreed")
        assert reject(rival, 1, "1", "too_old") == "open"
    waivers.apply(sources, "q")
    assert rejects.every(sources, rejects.Which(state="open"))
    waivers.apply(sources, "p")
    assert not rejects.every(sources, rejects.Which(state="open"))


def test_a_waiver_is_taken_back_whole(sources: Ledger, run: Run) -> None:
    reject(sources, 1, "1", "too_old")
    waivers.give(sources, run, waivers.Covers("too_old"), by="ann", reason="agreed")
    (waived,) = rejects.every(sources, rejects.Which())
    for wider in (rejects.Which(ids=[waived.id]), rejects.Which(stage="one"), rejects.Which(source="public.a")):
        with pytest.raises(RefusedError, match="covers more than that"):
            waivers.revoke(sources, wider, by="bob", reason="no")
    with pytest.raises(MoveRefusedError):
        waivers.revoke(sources, rejects.Which(), by="bob", reason="")
    found, opened = waivers.revoke(sources, rejects.Which(plan="p", reason="too_old"), by="bob", reason="mend them")
    assert ([each.reason for each in found], opened) == (["too_old"], [waived.id])
    assert rewrite(sources, 1, "1", "too_old", 1) == "open"
    assert waivers.revoke(sources, rejects.Which(), by="bob", reason="again") == ([], [])


def test_a_waiver_does_not_outlive_its_run(sources: Ledger, run: Run) -> None:
    waivers.give(sources, run, waivers.Covers("too_old"), by="ann", reason="agreed")
    runs.move(sources, run, "rolled_back")
    start_or_resume(sources, PlanMark("p", 2, "def"), "cutover")
    assert reject(sources, 1, "1", "too_old") == "open"
    assert waivers.every(sources, rejects.Which()) == []


def test_a_stage_that_is_taken_back_takes_its_waivers_with_it(sources: Ledger, run: Run) -> None:
    for source in (1, 2):
        reject(sources, source, "1", "too_old")
    rejects.waive(sources, rejects.Which(plan="p"), by="ann", reason="seen")
    waivers.give(sources, run, waivers.Covers("no_name"), by="ann", reason="agreed")
    waivers.withdraw(sources, run, "one")
    assert {each.stage: each.state for each in rejects.every(sources, rejects.Which())} == {
        "one": "open",
        "two": "waived",
    }
    assert rewrite(sources, 1, "1", "too_old", 1) == "open"
    assert rewrite(sources, 2, "1", "too_old", 1) == "waived"
    assert reject(sources, 2, "2", "no_name") == "open"
