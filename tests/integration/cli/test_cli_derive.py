"""Derive from the command line: the example of its page, forward, back, what stops it, and a kill on the way back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.database import Database

PAGE = (ROOT / "docs/kinds/derive.md").read_text()
REFUSED = 5
_TABLES = """
    CREATE TABLE public.services (code text PRIMARY KEY, title text NOT NULL);
    CREATE TABLE public.orders (id integer PRIMARY KEY, state text, placed date, due date, service text);
    CREATE TABLE public.order_history (
        entry integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id integer NOT NULL, to_state text NOT NULL, at date
    );
    CREATE TABLE public.deadlines (
        id bigserial PRIMARY KEY, order_id integer NOT NULL, title text NOT NULL, hours integer, noted_on date, seen boolean
    );
    CREATE TABLE public.alarms (
        id integer PRIMARY KEY, deadline bigint NOT NULL REFERENCES public.deadlines ON DELETE CASCADE
    );
    INSERT INTO public.services VALUES ('A', 'air');
    INSERT INTO public.orders SELECT i, 'new', date '2024-01-01' + i, date '2024-01-03' + i, 'A' FROM generate_series(1, 2500) i;
    UPDATE public.orders SET placed = NULL WHERE id = 7;
    UPDATE public.orders SET due = '2020-01-01' WHERE id = 8;
    UPDATE public.orders SET service = 'X' WHERE id = 9;
    UPDATE public.orders SET state = NULL, due = NULL WHERE id = 10;
    INSERT INTO public.order_history (order_id, to_state, at) VALUES (-1, 'kept', '2020-01-01');
"""


@pytest.fixture
def plan(database: Database, tmp_path: Path) -> str:
    text, _ = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "plan.yaml").write_text(text)
    database.run(_TABLES)
    return str(tmp_path)


def dump(database: Database) -> str:
    return database.schema_dump(["changeover"])


def test_the_example_of_the_page_goes_there_and_back(database: Database, plan: str) -> None:
    cli, before = Cli(database.dsn), dump(database)
    cli("init")
    assert cli("plan", "check", plan).code == 0
    done = cli("start", plan, "--until", "verify")
    assert done.code == 0, done.err
    made = "SELECT count(*) FROM public.{} WHERE order_id > 0"
    assert [database.value(made.format(t)) for t in ("order_history", "deadlines")] == [2498, 2497]
    rejects = database.rows("SELECT reason, count(*) FROM changeover.reject GROUP BY 1 ORDER BY 1")
    assert rejects == [("ends_before_it_begins", 1), ("no_date", 1), ("no_service", 1)]
    # The new application writes beside the mirror, changes one derived row, deletes one.
    database.run("INSERT INTO public.order_history (order_id, to_state, at) VALUES (1, 'sent', '2024-02-02')")
    database.run("UPDATE public.deadlines SET seen = true WHERE order_id = 1")
    database.run("DELETE FROM public.deadlines WHERE order_id = 2")
    database.run("UPDATE public.orders SET due = due + 1 WHERE id IN (1, 2, 3)")
    assert cli("verify", "--plan", plan).code == 0
    hours = database.rows("SELECT order_id, hours FROM public.deadlines WHERE order_id < 4 ORDER BY 1")
    assert hours == [(1, 48), (3, 72)]
    assert database.value("SELECT count(*) FROM public.orders") == 2500
    # A row of others would lose what it refers to: nothing is changed.
    database.run("INSERT INTO public.alarms SELECT 1, id FROM public.deadlines WHERE order_id = 3")
    refused = cli("rollback", "--yes", "--plan", plan)
    assert refused.code == REFUSED
    assert "public.alarms" in refused.err
    assert database.value("SELECT count(*) FROM public.deadlines") == 2496
    database.run("DELETE FROM public.alarms")
    done = cli("rollback", "--yes", "--plan", plan)
    assert done.code == 0, done.err
    left = database.rows("SELECT order_id, to_state FROM public.order_history ORDER BY entry")
    assert left == [(-1, "kept"), (1, "sent")]
    assert database.value("SELECT count(*) FROM public.deadlines") == 0
    kept = database.rows("SELECT source_key, row ->> 'seen', target FROM archive.derived_rows")
    assert kept == [("1", "true", "public.deadlines")]
    database.run("DROP TABLE archive.derived_rows; DROP SCHEMA archive")
    assert dump(database) == before


def test_contract_leaves_the_source_and_the_mirror_on(database: Database, plan: str) -> None:
    cli = Cli(database.dsn)
    cli("init")
    path = Path(plan) / "plan.yaml"
    path.write_text(path.read_text().replace("{archive: none}", "{gates: {flag: none, rejects: false}}"))
    done = cli("start", plan)
    assert done.code == 0, done.err
    database.run("INSERT INTO public.orders VALUES (5000, 'late', '2024-05-01', '2024-05-02', 'A')")
    assert database.value("SELECT to_state FROM public.order_history WHERE order_id = 5000") == "late"
    assert database.value("SELECT hours FROM public.deadlines WHERE order_id = 5000") == 24
    done = cli("retire", plan, "--yes")
    assert "archives no tables" in done.err
    assert cli("rollback", "--yes", "--plan", plan).code == 0
    assert database.value("SELECT count(*) FROM public.order_history") == 1


def test_rows_of_others_in_a_target_that_the_plan_makes_go_to_archive(database: Database, plan: str) -> None:
    cli = Cli(database.dsn)
    cli("init")
    folder = Path(plan)
    (folder / "labels.sql").write_text(
        "CREATE TABLE public.labels (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id integer);"
    )
    (folder / "plan.yaml").write_text(
        "plan: orders\nversion: 1\nstages:\n  - stage: derived\n    expand: [labels.sql]\n    mappings:\n"
        "      - derive: public.labels\n        sources: [public.orders]\n        key: {column: id}\n"
        "        types: {id: integer}\n        columns: {order_id: s.id}\n"
    )
    assert cli("start", plan, "--until", "verify").code == 0
    database.run("INSERT INTO public.labels (order_id) VALUES (-5)")
    done = cli("rollback", "--yes", "--plan", plan)
    assert done.code == 0, done.err
    assert "archive.labels" in done.out
    assert database.rows("SELECT order_id FROM archive.labels WHERE order_id < 0") == [(-5,)]
    assert database.value("SELECT to_regclass('public.labels') IS NULL")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE public.orders DROP CONSTRAINT orders_pkey", "no unique index"),
        ("ALTER TABLE public.deadlines ALTER id DROP DEFAULT", "has no default"),
    ],
)
def test_check_says_what_a_derive_needs(database: Database, plan: str, change: str, said: str) -> None:
    database.run(change)
    done = Cli(database.dsn)("plan", "check", plan)
    assert done.code != 0
    assert said in done.out + done.err
