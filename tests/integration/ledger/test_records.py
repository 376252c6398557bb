"""Rejects, verifications, approvals and the history."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.ledger import approvals, events, rejects, verifications, waivers
from orchestrator.ledger.errors import MoveRefusedError, UnknownRejectError
from orchestrator.ledger.store import About

if TYPE_CHECKING:
    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger


@pytest.fixture
def rejected(ledger: Ledger) -> Ledger:
    ledger.conn.execute(
        """INSERT INTO changeover.mapping (plan, stage, name, kind, target)
           VALUES ('p', 'audits', 'audits', 'unify', 'public.audits'), ('q', 'x', 'm', 'merge', 'public.t');
           INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid)
           VALUES (1, 'public.chat', 'public', 'chat', 1), (2, 'public.other', 'public', 'other', 2);
           INSERT INTO changeover.reject (source_id, source, stage, key, reason, "row")
           VALUES (1, 'public.chat', 'audits', '1', 'no_date', '{"id": 1}'),
                  (1, 'public.chat', 'audits', '2', 'no_date', '{"id": 2}'),
                  (1, 'public.chat', 'audits', NULL, 'invalid_email', '{"id": null}'),
                  (2, 'public.other', 'x', '1', 'no_date', '{}')"""
    )
    return ledger


def test_rejects_are_listed_whole(rejected: Ledger) -> None:
    found = rejects.every(rejected, rejects.Which(plan="p"))
    assert [(each.key, each.reason) for each in found] == [("1", "no_date"), ("2", "no_date"), (None, "invalid_email")]
    first = found[0].as_json()
    assert set(first) == {"id", "source", "key", "reason", "stage", "state", "row", "created_at"}
    assert first["source"] == "public.chat"
    assert first["row"] == {"id": 1}
    assert dt.datetime.fromisoformat(first["created_at"]).utcoffset() == dt.timedelta(0)
    paged = rejects.every(rejected, rejects.Which(), limit=2, after=found[1].id)
    assert [each.reason for each in paged] == ["invalid_email", "no_date"]
    assert rejects.every(rejected, rejects.Which(ids=[])) == []


def test_rejects_are_counted_by_reason(rejected: Ledger) -> None:
    counted = {(count.reason, count.state): count.rows for count in rejects.counts(rejected, rejects.Which(plan="p"))}
    assert counted == {("no_date", "open"): 2, ("invalid_email", "open"): 1}


def test_rejects_are_waived_by_name(rejected: Ledger) -> None:
    which = rejects.Which(plan="p", reason="no_date")
    with pytest.raises(MoveRefusedError, match="by a name and for a reason"):
        rejects.waive(rejected, which, by="ann", reason=" ")
    ids = rejects.waive(rejected, which, by="ann", reason="drafts of 2019")
    assert len(ids) == 2
    waived = rejects.get(rejected, ids[0])
    assert waived is not None
    assert (waived.state, waived.waived_by, waived.waived_reason) == ("waived", "ann", "drafts of 2019")
    assert rejects.waive(rejected, which, by="ann", reason="the first answer was lost") == []
    assert rejects.waive(rejected, rejects.Which(plan="p", reason="no_such_reason"), by="bob", reason="again") == []
    with pytest.raises(UnknownRejectError):
        rejects.waive(rejected, rejects.Which(ids=[4711]), by="bob", reason="again")
    (event,) = events.history(rejected, events.Which(kinds=["reject.waived"]))
    assert (event.plan, event.stage, event.detail["ids"]) == ("p", "audits", ids)
    found = waivers.revoke(rejected, rejects.Which(ids=ids[:1]), by="ann", reason="they were needed after all")
    assert found == ([], ids[:1])
    assert len(rejects.every(rejected, rejects.Which(plan="p", state="open"))) == 2


def test_the_database_wants_a_name_too(rejected: Ledger) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        rejected.conn.execute("UPDATE changeover.reject SET state = 'waived'")


def test_a_key_of_any_length_can_be_rejected_and_queueed(ledger: Ledger) -> None:
    """A B-tree would refuse these, and a mirror must never raise."""
    key = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(50_000))  # does not compress
    ledger.conn.execute(
        "INSERT INTO changeover.reject (source_id, source, stage, key, reason) VALUES (1, 's', 's', %s, 'r')", (key,)
    )
    ledger.conn.execute(
        """INSERT INTO changeover.queue (source_id, direction, key)
           VALUES (1, 'forward', %(k)s), (1, 'forward', %(k)s)""",
        {"k": key},
    )
    found = ledger.conn.execute("SELECT count(*) FROM changeover.queue WHERE source_id = 1 AND key = %s", (key,))
    assert found.fetchone() == (2,)


def _subject(run: Run, checksum: str = "abc") -> verifications.Subject:
    return verifications.Subject("p", "audits", checksum, run.id)


def _compare(ledger: Ledger, verification: verifications.Verification, differences: int) -> None:
    ledger.conn.execute(
        "INSERT INTO changeover.verify_range (verification_id, scope, lo, hi, rows, differences)"
        " VALUES (%s, 'public.chat', 0, 10, 100, 0), (%s, 'public.chat', 10, 20, 100, %s)",
        (verification.id, verification.id, differences),
    )


def test_a_clean_verification_adds_up(ledger: Ledger, run: Run) -> None:
    begun, resumed = verifications.start_or_resume(ledger, _subject(run))
    assert not resumed
    _compare(ledger, begun, 0)
    again, resumed = verifications.start_or_resume(ledger, _subject(run))
    assert resumed
    assert again.id == begun.id
    assert [each.lo for each in verifications.compared(ledger, again)] == [0, 10]
    done = verifications.finish(ledger, begun, detail={"orphans": 0})
    assert (done.state, done.rows_compared, done.differences, done.detail) == ("clean", 200, 0, {"orphans": 0})
    assert verifications.clean(ledger, _subject(run))
    assert not verifications.clean(ledger, _subject(run, "other plan"))
    assert not verifications.clean(ledger, verifications.Subject("p", "audits", "abc", run.id + 1))


def test_a_difference_is_not_clean(ledger: Ledger, run: Run) -> None:
    begun, _ = verifications.start_or_resume(ledger, _subject(run))
    _compare(ledger, begun, 1)
    ledger.conn.execute(
        """INSERT INTO changeover.difference (verification_id, source, key, kind, columns, expected, actual)
           VALUES (%s, 'public.chat', '7', 'different', '{total_score}',
                   '{"total_score": 1}', '{"total_score": 2}')""",
        (begun.id,),
    )
    assert verifications.finish(ledger, begun, detail={}).state == "different"
    assert not verifications.clean(ledger, _subject(run))
    (difference,) = verifications.differences(ledger, begun)
    assert (difference.key, difference.columns, difference.actual) == ("7", ["total_score"], {"total_score": 2})
    with pytest.raises(psycopg.errors.CheckViolation):
        ledger.conn.execute("UPDATE changeover.verification SET state = 'clean'")
    with pytest.raises(MoveRefusedError):
        verifications.finish(ledger, begun, detail={})


def test_an_unfinished_one_of_another_plan_is_discarded(ledger: Ledger, run: Run) -> None:
    old, _ = verifications.start_or_resume(ledger, _subject(run, "old"))
    _compare(ledger, old, 0)
    new, resumed = verifications.start_or_resume(ledger, _subject(run))
    assert not resumed
    assert verifications.compared(ledger, old) == []
    verifications.finish(ledger, new, detail={})
    assert verifications.discard(ledger, "p", "audits", why="backfill was taken back") == 1
    assert verifications.latest(ledger, "p", "audits") is None


def test_a_control_is_approved_by_name_in_one_run(ledger: Ledger, rival: Ledger, run: Run) -> None:
    subject = approvals.Subject(run, "audits", "approval")
    with pytest.raises(MoveRefusedError):
        approvals.approve(ledger, subject, by="ann", reason="")
    approvals.approve(ledger, subject, by="ann", reason="soaked a week")
    approvals.approve(ledger, subject, by="ann", reason="soaked two weeks")
    approvals.approve(rival, subject, by="bob", reason="agreed", role="qa")
    given = approvals.every(ledger, run, "audits")
    assert [(each.approved_by, each.role, each.reason, each.checksum) for each in given] == [
        ("ann", "", "soaked two weeks", run.checksum),
        ("bob", "qa", "agreed", run.checksum),
    ]
    with pytest.raises(psycopg.errors.UniqueViolation):
        approvals.approve(ledger, subject, by=" ANN ", reason="as somebody else", role="qa")
    assert approvals.revoke(ledger, subject, by="bob", reason="second thoughts")
    assert not approvals.revoke(ledger, subject, by="bob", reason="second thoughts")
    approvals.withdraw(ledger, run, "another stage")
    assert len(approvals.every(ledger, run, "audits")) == 1
    approvals.withdraw(ledger, run, "audits")
    assert approvals.every(ledger, run, "audits") == []


def test_history_is_chosen_and_paged(ledger: Ledger) -> None:
    for number in range(5):
        ledger.event("phase.done", About("p", "audits"), number=number)
        ledger.event("phaseless", About("q"))
    which = events.Which(plan="p", stage="audits", kinds=["phase"])
    found = events.history(ledger, which, limit=3)
    assert [entry.detail["number"] for entry in found] == [2, 3, 4]
    later = events.history(ledger, events.Which(after=found[-1].id))
    assert [entry.kind for entry in later] == ["phaseless"]
    assert found[0].as_json()["actor"] == "ann"
    assert len(events.history(ledger, events.Which(kinds=["phase"]))) == 5
