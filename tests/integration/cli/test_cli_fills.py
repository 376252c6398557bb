"""Columns of a table in use are filled, no late write escapes, and on rollback each value is what it was."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from orchestrator.kernel import failpoints
from tests.support.cli import Cli
from tests.support.database import Database, Databases

PLAN = """
plan: fills
version: 1
stages:
  - stage: sums
    mappings:
      - in_place: public."Orders"
        where: s."Net" IS NULL OR s.tax IS NULL
        columns:
          Net: CASE WHEN s."Net" IS NULL THEN 0 ELSE s."Net" END
          tax: coalesce(s.tax, round(coalesce(s."Net", 0) * 0.2, 2))
"""
TWO = """
plan: fills
version: 1
stages:
  - stage: sums
    mappings:
      - in_place: public."Orders"
        name: net
        where: s."Net" IS NULL
        columns: {Net: "0"}
      - in_place: public."Orders"
        name: tax
        where: s.tax IS NULL OR s.tax < 0
        columns: {tax: "abs(coalesce(s.tax, 1))"}
"""
LEFT = 'SELECT "No", "Net", tax, note FROM public."Orders" ORDER BY 1'


@pytest.fixture
def plan(tmp_path: Path) -> str:
    tmp_path.joinpath("plan.yaml").write_text(PLAN)
    return str(tmp_path)


@pytest.fixture
def orders(databases: Databases) -> Database:
    def build(database: Database) -> None:
        database.run(
            'CREATE TABLE public."Orders" ("No" bigint PRIMARY KEY, "Net" numeric, tax numeric(9, 2), note text);'
            'INSERT INTO public."Orders" SELECT i, CASE WHEN i % 3 > 0 THEN i END, CASE WHEN i % 4 = 0 THEN i END, $$n$$ || i '
            "FROM generate_series(1, 3000) i;"
        )

    return databases.clone("orders to fill", build)


def write(orders: Database) -> None:
    """What an application does while the columns are filled."""
    orders.run(
        'INSERT INTO public."Orders" VALUES (9001, NULL, 5, $$late$$), (9002, 7, 8, $$whole$$);'
        'UPDATE public."Orders" SET "Net" = 5 WHERE "No" = 3; UPDATE public."Orders" SET "Net" = 0 WHERE "No" = 3;'
        'UPDATE public."Orders" SET tax = NULL WHERE "No" = 4; UPDATE public."Orders" SET "No" = 7777 WHERE "No" = 6;'
        'UPDATE public."Orders" SET note = $$x$$ WHERE "No" = 9; DELETE FROM public."Orders" WHERE "No" = 12;'
        'INSERT INTO public."Orders" VALUES (12, 0, 0, $$again$$)'
    )


def test_nothing_escapes_and_each_value_comes_back(orders: Database, plan: str) -> None:
    before, dump = orders.rows(LEFT), orders.schema_dump()
    cli = Cli(orders.dsn)
    cli.ok("init")
    cli.ok("start", plan)
    write(orders)
    assert orders.value('SELECT count(*) FROM public."Orders" WHERE "Net" IS NULL OR tax IS NULL') == 0
    assert all(each["clean"] for each in cli.ok("verify", "--plan", plan, "--json").json)
    cli.ok("rollback", "--yes", "--plan", plan)
    now = {row[0]: row[1:] for row in orders.rows(LEFT)}
    assert (now[9001], now[9002]) == ((None, 5, "late"), (7, 8, "whole"))
    assert (now[3], now[4], now[7777], now[9]) == (
        (0, None, "n3"),
        (4, None, "n4"),
        (None, None, "n6"),
        (None, None, "x"),
    )
    assert now[12] == (0, 0, "again")
    written = {3, 4, 6, 7777, 9, 12, 9001, 9002}
    assert [(k, *v) for k, v in now.items() if k not in written] == [r for r in before if r[0] not in written]
    assert orders.schema_dump(["changeover"]) == dump


def test_killed_on_the_way_back_and_gone_on_with_while_others_write(
    orders: Database, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = orders.rows(LEFT)
    cli = Cli(orders.dsn)
    cli.ok("init")
    cli.ok("start", plan)
    with monkeypatch.context() as patched:
        patched.setenv(failpoints.VARIABLE, "engine.rows.no_longer_filled=raise")
        assert cli("rollback", "--yes", "--plan", plan).code != 0
    orders.run('UPDATE public."Orders" SET "Net" = 1 WHERE "No" = 3')
    stop = threading.Event()

    def touch() -> None:
        with psycopg.connect(orders.dsn, autocommit=True) as conn:
            while not stop.wait(0.02):
                conn.execute('UPDATE public."Orders" SET note = note || \'\' WHERE "No" % 100 = 1')

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        cli.ok("rollback", "--yes", "--plan", plan)
    finally:
        stop.set()
        thread.join(60)
    now = orders.rows(LEFT)
    assert [r for r in now if r[0] != 3] == [r for r in before if r[0] != 3]
    assert now[2] == (3, 1, None, "n3")


def test_every_row_of_one_statement_keeps_its_original(orders: Database, tmp_path: Path) -> None:
    """Also where the statement is the batch of another fill of the same table."""
    tmp_path.joinpath("plan.yaml").write_text(TWO)
    orders.run('UPDATE public."Orders" SET tax = -"No" WHERE "No" % 5 = 0')
    before, dump = orders.rows(LEFT), orders.schema_dump()
    cli = Cli(orders.dsn)
    cli.ok("init")
    cli.ok("start", str(tmp_path), "--until", "dual-write")
    orders.run("""
        UPDATE public."Orders" SET note = note WHERE "No" <= 30;
        UPDATE public."Orders" SET "Net" = CASE WHEN "No" % 2 = 0 THEN 5 END, tax = NULL WHERE "No" BETWEEN 31 AND 60;
        UPDATE public."Orders" SET "Net" = 8, tax = -8 WHERE "No" BETWEEN 61 AND 70;
        UPDATE public."Orders" SET tax = 6 WHERE "No" BETWEEN 61 AND 70
    """)
    cli.ok("start", str(tmp_path))
    assert orders.value('SELECT count(*) FROM public."Orders" WHERE "Net" IS NULL OR tax IS NULL OR tax < 0') == 0
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    left = {row[0]: row for row in before}
    for number in range(31, 61):
        left[number] = (number, 5 if number % 2 == 0 else None, None, left[number][3])
    for number in range(61, 71):
        left[number] = (number, 8, 6, left[number][3])
    assert orders.rows(LEFT) == sorted(left.values())
    cli.ok("uninstall")
    assert orders.schema_dump() == dump
