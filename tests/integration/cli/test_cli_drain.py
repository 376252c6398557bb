"""`changeover drain`: what a SERIALIZABLE writer leaves behind between runs reaches the other side."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from orchestrator.engine.drain import drain, tending
from tests.support.cli import Cli, spawn
from tests.support.database import Database
from tests.support.running import eventually

_RENAME = "UPDATE public.customers_old SET name = 'Somebody Else' WHERE id = (SELECT min(id) FROM public.customers_old)"
_RENAMED = "SELECT count(*) FROM public.customers WHERE name = 'Somebody Else'"


@pytest.fixture
def left_behind(verified: Database) -> Database:
    """A write whose mirror waits."""
    with verified.connect() as conn:
        conn.isolation_level = IsolationLevel.SERIALIZABLE
        conn.autocommit = False
        conn.execute(_RENAME)
        conn.commit()
    assert verified.value(_RENAMED) == 0
    return verified


def test_what_waits_is_drained(left_behind: Database, cli: Cli) -> None:
    assert "1 key drained, 0 waiting" in cli.ok("drain").out
    assert left_behind.value(_RENAMED) == 1
    assert cli.ok("drain", "--json").json == {"drained": 0, "waiting": []}


@pytest.mark.usefixtures("left_behind")
def test_what_draining_leaves_to_an_earlier_table_is_drained_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    first = drain.drain_source
    turns: list[int] = []

    def counting(conn: psycopg.Connection[Any], source: int, keys: int) -> tuple[int, int]:
        done = first(conn, source, keys)
        if not turns:
            conn.execute(
                "INSERT INTO changeover.queue (source_id, direction, key) "
                "SELECT min(id), 'forward', '1' FROM changeover.source"
            )
        turns.append(source)
        return done

    monkeypatch.setattr(tending, "drain_source", counting)
    assert "2 keys drained, 0 waiting" in cli.ok("drain").out


def test_what_cannot_be_drained_is_told_and_stays(left_behind: Database, cli: Cli) -> None:
    with left_behind.connect() as conn, conn.transaction():
        conn.execute("SELECT FROM public.customers_old ORDER BY id LIMIT 1 FOR UPDATE")
        result = cli("drain", "--plan", "example")
        assert result.code == 1
        assert "customers_old" in result.err
        assert "changeover.queue" in result.err
        assert left_behind.value(_RENAMED) == 0
    cli.ok("drain", "--plan", "example")
    assert left_behind.value(_RENAMED) == 1


def test_as_a_service_it_goes_on_until_it_is_told_to_end(left_behind: Database) -> None:
    with spawn(left_behind.dsn, "drain", "--every", "0.1", "--json") as service:
        try:
            eventually(lambda: left_behind.value(_RENAMED) == 1)
            service.send_signal(signal.SIGTERM)
            out, err = service.communicate(timeout=60)
        finally:
            service.kill()
    assert (service.returncode, err) == (0, "")
    assert json.loads(out) == {"drained": 1, "waiting": []}
    assert left_behind.value(_RENAMED) == 1


def test_what_a_truncate_leaves_is_settled_with_many_keys_at_a_time(verified: Database, cli: Cli) -> None:
    old = "SELECT count(*) FROM public.customers_old"
    verified.run(
        "INSERT INTO public.customers_old (id, mail, name, status, credit, joined) "
        "SELECT n, 'm' || n || '@example.com', 'N ' || n, 'active', 1, '2024-01-01' FROM generate_series(9001, 9060) n"
    )
    before = verified.value(old)
    verified.run("TRUNCATE public.customers CASCADE")
    with verified.connect("admin") as conn, conn.transaction():
        conn.execute("SET LOCAL track_functions = 'all'")
        source = conn.execute("SELECT id FROM changeover.source WHERE name = 'public.customers_old'").fetchone()
        for _ in range(2):  # the old rows go, what they had in the new table is looked at
            conn.execute("SELECT changeover.drain(%s, 1000)", source)
        calls: dict[str, int] = dict(conn.execute("SELECT funcname, calls FROM pg_stat_xact_user_functions").fetchall())
    assert calls["write_back"] >= 60
    # Once for each round, however many keys there are.
    assert calls.get("apply_slow", 0) <= 2
    assert calls["fragments"] < 40
    cli.ok("drain")
    assert verified.value(old) <= before - 60  # what was rejected stood for nothing in the new table


def test_how_far_it_is_is_told_on_standard_error(
    left_behind: Database, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending, "_TELL_S", 0.0)
    done = cli.ok("drain")
    assert "draining: 1 key drained, 0 waiting" in done.err
    assert "draining" not in done.out
    left_behind.run(
        "INSERT INTO changeover.queue (source_id, direction, key) SELECT min(id), 'forward', '1' FROM changeover.source"
    )
    done = cli.ok("drain", "--json")
    assert (done.json["drained"], done.err) == (1, "")


LOOKED_UP = """
plan: towns
version: 1
stages:
  - stage: towns
    expand: [new.sql]
    mappings:
      - unify: public.parcels_new
        sources: [public.parcels]
        key: {column: id}
        originals: originals
        types: {town: text}
        lookups:
          town: {table: public.towns, match: town.name = s.town}
        columns: {town_id: town.number}
"""


def test_whose_transaction_a_changed_lookup_waits_for_is_told(database: Database, tmp_path: Path) -> None:
    """Anybody who may connect can leave one open."""
    (tmp_path / "plan.yaml").write_text(LOOKED_UP)
    (tmp_path / "new.sql").write_text(
        "CREATE TABLE public.parcels_new (id integer PRIMARY KEY, town_id integer, originals jsonb NOT NULL DEFAULT '{}');"
    )
    database.run(
        "CREATE TABLE public.parcels (id integer PRIMARY KEY, town text); INSERT INTO public.parcels VALUES (1, 'Bath');"
        "CREATE TABLE public.towns (id integer PRIMARY KEY, name text UNIQUE, number integer);"
        "INSERT INTO public.towns VALUES (1, 'Bath', 10)"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(tmp_path), "--until", "verify")
    stranger = database.connect("app", autocommit=False)
    stranger.execute("SELECT 1")
    database.run("UPDATE public.towns SET number = 11 WHERE id = 1")
    told = cli("drain")
    assert told.code == 1
    assert f"waits for the end of pid {stranger.info.backend_pid} ({database.app_role}" in told.err
    assert "Look for long transactions" in told.err
    assert database.value("SELECT town_id FROM public.parcels_new") == 11, "the first look has been taken"
    stranger.rollback()
    eventually(lambda: cli("drain").code == 0)
