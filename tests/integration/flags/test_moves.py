"""Promote, demote, kill: what each move forward needs, and that nothing holds up a move back."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from flags import proposals, store
from flags.errors import FlagGateError, FlagHeldError, FlagRulesError, NoProposalError, SecondPersonError
from flags.stages import Stage
from flags.store import By, Change
from tests.integration.flags.conftest import FLAG
from tests.support.database import Database

ANN = By("ann", "because")
BOB = By("bob", "agreed")
PILOTS: dict[str, Any] = {"name": "pilots", "if": {"tenant": "acme"}, "rollout": 100}
NOT_YET: dict[str, Any] = {"name": "not yet", "if": {"tenant": "big"}, "rollout": 0}


@pytest.mark.parametrize(("phase", "missing"), [("dual-write", "mirrors"), ("backfill", "copied")])
def test_shadow_needs_the_mirror_and_the_backfill(
    conn: psycopg.Connection, planned: store.Flag, phase: str, missing: str
) -> None:
    conn.execute("UPDATE changeover.phase SET state = 'running' WHERE phase = %s", (phase,))
    with pytest.raises(FlagGateError, match=missing):
        store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    with pytest.raises(psycopg.Error, match=missing):
        conn.execute("UPDATE changeover.feature_flags SET stage = 'shadow'")
    assert store.get(conn, FLAG) == planned
    conn.execute("UPDATE changeover.phase SET state = 'done'")
    assert store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN).stage == "shadow"
    conn.execute("UPDATE changeover.phase SET state = 'failed'")
    assert store.set_flag(conn, FLAG, Change(Stage.DUALWRITE), ANN).stage == "dualwrite"


def test_live_needs_the_reverse_mirror(conn: psycopg.Connection, verified: store.Flag) -> None:
    conn.execute(
        """CREATE TABLE public.audits (id int);
           INSERT INTO changeover.mapping (plan, stage, name, kind, target, target_oid)
           VALUES ('cqms', 'audits', 'audits', 'unify', 'public.audits', 'public.audits'::regclass);
           CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"""
    )
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    with pytest.raises(FlagGateError, match=r"the reverse mirror on public\.audits is off"):
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
    conn.execute(
        """CREATE TRIGGER changeover_m1_reverse AFTER INSERT ON public.audits
           FOR EACH ROW EXECUTE FUNCTION public.nothing()"""
    )
    assert store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=1), ANN).version == verified.version + 2
    conn.execute("ALTER TABLE public.audits DISABLE TRIGGER changeover_m1_reverse")
    with pytest.raises(FlagGateError, match="is off"):
        store.set_flag(conn, FLAG, Change(rollout=10), ANN)


def test_complete_needs_the_soak(conn: psycopg.Connection, verified: store.Flag) -> None:
    assert store.ensure(conn, FLAG, "cqms", "audits", ANN, soak_hours=24).version == verified.version + 1
    for change in (Change(Stage.LIVE, rollout=50), Change(rollout=100), Change(Stage.RAMPDOWN)):
        store.set_flag(conn, FLAG, change, ANN)
    with pytest.raises(FlagGateError, match=r"for 0\.0 of 24 hours"):
        store.set_flag(conn, FLAG, Change(Stage.COMPLETE), ANN)
    conn.execute("ALTER TABLE changeover.flag_history DISABLE TRIGGER append_only")
    conn.execute("UPDATE changeover.flag_history SET at = at - interval '25 hours' WHERE rollout = 50")
    with pytest.raises(FlagGateError, match=r"for 0\.0 of 24 hours"):
        store.set_flag(conn, FLAG, Change(Stage.COMPLETE), ANN)
    conn.execute("UPDATE changeover.flag_history SET at = at - interval '25 hours' WHERE stage = 'live'")
    assert store.set_flag(conn, FLAG, Change(Stage.COMPLETE), ANN).stage == "complete"


def test_a_killed_flag_waits_for_a_person(conn: psycopg.Connection, verified: store.Flag) -> None:
    store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
    killed = store.kill(conn, FLAG, By("bob", "p99 doubled"))
    assert (killed.stage, killed.enabled, killed.hold) == ("dualwrite", False, "bob killed it: p99 doubled")
    with pytest.raises(FlagHeldError, match="p99 doubled"):
        store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    with pytest.raises(psycopg.Error, match="p99 doubled") as raw:
        conn.execute("UPDATE changeover.feature_flags SET enabled = true")
    assert raw.value.sqlstate == store.HELD
    assert store.set_flag(conn, FLAG, Change(Stage.OFF), ANN).hold
    assert store.set_flag(conn, FLAG, Change(Stage.DUALWRITE, release=True), ANN).hold is None
    assert store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN).version == verified.version + 5


def test_rules_that_let_somebody_in_are_a_move_forward(conn: psycopg.Connection, verified: store.Flag) -> None:
    store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=0, rules=[PILOTS]), ANN)
    asked = "SELECT changeover.flag_reads_new(%s, 'k', %s::jsonb)"
    assert conn.execute(asked, (FLAG, '{"tenant": "acme"}')).fetchone() == (True,)
    assert conn.execute(asked, (FLAG, '{"tenant": "other"}')).fetchone() == (False,)
    conn.execute("UPDATE changeover.phase SET state = 'failed'")
    for forward in ([PILOTS, PILOTS], [{**PILOTS, "if": {}}], []):
        with pytest.raises(FlagGateError):
            store.set_flag(conn, FLAG, Change(rules=forward), ANN)
    barred = store.set_flag(conn, FLAG, Change(rules=[NOT_YET, PILOTS]), ANN)
    assert barred.version == verified.version + 2
    with pytest.raises(FlagGateError):
        store.set_flag(conn, FLAG, Change(rules=[PILOTS]), ANN)


@pytest.mark.parametrize(
    "rules",
    [
        "{}",
        "[1]",
        '[{"rollout": 101}]',
        '[{"rollout": "5"}]',
        '[{"rollout": 1.5}]',
        '[{"when": {}}]',
        '[{"name": 1}]',
        '[{"if": []}]',
        '[{"if": {"a": null}}]',
        '[{"if": {"a": [null]}}]',
        '[{"if": {"a": [[1]]}}]',
        '[{"if": {"a": {}}}]',
        '[{"if": {"a": {"like": "x"}}}]',
        '[{"if": {"a": {"prefix": 1}}}]',
        '[{"if": {"a": {"not": [{}]}}}]',
        f'[{{"name": "{"x" * 6000}"}}]',
    ],
)
def test_what_is_no_rule_is_refused_on_both_sides(conn: psycopg.Connection, planned: store.Flag, rules: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE changeover.feature_flags SET rules = %s::jsonb", (rules,))
    with pytest.raises(FlagRulesError):
        store.set_flag(conn, FLAG, Change(rules=json.loads(rules)), ANN)
    assert store.get(conn, FLAG) == planned


def test_a_flag_removed_at_the_end_goes_on_reading_the_new_tables(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES ('DONE', 'complete'), ('NOT_YET', 'live')")
    conn.execute("DELETE FROM changeover.feature_flags")
    assert conn.execute(
        "SELECT changeover.flag_reads_new('DONE'), changeover.flag_reads_new('NOT_YET'), changeover.flag_reads_new('X')"
    ).fetchone() == (True, False, False)
    conn.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('DONE')")
    assert conn.execute("SELECT changeover.flag_reads_new('DONE')").fetchone() == (False,)


def test_two_have_to_agree_whoever_writes(conn: psycopg.Connection, verified: store.Flag) -> None:
    before = store.set_flag(conn, FLAG, Change(Stage.SHADOW, second_person=True), ANN)
    raw = "UPDATE changeover.feature_flags SET stage = 'live', rollout = 10, updated_by = %s WHERE flag = %s"
    for statement in (raw, raw.replace("SET", "SET second_person = false,")):
        with pytest.raises(psycopg.Error, match="a second person has to agree"):
            conn.execute(statement, ("ann", FLAG))
    with pytest.raises(SecondPersonError):
        store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=10), BOB)
    made = proposals.propose(conn, FLAG, Change(Stage.LIVE, rollout=10), ANN, expected_version=before.version)
    assert proposals.pending(conn, FLAG) == made
    with pytest.raises(SecondPersonError, match="ann"):
        proposals.approve(conn, FLAG, ANN)
    with pytest.raises(psycopg.Error, match="a second person"):  # bob may make this move, and no other
        conn.execute(raw.replace("10", "50"), ("bob", FLAG))
    conn.execute(raw, ("bob", FLAG))
    last = store.history(conn, FLAG)[-1]
    assert (last.stage, last.rollout, last.actor, last.proposed_by) == ("live", 10, "bob", "ann")
    assert proposals.pending(conn, FLAG) is None
    assert verified.version < last.version


def test_a_proposal_ends_with_any_other_change_and_a_move_back_takes_nobody(
    installed: Database, conn: psycopg.Connection, verified: store.Flag
) -> None:
    store.set_flag(conn, FLAG, Change(Stage.SHADOW, second_person=True), ANN)
    proposals.propose(conn, FLAG, Change(Stage.LIVE), ANN)
    store.set_flag(conn, FLAG, Change(rollout=50), ANN)
    with pytest.raises(NoProposalError):
        proposals.approve(conn, FLAG, BOB)
    proposals.propose(conn, FLAG, Change(Stage.LIVE), ANN)
    proposals.approve(conn, FLAG, BOB)
    assert store.set_flag(conn, FLAG, Change(enabled=False), ANN).stage == "shadow"
    proposals.propose(conn, FLAG, Change(Stage.LIVE), ANN)
    conn.execute("UPDATE changeover.verification SET state = 'different'")
    with pytest.raises(FlagGateError, match="found differences"):  # two names do not open a gate
        proposals.approve(conn, FLAG, BOB)
    with installed.connect() as other, other.transaction():
        other.execute("SELECT FROM changeover.flag_proposal FOR UPDATE")
        conn.execute("SET statement_timeout = '60s'")  # a kill waits for nobody's proposal
        assert store.kill(conn, FLAG, ANN).stage == "dualwrite"
    assert proposals.pending(conn, FLAG) is None
    assert verified.rollout == 100
