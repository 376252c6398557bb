"""The engine on a real server: complete, disjoint, resumable, giving way."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from backfill import worker
from backfill.errors import FenceLostError, PausedTooLongError, SourceGoneError
from backfill.pacing import Limit, PacingSettings
from backfill.refs import SourceRef
from backfill.settings import CustomProbe
from orchestrator.kernel.errors import LockTimeoutError, RefusedError
from tests.integration.backfill.world import QUICK, Recorder, add_source, copy, fill, is_equal, running, with_mode
from tests.support.running import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.database import Database

pytestmark = pytest.mark.every


def test_two_workers_share_a_table_and_miss_nothing(small: Database) -> None:
    source, recorder = add_source(small, 1, 3000), Recorder()
    small.run("UPDATE legacy_1 SET body = 'reject me' WHERE id % 100 = 0; DELETE FROM public.fresh")
    result = asyncio.run(copy(small, source, recorder=recorder))
    assert result.complete
    assert is_equal(small, source)
    assert (result.rows_seen, result.rows_copied, result.rows_rejected) == (3000, 2970, 30)
    assert small.rows("SELECT count(*), count(DISTINCT key) FROM changeover.reject") == [(30, 30)]
    assert {batch["worker"] for batch in recorder.of("backfill.batch")} == {0, 1}
    # The chunks lie end to end, from the first page to the last.
    chunks = small.rows("SELECT first_page, next_page, end_page FROM changeover.chunk ORDER BY first_page")
    assert len(chunks) > 1
    assert chunks[0][0] == 0
    assert all(done == end for _, done, end in chunks)
    assert all(before[2] == after[0] for before, after in itertools.pairwise(chunks))
    assert small.rows("SELECT state, mode FROM changeover.source") == [("copied", "copy")]


def test_several_sources_at_once_an_empty_one_too(small: Database) -> None:
    sources = [add_source(small, 1, 700), add_source(small, 2, 0), add_source(small, 3, 300)]
    result = asyncio.run(copy(small, *sources, workers=3))
    assert all(is_equal(small, source) for source in sources)
    assert (result.sources, result.rows_seen) == (3, 1000)
    assert small.value("SELECT count(*) FROM changeover.source WHERE state = 'copied'") == 3


def test_a_second_run_finds_nothing_to_do(small: Database) -> None:
    source = add_source(small, 1, 200)
    asyncio.run(copy(small, source))
    again = asyncio.run(copy(small, source))
    assert (again.batches, again.rows_seen, again.complete) == (0, 200, True)


def test_stop_lets_the_batch_finish_and_the_next_run_goes_on(small: Database) -> None:
    source, recorder, stop = add_source(small, 1, 2000), Recorder(), asyncio.Event()
    recorder.bus.subscribe(lambda event: stop.set() if event.kind == "backfill.batch" else None)
    first = asyncio.run(copy(small, source, recorder=recorder, stop=stop, workers=2))
    assert not first.complete
    assert first.batches >= 1
    assert first.rows_seen < 2000
    assert small.value("SELECT state FROM changeover.source") == "copying"
    assert asyncio.run(copy(small, source)).complete
    assert is_equal(small, source)


def test_a_bad_value_becomes_one_reject(small: Database) -> None:
    source, recorder = add_source(small, 1, 1000), Recorder()
    with small.connect() as conn:
        conn.execute("ALTER TABLE legacy_1 DISABLE TRIGGER mirror")
        conn.execute("UPDATE legacy_1 SET amount = 'many' WHERE id = 17")
        fill(conn, "legacy_1", 1001, 1500)
        conn.execute("ALTER TABLE legacy_1 DISABLE TRIGGER mirror")
        conn.execute("UPDATE legacy_1 SET amount = 'many' WHERE id = 640")
    result = asyncio.run(copy(small, source, recorder=recorder))
    assert small.rows("SELECT key, reason FROM changeover.reject ORDER BY key") == [
        ("17", "invalid_text_representation"),
        ("640", "invalid_text_representation"),
    ]
    assert is_equal(small, source)
    assert result.isolated_pages == 2
    assert result.rows_seen == 1500
    assert all(retry["fault"] == "data" for retry in recorder.of("backfill.retry"))


def test_a_missing_function_stops_the_copy_and_rejects_nothing(small: Database) -> None:
    source = add_source(small, 1, 100)
    small.run("DROP FUNCTION changeover.m1_batch")
    with pytest.raises(RefusedError) as caught:
        asyncio.run(copy(small, source))
    assert caught.value.sqlstate == "42883"
    assert small.value("SELECT count(*) FROM changeover.reject") == 0


def test_a_dropped_table_stops_the_copy_in_words(small: Database) -> None:
    source = add_source(small, 1, 100)
    small.run("DROP TABLE legacy_1")
    with pytest.raises(SourceGoneError):
        asyncio.run(copy(small, source))


def test_a_rewritten_heap_starts_its_table_again(small: Database) -> None:
    source, recorder = add_source(small, 1, 1500), Recorder()
    stop = asyncio.Event()
    recorder.bus.subscribe(lambda event: stop.set() if event.kind == "backfill.batch" else None)
    asyncio.run(copy(small, source, recorder=recorder, stop=stop, workers=1))
    with small.connect() as conn:
        conn.execute("DELETE FROM legacy_1 WHERE id < 300")
        conn.execute("VACUUM FULL legacy_1")
    assert asyncio.run(copy(small, source)).complete
    assert is_equal(small, source)
    assert small.value("SELECT sum(rows_seen)::int FROM changeover.chunk") == 1201


def test_a_heap_rewritten_under_the_copy_is_noticed(small: Database) -> None:
    source, recorder = add_source(small, 1, 1500), Recorder()
    done: list[bool] = []

    def rewrite(_: object) -> None:
        if not done:
            done.append(True)
            with small.connect() as conn:
                conn.execute("VACUUM FULL legacy_1")

    recorder.bus.subscribe(lambda event: rewrite(event) if event.kind == "backfill.batch" else None)
    asyncio.run(copy(small, source, recorder=recorder, workers=1))
    assert recorder.of("backfill.source.rewritten")
    assert is_equal(small, source)


def test_a_new_source_is_taken_in(small: Database) -> None:
    source, other = add_source(small, 1, 500), add_source(small, 2, 400)
    asked: list[str] = []

    async def before_batch(of: SourceRef) -> Sequence[SourceRef]:
        asked.append(of.name)
        return [other] if len(asked) == 1 else []

    result = asyncio.run(copy(small, source, before_batch=before_batch))
    assert result.sources == 2
    assert is_equal(small, other)
    assert len(asked) == 2  # at the first batch, and when all was copied


def test_a_known_source_that_is_returned_starts_again_in_its_new_mode(small: Database) -> None:
    source, recorder = add_source(small, 1, 500), Recorder()
    asked: list[SourceRef] = []

    async def before_batch(of: SourceRef) -> Sequence[SourceRef]:
        asked.append(of)
        if len(asked) != 2:
            return []
        # Somebody damages what is copied; ON CONFLICT DO NOTHING would leave it so, the resync does not.
        small.run("UPDATE fresh SET body = 'stale'")
        return [with_mode(of, "resync")]

    settings = replace(QUICK, hook_interval=0.01)
    asyncio.run(copy(small, source, before_batch=before_batch, recorder=recorder, settings=settings))
    assert {batch["verb"] for batch in recorder.of("backfill.batch")} == {"batch", "resync"}
    assert is_equal(small, source)


def test_a_copied_source_is_derived_again_when_asked_to(small: Database) -> None:
    source, recorder = add_source(small, 1, 500), Recorder()
    asyncio.run(copy(small, source))
    small.run("UPDATE fresh SET body = 'stale'")
    asyncio.run(copy(small, with_mode(source, "resync"), recorder=recorder))
    assert {batch["verb"] for batch in recorder.of("backfill.batch")} == {"resync"}
    assert is_equal(small, source)


def test_a_lost_lease_commits_nothing_more(small: Database) -> None:
    source, recorder = add_source(small, 1, 2000), Recorder()

    def take_over(_: object) -> None:
        small.run("UPDATE changeover.lease SET epoch = 2")

    recorder.bus.subscribe(lambda event: take_over(event) if event.kind == "backfill.batch" else None)
    with pytest.raises(FenceLostError):
        asyncio.run(copy(small, source, recorder=recorder, workers=1))
    assert len(recorder.of("backfill.batch")) == 1
    assert small.value("SELECT sum(next_page)::int FROM changeover.chunk") == recorder.of("backfill.batch")[0]["pages"]


def test_a_lost_connection_is_replaced(small: Database) -> None:
    source, recorder = add_source(small, 1, 2000), Recorder()
    cut: list[int] = []

    def cut_off(_: object) -> None:
        if len(cut) < 3:
            with small.connect("admin") as conn:
                query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                            WHERE application_name = 'changeover/rows' AND datname = current_database()"""
                cut.append(conn.execute(query).rowcount)

    recorder.bus.subscribe(lambda event: cut_off(event) if event.kind == "backfill.batch" else None)
    result = asyncio.run(copy(small, source, recorder=recorder))
    assert is_equal(small, source)
    assert result.rows_seen == 2000
    assert any(retry["fault"] == "lost" for retry in recorder.of("backfill.retry"))


