"""Shadow reads and the guard: the caller gets the right answer at once, and a defect takes the flag back by itself."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.types.json import Jsonb

from flags import guard, mismatches, store
from flags.client import AsyncFlagClient
from flags.errors import FlagHeldError
from flags.recorder import Recorder
from flags.shadow import Options, Order, Shadow
from flags.stages import Stage
from flags.store import By, Change
from flags.sync_client import FlagClient
from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.kernel.events import Bus, Event
from tests.integration.flags.conftest import FLAG
from tests.support.database import Database
from tests.support.running import eventually

ANN = By("ann", "because")
ROWS = [{"id": 1, "score": 90, "email": "a@b.c"}, {"id": 2, "score": 80, "email": "d@e.f"}]
WRONG = [{"id": 1, "score": 90, "email": "a@b.c"}, {"id": 2, "score": 79, "email": "d@e.f"}]


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def recorder(installed: Database, heard: list[Event]) -> Iterator[Recorder]:
    """As the application's role, which may report and nothing else."""
    with installed.connect() as owner:
        store.allow_reporting(owner, installed.app_role)
    bus = Bus()
    bus.subscribe(heard.append)
    with Recorder(lambda: connect(installed.app_dsn, role="shadow"), bus=bus) as made:
        yield made


@pytest.fixture
def client(installed: Database, conn: psycopg.Connection, verified: store.Flag) -> Iterator[FlagClient]:
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    with FlagClient(lambda: connect(installed.dsn, role="flags")) as made:
        yield made
    assert verified.plan


@pytest.mark.parametrize("order", list(Order))
def test_the_old_side_answers_and_the_new_one_is_compared(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder, order: Order
) -> None:
    shadow = Shadow(client, recorder, Options(order=order, redact=frozenset({"email"})))
    assert shadow.read(FLAG, "report", old=lambda: ROWS, new=lambda: ROWS[::-1], key="k") is ROWS
    assert shadow.read(FLAG, "report", old=lambda: ROWS, new=lambda: WRONG, key="k") is ROWS
    eventually(lambda: sum(r.compared for r in mismatches.readings(conn, FLAG)) == 2)
    (found,) = mismatches.mismatches(conn, FLAG)
    assert (found.kind, found.key, found.read, found.fields) == ("different", "k", "report", ["[1].score"])
    assert found.old_value[1] == {"id": 2, "score": 80, "email": "<redacted>"}
    assert found.new_ms is not None


