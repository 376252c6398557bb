"""Changing flags: through the store, by a raw UPDATE, by two at once; and every rule of the table attacked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from flags import store
from flags.errors import FlagConflictError, FlagGateError, FlagMoveError, FlagTakenError, UnknownFlagError
from flags.stages import Stage
from flags.store import By, Change
from orchestrator.kernel.errors import UsageError
from tests.integration.flags.conftest import FLAG

if TYPE_CHECKING:
    from tests.support.database import Database

ANN = By("ann", "because")


def _history(conn: psycopg.Connection) -> list[tuple[int, str, str | None, str, str, str | None]]:
    return [(e.version, e.kind, e.was_stage, e.stage, e.actor, e.reason) for e in store.history(conn, FLAG)]


def test_the_documents_own_statement(conn: psycopg.Connection, verified: store.Flag) -> None:
    store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
    conn.execute("SET search_path = changeover, public")
    done = conn.execute("UPDATE feature_flags SET enabled = false WHERE flag = 'USE_UNIFIED_AUDITS_TABLE'")
    assert done.rowcount == 1
    flag = store.get(conn, FLAG)
    assert (flag.enabled, flag.stage, flag.version) == (False, "shadow", verified.version + 2)
    assert flag.updated_by == "changeover_owner"
    assert flag.reason is None  # not the reason of the change before
    assert _history(conn)[-1] == (flag.version, "changed", "live", "shadow", "changeover_owner", None)
    conn.execute("UPDATE feature_flags SET enabled = true, reason = 'again' WHERE flag = 'USE_UNIFIED_AUDITS_TABLE'")
    assert (store.get(conn, FLAG).stage, store.get(conn, FLAG).reason) == ("live", "again")


@pytest.mark.parametrize(
    ("before", "change", "stage"),
    [
        ("live", "enabled = false", "shadow"),
        ("complete", "enabled = false", "shadow"),
        ("off", "enabled = false", "off"),
        ("off", "enabled = true", "live"),
        ("shadow", "stage = 'live'", "live"),
        ("live", "stage = 'dualwrite'", "dualwrite"),
        ("live", "stage = 'rampdown', enabled = true", "rampdown"),
        # Contradictions: the old side wins.
        ("shadow", "stage = 'dualwrite', enabled = true", "dualwrite"),
        ("live", "stage = 'rampdown', enabled = false", "shadow"),
    ],
)
def test_enabled_and_stage_agree(conn: psycopg.Connection, before: str, change: str, stage: str) -> None:
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES ('F', %s)", (before,))
    conn.execute(f"UPDATE changeover.feature_flags SET {change} WHERE flag = 'F'".encode())
    flag = store.get(conn, "F")
    assert flag.stage == stage
    assert flag.enabled == (stage in {"live", "rampdown", "complete"})


@pytest.mark.parametrize(
    ("columns", "values", "stage"),
    [
        ("enabled", "true", "live"),
        ("enabled", "false", "off"),
        ("stage", "'rampdown'", "rampdown"),
        ("rollout", "5", "off"),
    ],
)
def test_what_an_insert_leaves_out_is_derived(conn: psycopg.Connection, columns: str, values: str, stage: str) -> None:
    text = f"INSERT INTO changeover.feature_flags (flag, {columns}) VALUES ('F', {values})"
    conn.execute(text.encode())
    assert store.get(conn, "F").stage == stage


def test_a_change_that_changes_nothing_leaves_no_trace(conn: psycopg.Connection, planned: store.Flag) -> None:
    assert store.set_flag(conn, FLAG, Change(Stage.DUALWRITE), ANN) == planned
    conn.execute("UPDATE changeover.feature_flags SET enabled = false")
    assert store.get(conn, FLAG) == planned
    assert len(_history(conn)) == 2


def test_who_and_why_are_recorded(conn: psycopg.Connection, planned: store.Flag) -> None:
    flag = store.set_flag(conn, FLAG, Change(Stage.SHADOW), By("ann@cqms", "looks good"))
    assert (flag.updated_by, flag.reason) == ("ann@cqms", "looks good")
    assert _history(conn) == [
        (1, "created", None, "off", "engine", "dual-write is on"),
        (2, "changed", "off", "dualwrite", "engine", "mirror"),
        (3, "changed", "dualwrite", "shadow", "ann@cqms", "looks good"),
    ]
    with conn.transaction():
        store.set_flag(conn, FLAG, Change(Stage.DUALWRITE), ANN)
        conn.execute("UPDATE changeover.feature_flags SET stage = 'off'")
    assert store.get(conn, FLAG).updated_by == "changeover_owner"  # ann's name ended with her change
    assert flag.version == planned.version + 1


def test_steps_forward_are_single_and_back_is_free(conn: psycopg.Connection, verified: store.Flag) -> None:
    assert verified.stage == "dualwrite"
    with pytest.raises(FlagMoveError, match="from dualwrite to complete"):
        store.set_flag(conn, FLAG, Change(Stage.COMPLETE), ANN)
    store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=10), ANN)
    with pytest.raises(FlagMoveError, match="live for 10 %"):
        store.set_flag(conn, FLAG, Change(Stage.RAMPDOWN), ANN)
    store.set_flag(conn, FLAG, Change(rollout=100), ANN)
    for stage in (Stage.RAMPDOWN, Stage.COMPLETE, Stage.OFF):
        assert store.set_flag(conn, FLAG, Change(stage), ANN).stage == stage
    with pytest.raises(FlagMoveError, match="from off to live"):
        store.set_flag(conn, FLAG, Change(enabled=True), ANN)


def test_a_flag_without_a_plan_has_no_steps(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('USE_MATERIALIZED_VIEWS')")
    assert store.set_flag(conn, "USE_MATERIALIZED_VIEWS", Change(enabled=True), ANN).stage == "live"


def test_nonsense_is_refused(conn: psycopg.Connection, planned: store.Flag) -> None:
    with pytest.raises(UnknownFlagError, match="USE_NOTHING"):
        store.set_flag(conn, "USE_NOTHING", Change(Stage.OFF), ANN)
    with pytest.raises(UsageError, match="contradict"):
        store.set_flag(conn, FLAG, Change(Stage.OFF, enabled=True), ANN)
    with pytest.raises(UsageError, match="101"):
        store.set_flag(conn, FLAG, Change(rollout=101), ANN)
    assert store.every(conn) == [planned]


def test_no_reads_without_a_clean_verification(conn: psycopg.Connection, planned: store.Flag) -> None:
    with pytest.raises(FlagGateError, match="has not been verified"):
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
    with pytest.raises(psycopg.Error, match="has not been verified") as raw:
        conn.execute("UPDATE changeover.feature_flags SET enabled = true")
    assert raw.value.sqlstate == store.GATE_SHUT
    with pytest.raises(psycopg.Error, match="has not been verified"):
        conn.execute(
            """INSERT INTO changeover.feature_flags (flag, enabled, plan, plan_stage)
               VALUES ('F', true, 'cqms', 'audits')"""
        )
    assert store.get(conn, FLAG) == planned


def test_a_later_difference_shuts_the_gate_but_never_the_way_back(
    conn: psycopg.Connection, verified: store.Flag
) -> None:
    assert store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=10), ANN).version == verified.version + 1
    conn.execute(
        """INSERT INTO changeover.verification (run_id, plan, stage, checksum, state, differences)
           VALUES (1, 'cqms', 'audits', 'abc', 'different', 1)"""
    )
    with pytest.raises(FlagGateError, match="found differences"):
        store.set_flag(conn, FLAG, Change(rollout=50), ANN)
    assert store.set_flag(conn, FLAG, Change(rollout=5), ANN).rollout == 5
    assert store.set_flag(conn, FLAG, Change(Stage.OFF), ANN).stage == "off"


def test_a_verification_of_an_earlier_run_opens_nothing(conn: psycopg.Connection, verified: store.Flag) -> None:
    conn.execute(
        """UPDATE changeover.run SET state = 'rolled_back';
           INSERT INTO changeover.run (plan, plan_version, checksum, kind) VALUES ('cqms', 1, 'abc', 'cutover')"""
    )
    with pytest.raises(FlagGateError):
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN, expected_version=verified.version)


def test_the_engines_gate_is_asked_forward_only(conn: psycopg.Connection, verified: store.Flag) -> None:
    asked: list[Stage] = []

    def gate(_conn: psycopg.Connection, flag: store.Flag, stage: Stage) -> str | None:
        asked.append(stage)
        return "the reverse mirror is off" if flag.rollout == 100 and stage is Stage.LIVE else None

    assert verified.rollout == 100
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN, gate=gate)
    assert asked == []
    with pytest.raises(FlagGateError, match="the reverse mirror is off"):
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN, gate=gate)
    store.set_flag(conn, FLAG, Change(rollout=1), ANN, gate=gate)
    store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN, gate=gate)
    asked.clear()
    store.set_flag(conn, FLAG, Change(Stage.DUALWRITE), ANN, gate=gate)
    assert asked == []


def test_the_loser_is_told_whom_it_lost_to(installed: Database, conn: psycopg.Connection, planned: store.Flag) -> None:
    other = installed.connect()
    seen = planned.version
    store.set_flag(other, FLAG, Change(Stage.SHADOW), By("bob", "first"), expected_version=seen)
    with pytest.raises(FlagConflictError, match=f"version {seen + 1} by now, set by bob") as lost:
        store.set_flag(conn, FLAG, Change(Stage.OFF), ANN, expected_version=seen)
    assert (lost.value.expected, lost.value.found) == (seen, seen + 1)


def test_of_two_at_the_same_moment_one_wins(installed: Database, planned: store.Flag) -> None:
    outcome: list[str] = []
    start = threading.Barrier(2)

    def promote(name: str) -> None:
        own = installed.connect()
        start.wait(60)
        try:
            store.set_flag(own, FLAG, Change(Stage.SHADOW), By(name), expected_version=planned.version)
            outcome.append("won")
        except FlagConflictError:
            outcome.append("lost")

    threads = [threading.Thread(target=promote, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcome) == ["lost", "won"]
    assert installed.value("SELECT count(*) FROM changeover.flag_history WHERE stage = 'shadow'") == 1


def test_a_plan_gets_its_flag_once(conn: psycopg.Connection, planned: store.Flag) -> None:
    assert store.ensure(conn, FLAG, "cqms", "audits", ANN) == planned
    with pytest.raises(FlagTakenError, match="stage audits of plan cqms"):
        store.ensure(conn, FLAG, "cqms", "foundation", ANN)
    conn.execute("INSERT INTO changeover.feature_flags (flag, enabled) VALUES ('BY_HAND', false), ('TOO_FAR', true)")
    adopted = store.ensure(conn, "BY_HAND", "cqms", "audits", ANN)
    assert (adopted.plan, adopted.plan_stage, adopted.updated_by) == ("cqms", "audits", "ann")
    with pytest.raises(FlagTakenError, match="set it to live"):
        store.ensure(conn, "TOO_FAR", "cqms", "audits", ANN)


def test_a_flag_that_comes_back_goes_on_counting(conn: psycopg.Connection, planned: store.Flag) -> None:
    assert store.delete(conn, FLAG, By("ann", "not needed"))
    assert not store.delete(conn, FLAG, ANN)
    assert _history(conn)[-1] == (planned.version + 1, "deleted", "dualwrite", "dualwrite", "ann", "not needed")
    assert store.ensure(conn, FLAG, "cqms", "audits", ANN).version == planned.version + 2


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE changeover.flag_history SET actor = 'nobody'",
        "DELETE FROM changeover.flag_history",
        "TRUNCATE changeover.flag_history",
        "TRUNCATE changeover.feature_flags",
        "UPDATE changeover.feature_flags SET flag = 'OTHER'",
        "UPDATE changeover.feature_flags SET stage = 'launched'",
        "UPDATE changeover.feature_flags SET rollout = 101",
        "UPDATE changeover.feature_flags SET plan = NULL",
        "INSERT INTO changeover.feature_flags (flag) VALUES ('')",
        "INSERT INTO changeover.feature_flags (flag) VALUES ('USE_UNIFIED_AUDITS_TABLE')",
    ],
)
def test_every_rule_of_the_tables_holds(conn: psycopg.Connection, planned: store.Flag, attack: str) -> None:
    with pytest.raises(psycopg.Error):
        conn.execute(attack.encode())
    assert store.get(conn, FLAG) == planned


def test_a_version_cannot_be_forged(conn: psycopg.Connection, planned: store.Flag) -> None:
    conn.execute("UPDATE changeover.feature_flags SET version = 1, rollout = 7")
    assert store.get(conn, FLAG).version == planned.version + 1
    conn.execute("UPDATE changeover.feature_flags SET version = 99")
    assert store.get(conn, FLAG).version == planned.version + 1


def test_the_check_holds_without_the_trigger(conn: psycopg.Connection, planned: store.Flag) -> None:
    conn.execute("ALTER TABLE changeover.feature_flags DISABLE TRIGGER flag_before")
    with pytest.raises(psycopg.errors.CheckViolation, match="enabled_says_who_is_read"):
        conn.execute("UPDATE changeover.feature_flags SET enabled = true")
    assert store.get(conn, FLAG) == planned


def test_an_application_may_ask_and_not_change(
    installed: Database, conn: psycopg.Connection, planned: store.Flag
) -> None:
    store.allow_reading(conn, installed.app_role)
    app = installed.connect("app")
    assert store.get(app, FLAG) == planned
    assert app.execute("SELECT changeover.flag_reads_new(%s, 'x')", (FLAG,)).fetchone() == (False,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE changeover.feature_flags SET enabled = true")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT * FROM changeover.flag_history")


def test_who_may_change_a_flag_needs_no_rights_on_its_history(
    installed: Database, conn: psycopg.Connection, planned: store.Flag
) -> None:
    store.allow_reading(conn, installed.app_role)
    installed.run(f'GRANT UPDATE ON changeover.feature_flags TO "{installed.app_role}"')
    app = installed.connect("app")
    app.execute("UPDATE changeover.feature_flags SET stage = 'off'")
    assert _history(conn)[-1] == (planned.version + 1, "changed", "dualwrite", "off", installed.app_role, None)


def test_a_change_is_announced_at_commit(installed: Database, conn: psycopg.Connection, planned: store.Flag) -> None:
    assert planned.rollout != 20
    listening = installed.connect()
    listening.execute("LISTEN changeover_flags")
    with conn.transaction():
        store.set_flag(conn, FLAG, Change(rollout=20), ANN)
        assert list(listening.notifies(timeout=0.2)) == []
    store.delete(conn, FLAG, ANN)
    # Whoever may connect may listen: they hear that there is something to read, and nothing of it.
    assert [notice.payload for notice in listening.notifies(timeout=60, stop_after=2)] == ["", ""]
