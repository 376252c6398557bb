"""Each probe on a real server, read by an ordinary owner."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from backfill.pacing import Limit, Reading
from backfill.probes import Probes
from backfill.settings import CustomProbe
from orchestrator.kernel.connections import connect_rows
from tests.support.running import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.database import Database

ALL = (
    "replica_lag_seconds",
    "archive_backlog_segments",
    "lock_waiters",
    "active_sessions",
    "autovacuum",
    "oldest_transaction_seconds",
)


def measure(
    database: Database, *names: str, ours: Sequence[int] = (), tables: Sequence[int] = (), probes: Probes | None = None
) -> dict[str, Reading]:
    async def once() -> list[Reading]:
        conn = await connect_rows(database.dsn)
        try:
            reader = probes or Probes({name: Limit(1e9) for name in names}, ())
            return await reader.measure(conn, [*ours, conn.get_server_pid()], tables)
        finally:
            await conn.close()

    return {reading.probe: reading for reading in asyncio.run(once())}


def test_an_ordinary_owner_can_read_them_all(database: Database) -> None:
    readings = measure(database, *ALL)
    assert set(readings) == set(ALL)
    assert all(reading.value is not None for reading in readings.values()), readings
    assert readings["replica_lag_seconds"].value == 0
    assert readings["archive_backlog_segments"].value == 0


def test_only_what_has_a_limit_is_read(database: Database) -> None:
    assert set(measure(database, "lock_waiters")) == {"lock_waiters"}


def test_who_waits_for_us_is_counted_and_who_waits_for_others_is_not(database: Database) -> None:
    database.run("CREATE TABLE t (i int)")
    holder, other = database.connect(autocommit=False), database.connect(autocommit=False)
    holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")

    def wait() -> None:
        with psycopg.connect(database.dsn) as conn:
            conn.execute("SELECT * FROM t")

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        ours = [holder.info.backend_pid]
        eventually(lambda: measure(database, "lock_waiters", ours=ours)["lock_waiters"].value == 1)
        assert measure(database, "lock_waiters", ours=[other.info.backend_pid])["lock_waiters"].value == 0
    finally:
        holder.rollback()
        waiting.join()


def test_transactions_of_other_roles_are_seen_and_age(database: Database) -> None:
    probes = Probes({"oldest_transaction_seconds": Limit(1), "active_sessions": Limit(1)}, ())
    before = measure(database, probes=probes)["active_sessions"].value
    assert before is not None
    app = database.connect("app", autocommit=False)
    app.execute("SELECT 1")
    first = measure(database, probes=probes)
    app.execute("SELECT pg_sleep(0.3)")
    second = measure(database, probes=probes)
    oldest = second["oldest_transaction_seconds"].value
    assert oldest is not None
    assert oldest >= 0.3
    assert first["active_sessions"].value is not None
    assert first["active_sessions"].value >= 1


def test_a_vacuum_is_seen_by_its_lock(database: Database) -> None:
    database.run("CREATE TABLE t (i int)")
    oid = database.value("SELECT 't'::regclass::oid::int")
    assert measure(database, "autovacuum", tables=[oid])["autovacuum"].value == 0
    conn = database.connect(autocommit=False)
    conn.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")  # what VACUUM takes
    assert measure(database, "autovacuum", tables=[oid])["autovacuum"].value == 1


def test_custom_probes_give_a_number_a_latency_or_nothing(database: Database) -> None:
    probes = Probes(
        {},
        (
            CustomProbe(name="number", sql="SELECT 7", limit=Limit(1)),
            CustomProbe(name="latency", sql="SELECT pg_sleep(0.05)", limit=Limit(1), latency=True),
            CustomProbe(name="nothing", sql="SELECT NULL", limit=Limit(1)),
            CustomProbe(name="broken", sql="SELECT 1/0", limit=Limit(1)),
            CustomProbe(name="slow", sql="SELECT pg_sleep(30)", limit=Limit(1)),
            CustomProbe(name="writes", sql="CREATE TABLE evil ()", limit=Limit(1)),
            CustomProbe(name="last", sql="SELECT 8", limit=Limit(1)),
        ),
    )
    readings = measure(database, probes=probes)
    assert readings["number"].value == 7
    assert (readings["latency"].value or 0) >= 50
    assert readings["last"].value == 8  # what failed before it did no harm
    details = {name: readings[name].detail for name in ("nothing", "broken", "slow", "writes")}
    # The server ends it; on a machine that stands still for a moment, our own clock may be first.
    assert details.pop("slow") in {"57014", "TimeoutError"}
    assert details == {"nothing": "no value", "broken": "22012", "writes": "25006"}
    assert all(readings[name].value is None for name in ("slow", *details))


@pytest.mark.parametrize("names", [["lag"], ["replica_lag_seconds"]])
def test_unknown_and_repeated_names_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="probes"):
        Probes(
            {name: Limit(1) for name in names},
            [CustomProbe(name="replica_lag_seconds", sql="SELECT 1", limit=Limit(1))],
        )