def test_in_live_the_new_side_answers(conn: psycopg.Connection, client: FlagClient, recorder: Recorder) -> None:
    store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
    eventually(lambda: client.reads_new(FLAG))
    shadow = Shadow(client, recorder)
    assert shadow.read(FLAG, "report", old=lambda: ROWS, new=lambda: WRONG) is WRONG
    eventually(lambda: len(mismatches.mismatches(conn, FLAG)) == 1)
    assert mismatches.mismatches(conn)[0].old_value == ROWS
    with pytest.raises(ZeroDivisionError):
        shadow.read(FLAG, "report", old=lambda: 1, new=lambda: 1 // 0)


@pytest.mark.parametrize("order", list(Order))
def test_the_candidates_error_and_latency_are_its_own(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder, order: Order
) -> None:
    shadow = Shadow(client, recorder)
    soon, later = Options(order=order, deadline=0.2), Options(order=order, deadline=60)
    held, answered = threading.Event(), list[bool]()
    assert shadow.read(FLAG, "slow", old=lambda: 1, new=lambda: answered.append(held.wait(90)), options=soon) == 1
    assert shadow.read(FLAG, "broken", old=lambda: 1, new=lambda: 1 // 0, options=later) == 1
    eventually(lambda: {m.kind for m in mismatches.mismatches(conn, FLAG)} == {"late", "error"})
    assert answered == [], "neither the caller nor the record has waited for it"
    held.set()


def test_a_full_house_is_not_compared(client: FlagClient, recorder: Recorder) -> None:
    shadow = Shadow(client, recorder)
    held, answered = threading.Event(), list[bool]()
    for _ in range(60):
        assert shadow.read(FLAG, "slow", old=lambda: 1, new=lambda: answered.append(held.wait(90))) == 1
    assert answered == []
    assert shadow.skipped > 20
    held.set()


def test_async(installed: Database, conn: psycopg.Connection, verified: store.Flag, recorder: Recorder) -> None:
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)

    async def answer(value: object, seconds: float = 0.0) -> object:
        await asyncio.sleep(seconds)
        return value

    async def work() -> None:
        async with AsyncFlagClient(lambda: connect_rows(installed.dsn, "flags")) as client:
            for order in Order:
                shadow = Shadow(client, recorder, Options(order=order, deadline=0.2))
                assert await shadow.read_async(FLAG, "r", old=lambda: answer(ROWS), new=lambda: answer(WRONG)) is ROWS
                assert await shadow.read_async(FLAG, "r", old=lambda: answer(1), new=lambda: answer(1, 9)) == 1
                await shadow.settled()

    asyncio.run(work())
    recorder.flush()
    (reading,) = mismatches.readings(conn, FLAG)
    assert (reading.compared, reading.mismatches, reading.late) == (6, 3, 3)
    assert verified.plan


def test_a_planted_defect_takes_the_flag_back_before_any_client_reads_it(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder, heard: list[Event]
) -> None:
    shadow = Shadow(client, recorder)
    answers = [shadow.read(FLAG, "report", old=lambda: ROWS, new=lambda: WRONG, key=str(n)) for n in range(30)]
    assert all(answer is ROWS for answer in answers)
    eventually(lambda: store.get(conn, FLAG).stage == "dualwrite")
    flag = store.get(conn, FLAG)
    assert (flag.updated_by, flag.hold) == ("guard", flag.reason)
    assert "reads differ" in str(flag.hold)
    eventually(lambda: client.stage(FLAG) is Stage.DUALWRITE)
    assert conn.execute(
        "SELECT actor, plan, detail ->> 'to' FROM changeover.event WHERE kind = 'flag.retreated'"
    ).fetchall() == [("guard", "cqms", "dualwrite")]
    assert any(event.kind == "flag.retreated" for event in heard)
    with pytest.raises(FlagHeldError, match="reads differ"):
        store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    store.set_flag(conn, FLAG, Change(Stage.SHADOW, release=True), ANN)
    recorder.flush()
    assert guard.check(conn, FLAG) is None  # yesterday's evidence is not held against the mended side


def test_whoever_moved_it_meanwhile_is_not_overruled(conn: psycopg.Connection, verified: store.Flag) -> None:
    flag = store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=10), ANN)
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    assert conn.execute("SELECT changeover.flag_retreat(%s, %s, 'x')", (FLAG, flag.version)).fetchone() == (None,)
    assert store.get(conn, FLAG).stage == "shadow"
    limits = replace(guard.Limits(), least=5, mismatches=0.5)
    guard.set_limits(conn, FLAG, limits)
    assert guard.limits_of(conn, FLAG) == limits
    assert verified.plan


def test_sums_wait_while_the_database_is_away(
    installed: Database, conn: psycopg.Connection, client: FlagClient
) -> None:
    away = True

    def connect_if_up() -> psycopg.Connection:
        if away:
            raise psycopg.OperationalError
        return connect(installed.dsn)

    with Recorder(connect_if_up) as recorder:
        shadow = Shadow(client, recorder)
        assert shadow.read(FLAG, "report", old=lambda: ROWS, new=lambda: WRONG) is ROWS
        eventually(lambda: recorder.last_error is not None)
        assert mismatches.mismatches(conn) == []
        away = False
        eventually(lambda: len(mismatches.mismatches(conn)) == 1)
    assert mismatches.readings(conn, FLAG)[0].compared == 1