def test_a_batch_gives_way_to_a_locked_row(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_TELLING", 3)
    source, recorder = add_source(small, 1, 300), Recorder()

    async def scenario() -> None:
        app = small.connect(autocommit=False)
        app.execute("INSERT INTO fresh VALUES (1, 150, 'mine, for now', 0)")  # the batch must wait for its outcome
        async with running(copy(small, source, recorder=recorder, workers=1)) as copying:
            await until(lambda: recorder.of("backfill.hindered"))
            assert not copying.done()
            app.rollback()
            await copying

    asyncio.run(scenario())
    assert {retry["sqlstate"] for retry in recorder.of("backfill.retry")} == {"55P03"}
    told = recorder.of("backfill.hindered")[0]
    assert (told["source"], told["times"], "lock timeout" in told["why"]) == (source.name, 3, True)
    assert is_equal(small, source)


def test_giving_way_is_bounded(small: Database) -> None:
    source = add_source(small, 1, 100)
    app = small.connect(autocommit=False)
    app.execute("LOCK TABLE legacy_1 IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(LockTimeoutError):
        asyncio.run(copy(small, source, settings=replace(QUICK, attempts=3)))


def test_in_a_circle_of_waits_the_batch_is_the_victim(small: Database) -> None:
    """The application holds a row the batch needs next, and wants one that the batch has made."""
    source, recorder = add_source(small, 1, 400), Recorder()
    settings = replace(QUICK, pacing=PacingSettings(first_pages=64, ceiling_pages=64))

    app = small.connect(autocommit=False)

    def application() -> None:
        for key in range(1, 11):
            app.execute("INSERT INTO fresh VALUES (1, %s, 'mine', 0) ON CONFLICT DO NOTHING", (key,))
            app.execute("SELECT pg_sleep(0.03)")
        eventually(lambda: bool(recorder.of("backfill.retry")))
        app.rollback()

    async def scenario() -> None:
        app.execute("INSERT INTO fresh VALUES (1, 390, 'mine', 0)")  # late in the order of the copy
        async with running(copy(small, source, recorder=recorder, settings=settings, workers=1)) as copying:
            await asyncio.to_thread(application)  # raises if it is ever the victim
            await copying

    asyncio.run(scenario())
    assert is_equal(small, source)
    assert small.rows("SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()") == [(0,)]


def test_deletes_under_the_copy_leave_no_orphan(small: Database) -> None:
    source = add_source(small, 1, 3000)

    def application() -> None:
        with psycopg.connect(small.dsn, autocommit=True) as conn:
            for key in range(1, 3000, 7):
                conn.execute("DELETE FROM legacy_1 WHERE id = %s", (key,))
                conn.execute("UPDATE legacy_1 SET body = 'new' WHERE id = %s", (key + 1,))

    async def scenario() -> None:
        writing = asyncio.create_task(asyncio.to_thread(application))
        result = await copy(small, source)
        assert result.drained
        await writing

    asyncio.run(scenario())
    asyncio.run(copy(small, source))  # what came after the end of the copy
    assert is_equal(small, source)
    assert small.value("SELECT count(*) FROM changeover.queue") == 0


def test_a_busy_database_pauses_the_copy_and_says_why(small: Database) -> None:
    source, recorder = add_source(small, 1, 1000), Recorder()
    small.run("CREATE TABLE load (value int); INSERT INTO load VALUES (9)")
    probe = CustomProbe(name="load", sql="SELECT value FROM public.load", limit=Limit(5))
    settings = replace(QUICK, custom_probes=(probe,), probe_interval=0.05)

    async def scenario() -> None:
        async with running(copy(small, source, recorder=recorder, settings=settings)) as copying:
            await until(lambda: recorder.of("backfill.paused"))
            await asyncio.sleep(0.2)
            assert not recorder.of("backfill.batch")
            small.run("UPDATE load SET value = 1")
            result = await copying
            assert result.paused_seconds > 0.1

    asyncio.run(scenario())
    assert "load is 9, limit 5" in recorder.of("backfill.paused")[0]["reason"]
    assert is_equal(small, source)


def test_an_unreadable_probe_pauses_and_the_pause_is_bounded(small: Database) -> None:
    source, recorder = add_source(small, 1, 100), Recorder()
    probe = CustomProbe(name="broken", sql="SELECT 1/0", limit=Limit(5))
    settings = replace(QUICK, custom_probes=(probe,), probe_interval=0.05, longest_pause=0.3)
    with pytest.raises(PausedTooLongError, match="broken is unreadable"):
        asyncio.run(copy(small, source, recorder=recorder, settings=settings))
    assert not recorder.of("backfill.batch")


def test_progress_reaches_the_end(small: Database) -> None:
    source, recorder = add_source(small, 1, 800), Recorder()
    asyncio.run(copy(small, source, recorder=recorder))
    last = recorder.of("backfill.progress")[-1]
    assert last["percent"] == 100
    assert last["rows_seen"] == 800
    assert last["eta_seconds"] == 0


def test_rows_added_after_the_chunks_were_planted_are_the_mirrors_affair(small: Database) -> None:
    source = add_source(small, 1, 500)
    stop = asyncio.Event()
    recorder = Recorder()
    recorder.bus.subscribe(lambda event: stop.set() if event.kind == "backfill.batch" else None)
    asyncio.run(copy(small, source, recorder=recorder, stop=stop, workers=1))
    pages = small.value("SELECT sum(end_page - first_page)::int FROM changeover.chunk")
    small.run("INSERT INTO legacy_1 SELECT i, repeat('x', 700), i::text FROM generate_series(501, 900) i")
    asyncio.run(copy(small, source))
    assert small.value("SELECT sum(end_page - first_page)::int FROM changeover.chunk") == pages
    assert is_equal(small, source)
    with small.connect() as conn:
        fill(conn, "legacy_1", 901, 902)
    assert not is_equal(small, source)  # the check can fail


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that must come soon."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for may come from another thread
            await asyncio.sleep(0.02)
