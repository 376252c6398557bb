"""`changeover settle`: what a SERIALIZABLE writer leaves behind between runs reaches the other side."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from orchestrator.engine import settling
from tests.support.cli import Cli, spawn
from tests.support.database import Database

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


def test_what_waits_is_settled(left_behind: Database, cli: Cli) -> None:
    assert "1 key settled, 0 waiting" in cli.ok("settle").out
    assert left_behind.value(_RENAMED) == 1
    assert cli.ok("settle", "--json").json == {"settled": 0, "waiting": []}


@pytest.mark.usefixtures("left_behind")
def test_what_settling_leaves_to_an_earlier_table_is_settled_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    first = settling.sweep
    turns: list[int] = []

    def sweep(conn: psycopg.Connection[Any], source: int, keys: int) -> tuple[int, int]:
        done = first(conn, source, keys)
        if not turns:
            conn.execute(
                "INSERT INTO changeover.recheck (source_id, direction, key) "
                "SELECT min(id), 'forward', '1' FROM changeover.source"
            )
        turns.append(source)
        return done

    monkeypatch.setattr(settling, "sweep", sweep)
    assert "2 keys settled, 0 waiting" in cli.ok("settle").out


def test_what_cannot_be_settled_is_told_and_stays(left_behind: Database, cli: Cli) -> None:
    with left_behind.connect() as conn, conn.transaction():
        conn.execute("SELECT FROM public.customers_old ORDER BY id LIMIT 1 FOR UPDATE")
        result = cli("settle", "--plan", "example")
        assert result.code == 1
        assert "customers_old" in result.err
        assert "changeover.recheck" in result.err
        assert left_behind.value(_RENAMED) == 0
    cli.ok("settle", "--plan", "example")
    assert left_behind.value(_RENAMED) == 1


def test_as_a_service_it_goes_on_until_it_is_told_to_end(left_behind: Database) -> None:
    with spawn(left_behind.dsn, "settle", "--every", "0.1", "--json") as service:
        try:
            end = time.monotonic() + 30
            while left_behind.value(_RENAMED) == 0 and time.monotonic() < end:
                time.sleep(0.05)
            service.send_signal(signal.SIGTERM)
            out, err = service.communicate(timeout=30)
        finally:
            service.kill()
    assert (service.returncode, err) == (0, "")
    assert json.loads(out) == {"settled": 1, "waiting": []}
    assert left_behind.value(_RENAMED) == 1