def test_what_was_written_between_two_reads_is_no_difference(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder
) -> None:
    shadow = Shadow(client, recorder, Options(again=2))
    asked: list[str] = []

    def counting(side: str, late: int) -> int:
        """The side is behind for as many reads as `late` says."""
        asked.append(side)
        return 1 if asked.count(side) <= late else 2

    assert shadow.read(FLAG, "settles", old=lambda: 2, new=lambda: counting("new", 2), key="k") == 2
    eventually(lambda: [r.compared for r in mismatches.readings(conn, FLAG, read="settles")] == [1])
    assert mismatches.mismatches(conn, FLAG) == []
    assert shadow.read(FLAG, "stays", old=lambda: 2, new=lambda: counting("never", 99)) == 2
    eventually(lambda: [m.read for m in mismatches.mismatches(conn, FLAG)] == ["stays"])
    assert asked.count("never") == 3


def test_whatever_a_candidate_raises_the_next_one_is_compared(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder
) -> None:
    shadow = Shadow(client, recorder, Options(deadline=0.1))
    for _ in range(8):
        assert shadow.read(FLAG, "exits", old=lambda: 1, new=lambda: sys.exit(1)) == 1
    assert shadow.read(FLAG, "report", old=lambda: 1, new=lambda: 1) == 1
    eventually(lambda: [r.compared for r in mismatches.readings(conn, FLAG, read="report")] == [1])
    eventually(lambda: [r.late for r in mismatches.readings(conn, FLAG, read="exits")] == [8])


def test_a_candidate_that_finds_no_room_is_not_waited_for(client: FlagClient, recorder: Recorder) -> None:
    shadow = Shadow(client, recorder, Options(order=Order.RANDOM, deadline=60))
    held = threading.Event()
    while shadow.skipped == 0:
        shadow.read(FLAG, "held", old=lambda: 1, new=held.wait, options=Options())
    # A wait for one that was turned away would last a minute, and the test's time with it.
    assert [shadow.read(FLAG, "report", old=lambda: 1, new=lambda: 1) for _ in range(20)] == [1] * 20
    held.set()


def test_a_value_that_no_database_takes_does_not_stand_before_the_others(
    conn: psycopg.Connection, client: FlagClient, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = Shadow(client, recorder)
    nasty = {"nan": float("nan"), "nul": "a\0b", "half": "\ud800"}
    assert shadow.read(FLAG, "nasty", old=lambda: 1, new=lambda: nasty, key="a\0\ud800") == 1
    eventually(lambda: [m.read for m in mismatches.mismatches(conn, FLAG)] == ["nasty"])
    monkeypatch.setattr("flags.pair.bounded", lambda value, _redact: value)
    assert shadow.read(FLAG, "worse", old=lambda: 1, new=lambda: nasty) == 1
    eventually(lambda: [r.mismatches for r in mismatches.readings(conn, FLAG, read="worse")] == [1])
    assert recorder.dropped == 1


def test_what_is_kept_of_shadow_reads_is_bounded(conn: psycopg.Connection, verified: store.Flag) -> None:
    conn.execute(
        """INSERT INTO changeover.flag_mismatch (flag, version, read, kind)
           SELECT f, 1, 'report', 'different' FROM generate_series(1, 5100), (VALUES (%s), ('OTHER')) AS v (f)""",
        (FLAG,),
    )
    empty = [0] * len(guard.BOUNDS_MS)
    sums = [
        {"flag": FLAG, "version": verified.version, "read": "report", "second": second, "compared": 1, "mismatches": 1}
        | {"errors": 0, "late": 0, "old_ms": empty, "new_ms": empty}
        for second in ("2020-01-01", "now")
    ]
    sample = {"flag": FLAG, "version": 1, "read": "the last", "kind": "different", "fields": []}
    conn.execute("SELECT changeover.flag_report(%s, %s)", (Jsonb(sums), Jsonb([sample])))
    counts = "SELECT flag, count(*), max(read) FROM changeover.flag_mismatch GROUP BY flag ORDER BY flag"
    assert conn.execute(counts).fetchall() == [("OTHER", 5100, "report"), (FLAG, 5000, "the last")]
    assert [r.compared for r in mismatches.readings(conn, FLAG)] == [1]
