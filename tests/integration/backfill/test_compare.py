"""The comparison: exact, online, resumable, without false alarm; and the repair."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from backfill.errors import TargetGoneError
from backfill.pacing import PacingSettings
from backfill.settings import CompareSettings
from tests.integration.backfill.world import (
    QUICK,
    Recorder,
    add_source,
    copy,
    is_equal,
    new_verification,
    running,
    verify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.database import Database

SETTINGS = CompareSettings(pacing=PacingSettings(first_pages=8, ceiling_pages=16), rounds=4, drain=QUICK)


def test_equal_tables_are_clean(small: Database) -> None:
    sources = [add_source(small, 1, 900), add_source(small, 2, 300)]
    asyncio.run(copy(small, *sources))
    result = asyncio.run(verify(small, *sources, settings=SETTINGS))
    assert result.clean
    assert (result.rows_compared, result.target_rows, result.differences) == (1200, 1200, 0)
    ranges = small.rows("SELECT split_part(scope, '@', 1), sum(hi - lo)::int FROM changeover.verify_range GROUP BY 1")
    assert {scope for scope, _ in ranges} == {"m1", "m2", "x1"}


def test_every_kind_of_difference_is_found_and_named(small: Database) -> None:
    source = add_source(small, 1, 900)
    asyncio.run(copy(small, source))
    small.run("""UPDATE fresh SET body = 'wrong' WHERE id = 77; DELETE FROM fresh WHERE id = 800;
                 INSERT INTO fresh VALUES (1, 5000, 'from nowhere', 1)""")
    result = asyncio.run(verify(small, source, settings=SETTINGS))
    assert not result.clean
    assert result.by_kind == {"different": 1, "missing": 1, "orphan": 1}
    query = """SELECT source, key, kind, columns, expected ->> 'id', actual ->> 'body'
                 FROM changeover.difference ORDER BY kind"""
    assert [row[:4] for row in small.rows(query)] == [
        ("public.legacy_1", "77", "different", ["body"]),
        ("public.legacy_1", "800", "missing", []),
        ("public.fresh", "5000", "orphan", []),
    ]
    assert small.rows(query)[0][4:] == ("77", "wrong")


def test_repair_mends_all_kinds_and_compares_again(small: Database) -> None:
    source, recorder = add_source(small, 1, 900), Recorder()
    asyncio.run(copy(small, source))
    small.run("""UPDATE fresh SET body = 'wrong' WHERE id % 100 = 7; DELETE FROM fresh WHERE id = 800;
                 INSERT INTO fresh VALUES (1, 5000, 'from nowhere', 1)""")
    result = asyncio.run(verify(small, source, repair=True, recorder=recorder, settings=SETTINGS))
    assert result.clean
    assert result.repaired == 11
    assert is_equal(small, source)
    assert small.value("SELECT count(*) FROM changeover.difference") == 0


def test_a_key_that_cannot_be_repaired_is_named_and_the_others_are(small: Database) -> None:
    source = add_source(small, 1, 200)
    asyncio.run(copy(small, source))
    small.run("""UPDATE fresh SET body = 'wrong' WHERE id IN (50, 51, 52);
                 ALTER TABLE fresh ADD CONSTRAINT c CHECK (id <> 51 OR body = 'wrong')""")
    result = asyncio.run(verify(small, source, repair=True, settings=SETTINGS))
    assert [(each.source, each.key) for each in result.unrepaired] == [("public.legacy_1", "51")]
    assert (result.differences, result.repaired) == (1, 2)
    assert small.rows("SELECT key FROM changeover.difference") == [("51",)]


def test_a_row_whose_parent_is_missing_becomes_a_reject(small: Database) -> None:
    source = add_source(small, 1, 200)
    asyncio.run(copy(small, source))
    small.run("""CREATE TABLE bodies AS SELECT DISTINCT body FROM fresh; ALTER TABLE bodies ADD PRIMARY KEY (body);
                 ALTER TABLE fresh ADD FOREIGN KEY (body) REFERENCES bodies ON DELETE CASCADE;
                 DELETE FROM bodies WHERE body = (SELECT body FROM fresh WHERE id = 51);
                 UPDATE fresh SET id = id + 1000 WHERE id = 52""")
    result = asyncio.run(verify(small, source, repair=True, settings=SETTINGS))
    assert result.unrepaired == ()
    assert small.rows("SELECT key, reason FROM changeover.reject") == [("51", "foreign_key_violation")]


def test_what_waits_for_its_queue_is_settled_first(small: Database) -> None:
    source = add_source(small, 1, 200)
    asyncio.run(copy(small, source))
    small.run("""UPDATE fresh SET body = 'hindered' WHERE id = 50;
                 INSERT INTO changeover.queue (source_id, direction, key) VALUES (1, 'forward', '50')""")
    result = asyncio.run(verify(small, source, settings=SETTINGS))
    assert result.clean
    assert is_equal(small, source)


@pytest.mark.parametrize("key", ["'50'", "NULL"])
def test_what_goes_on_waiting_is_pending_not_different(small: Database, key: str) -> None:
    source = add_source(small, 1, 200)
    asyncio.run(copy(small, source))
    small.run(f"""UPDATE fresh SET body = 'hindered' WHERE id = 50;
                  INSERT INTO changeover.queue (source_id, direction, key, not_before)
                  VALUES (1, 'forward', {key}, 'infinity')""")
    result = asyncio.run(verify(small, source, settings=SETTINGS))
    assert (result.differences, result.pending, result.clean) == (0, 1, False)
    assert result.rows_compared == 200


def test_a_stopped_comparison_goes_on_with_what_is_missing(small: Database) -> None:
    source, recorder, stop = add_source(small, 1, 900), Recorder(), asyncio.Event()
    asyncio.run(copy(small, source))
    small.run("UPDATE fresh SET body = 'wrong' WHERE id IN (3, 890)")
    verification = new_verification(small)
    recorder.bus.subscribe(lambda _: stop.set() if len(recorder.of("verify.range")) >= 4 else None)
    first = asyncio.run(
        verify(small, source, verification=verification, recorder=recorder, stop=stop, settings=SETTINGS)
    )
    assert not first.complete
    assert not first.clean
    again = Recorder()
    result = asyncio.run(verify(small, source, verification=verification, recorder=again, settings=SETTINGS))
    assert result.complete
    assert (result.rows_compared, result.differences) == (900, 2)
    total = len(asyncio.run(_ranges(small, verification)))
    assert len(again.of("verify.range")) < total


async def _ranges(database: Database, verification: int) -> list[object]:
    return list(
        database.rows("SELECT scope, lo FROM changeover.verify_range WHERE verification_id = %s", (verification,))
    )


def test_a_row_that_moved_before_the_second_look_is_still_found(small: Database) -> None:
    """The row differs, and a write that heals nothing moves it to a page that was compared before."""
    source, recorder = add_source(small, 1, 400), Recorder()
    asyncio.run(copy(small, source))
    small.run("""ALTER TABLE legacy_1 DISABLE TRIGGER mirror; UPDATE fresh SET body = 'wrong' WHERE id = 390;
                 DELETE FROM legacy_1 WHERE id < 20; DELETE FROM fresh WHERE id < 20""")
    with small.connect() as conn:
        conn.execute("VACUUM legacy_1")
    moved: list[int] = []

    def move(seen: Callable[[], bool]) -> None:
        if seen() and not moved:
            small.run("UPDATE legacy_1 SET amount = amount WHERE id = 390")
            moved.append(small.value("SELECT (ctid::text::point)[0]::int FROM legacy_1 WHERE id = 390"))

    recorder.bus.subscribe(
        lambda event: move(lambda: event.kind == "verify.range" and bool(event.fields["suspicious"]))
    )
    result = asyncio.run(verify(small, source, recorder=recorder, workers=1, settings=SETTINGS))
    assert moved == [0]
    assert result.by_kind == {"different": 1}


def test_writers_never_cause_a_false_alarm(small: Database) -> None:
    source = add_source(small, 1, 1500)
    asyncio.run(copy(small, source))

    def application(seed: int) -> None:
        level = psycopg.IsolationLevel.REPEATABLE_READ if seed % 2 else psycopg.IsolationLevel.READ_COMMITTED
        with psycopg.connect(small.dsn) as conn:
            conn.isolation_level = level
            for number in range(150):
                key = (number * 37 + seed * 11) % 1500 + 1
                try:
                    with conn.transaction():
                        conn.execute("UPDATE legacy_1 SET body = %s WHERE id = %s", (f"new {number}", key))
                        conn.execute("DELETE FROM legacy_1 WHERE id = %s", (key + 1,))
                        conn.execute("INSERT INTO legacy_1 VALUES (%s, 'more', '1')", (10_000 + seed * 1000 + number,))
                except psycopg.errors.SerializationFailure:
                    continue

    async def scenario() -> None:
        writers = [asyncio.create_task(asyncio.to_thread(application, seed)) for seed in range(2)]
        while not all(writer.done() for writer in writers):
            result = await verify(small, source, settings=SETTINGS)
            assert result.differences == 0, small.rows("SELECT * FROM changeover.difference")
        await asyncio.gather(*writers)

    asyncio.run(scenario())
    assert asyncio.run(verify(small, source, settings=SETTINGS)).clean


def test_a_heap_rewritten_under_the_comparison_is_compared_anew(small: Database) -> None:
    source, recorder = add_source(small, 1, 900), Recorder()
    asyncio.run(copy(small, source))
    done: list[bool] = []

    def rewrite() -> None:
        if not done:
            done.append(True)
            with small.connect() as conn:
                conn.execute("VACUUM FULL legacy_1")

    recorder.bus.subscribe(lambda event: rewrite() if event.kind == "verify.range" else None)
    result = asyncio.run(verify(small, source, recorder=recorder, workers=1, settings=SETTINGS))
    assert result.clean
    assert result.rows_compared == 900


def test_a_missing_target_is_an_error_in_words(small: Database) -> None:
    source = add_source(small, 1, 10)
    small.run("DROP TABLE fresh")
    with pytest.raises(TargetGoneError):
        asyncio.run(verify(small, source, settings=SETTINGS))


def test_a_lost_connection_is_replaced(small: Database) -> None:
    source, recorder = add_source(small, 1, 900), Recorder()
    asyncio.run(copy(small, source))
    cut: list[int] = []

    def cut_off() -> None:
        if len(cut) < 2:
            with small.connect("admin") as conn:
                query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                            WHERE application_name = 'changeover/rows' AND datname = current_database()"""
                cut.append(conn.execute(query).rowcount)

    recorder.bus.subscribe(lambda event: cut_off() if event.kind == "verify.range" else None)
    assert asyncio.run(verify(small, source, recorder=recorder, settings=SETTINGS)).clean


def test_it_waits_out_an_exclusive_lock(small: Database) -> None:
    source = add_source(small, 1, 100)
    asyncio.run(copy(small, source))

    async def scenario() -> None:
        app = small.connect(autocommit=False)
        app.execute("LOCK TABLE legacy_1 IN ACCESS EXCLUSIVE MODE")
        async with running(verify(small, source, settings=SETTINGS)) as comparing:
            await asyncio.sleep(0.5)
            assert not comparing.done()
            app.rollback()
            assert (await comparing).clean

    asyncio.run(scenario())
