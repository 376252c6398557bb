"""`start` asks whether the whole plan fits before its first statement: half a plan is a bad place to learn it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cases import PARCELS, TICKETS
from tests.support.cli import Cli
from tests.support.database import Database, Databases

pytestmark = pytest.mark.newest


@pytest.fixture
def tickets(databases: Databases) -> Database:
    return databases.clone(f"lifecycle {TICKETS.name}", TICKETS.build)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], str]:
    """A copy of the plan in which something reads otherwise; it may be changed again."""
    folder = tmp_path / "tickets"
    shutil.copytree(TICKETS.plan, folder)

    def change(old: str, new: str) -> str:
        text = (folder / "plan.yaml").read_text()
        assert old in text
        (folder / "plan.yaml").write_text(text.replace(old, new, 1))
        return str(folder)

    return change


@pytest.mark.parametrize(
    ("reads", "wrong", "words"),
    [
        ("value: t.score", "value: t.skore", "plan.yaml:60: error: t.skore: skore is not a column of t"),
        (
            "value: t.score",
            "value: t.score\n        lookups: {who: {table: public.nobody, match: 'true'}}",
            "no table public.nobody",
        ),
        ("item: mark", "item: marque", "public.ticket_marks has no column marque"),
    ],
)
def test_what_is_wrong_with_the_second_stage_is_said_before_the_first_begins(
    tickets: Database,
    changed: Callable[[str, str], str],
    reads: str,
    wrong: str,
    words: str,
) -> None:
    cli = Cli(tickets.dsn)
    cli.ok("init")
    before = tickets.schema_dump()
    done = cli("start", changed(reads, wrong))
    assert done.code == 5
    assert words in done.err
    assert "Nothing was changed" in done.err
    assert tickets.schema_dump() == before
    # The run is given up: the mended plan is another one, and needs no way back first.
    cli.ok("start", changed(wrong, reads), "--until", "dual-write", "--stage", "tickets")


def test_a_typo_is_one_problem_however_many_mappings_read_the_table(databases: Databases, tmp_path: Path) -> None:
    database = databases.clone(f"lifecycle {PARCELS.name}", PARCELS.build)
    folder = tmp_path / "parcels"
    shutil.copytree(PARCELS.plan, folder)
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("sources: [public.parcels]", "sources: [public.parcel]"))
    cli = Cli(database.dsn)
    cli.ok("init")
    done = cli("start", str(folder))
    assert done.code == 5
    assert done.err.count("none of that name") == 1
    assert "stage derived, mapping parcel_history, mapping promises, mapping labels, mapping parcel_goods: " in done.err


def test_a_stage_that_is_not_asked_for_does_not_stop_the_one_that_is(
    tickets: Database, changed: Callable[[str, str], str]
) -> None:
    cli = Cli(tickets.dsn)
    cli.ok("init")
    plan = changed("value: t.score", "value: t.skore")
    cli.ok("start", plan, "--stage", "tickets", "--until", "expand")
    refused = cli("start", plan, "--until", "expand")
    assert (refused.code, "skore" in refused.err) == (5, True)
    assert tickets.value("SELECT to_regclass('public.ticket_marks') IS NULL") is True


@pytest.mark.parametrize(
    ("reads", "wrong", "words"),
    [
        ("state: t.state", "state: t.state ((", "plan.yaml:33, reverse.state: PostgreSQL answered 42601"),
        ("state: t.state", "state: fold(t.state)", "plan.yaml:33, reverse.state: PostgreSQL answered 42883"),
        ("absent: 0", "absent: 7", "absent is 7, and `when` counts that"),
        ("no_date: t.opened IS NULL", "no_date: nobody(t.opened)", "function nobody(date) does not exist"),
        ("no_negative_weight: t.weight < 0", "no_negative_weight: t.weight", "must be type boolean, not type numeric"),
        (
            "        exempt:\n",
            "        exists_when: t.dead\n        exempt:\n",
            "plan.yaml:39: error: t.dead: dead is not a column of t",
        ),
    ],
)
def test_an_expression_that_the_server_does_not_understand_is_named(
    tickets: Database, changed: Callable[[str, str], str], reads: str, wrong: str, words: str
) -> None:
    before = tickets.schema_dump()
    done = Cli(tickets.dsn)("plan", "check", changed(reads, wrong))
    assert (done.code, words in done.out) == (5, True), done.out
    assert tickets.schema_dump() == before


@pytest.mark.parametrize("command", ["check", "show", "start"])
def test_a_plan_does_not_end_the_transaction_it_is_tried_in(tickets: Database, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "tickets"
    shutil.copytree(TICKETS.plan, folder)
    path = folder / "sql/tickets.sql"
    path.write_text(f"BEGIN;\n{path.read_text()};\n/* done */ COMMIT;")
    cli = Cli(tickets.dsn)
    cli.ok("init")
    before = tickets.schema_dump()
    done = cli(
        *(("start",) if command == "start" else ("plan", command)), str(folder), *(["--sql"] * (command == "show"))
    )
    assert done.code in {2, 5}
    assert "sql/tickets.sql:1" in done.out + done.err
    assert ("not for the plan to say" if command == "show" else "the engine opens and ends") in done.out + done.err
    assert tickets.schema_dump() == before


def test_a_parent_that_the_plan_makes_is_known_however_it_is_spelt(tickets: Database, tmp_path: Path) -> None:
    folder = tmp_path / "tickets"
    shutil.copytree(TICKETS.plan, folder)
    path = folder / "sql/marks_keys.sql"
    for name in ('"public"."tickets"', "PUBLIC.Tickets"):
        path.write_text((Path(TICKETS.plan) / "sql/marks_keys.sql").read_text().replace("public.tickets ", f"{name} "))
        assert "no_parent" not in Cli(tickets.dsn).ok("plan", "check", str(folder)).out


def test_a_query_for_tables_only_reads(tickets: Database, tmp_path: Path) -> None:
    folder = tmp_path / "tickets"
    shutil.copytree(TICKETS.plan, folder)
    rows = tickets.value("SELECT count(*) FROM public.queues")
    (folder / "sql/queues.sql").write_text(
        "WITH gone AS (DELETE FROM public.queues RETURNING table_name, name AS discriminator, 1 AS rank) SELECT * FROM gone"
    )
    done = Cli(tickets.dsn)("plan", "check", str(folder))
    assert (done.code, "read-only" in done.out) == (5, True)
    assert tickets.value("SELECT count(*) FROM public.queues") == rows


@pytest.mark.parametrize(
    ("reads", "now", "words"),
    [
        ("        discriminator: queue\n", "", "queue is NOT NULL"),
        ("sql/queues.sql", "sql/same.sql", "with the discriminator 'main'"),
        ("sql/queues.sql", "sql/none.sql", "none of its tables is in this database; other stages can begin"),
    ],
)
def test_rows_that_could_not_be_told_apart_are_not_put_together(
    tickets: Database, changed: Callable[[str, str], str], reads: str, now: str, words: str
) -> None:
    folder = Path(changed(reads, now))
    for file, value in (("same", "'main'"), ("none", "NULL")):
        (folder / f"sql/{file}.sql").write_text(
            f"SELECT q.table_name, {value} AS discriminator, 1 AS rank FROM public.queues q WHERE q.table_name <> ''"
        )
    done = Cli(tickets.dsn)("plan", "check", str(folder))
    assert (done.code, words in done.out) == (5, True), done.out


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("marks_keys.sql", "ticket_id) REFERENCES public.tickets (queue)", "no unique constraint"),
        ("marks_keys.sql", "mark) REFERENCES public.tickets (id)", "cannot be implemented"),
        ("marks_keys.sql", "mark) REFERENCES public.queues (name)", ""),
        ("tickets_indexes.sql", "CREATE INDEX tickets_odd ON public.tickets (nothing)", "nothing"),
    ],
)
def test_what_is_built_after_the_rows_is_tried_before_them(
    tickets: Database, tmp_path: Path, file: str, text: str, words: str
) -> None:
    folder = tmp_path / "tickets"
    shutil.copytree(TICKETS.plan, folder)
    statement = f"ALTER TABLE public.ticket_marks ADD CONSTRAINT odd FOREIGN KEY ({text}" if "REFER" in text else text
    (folder / "sql" / file).write_text(statement)
    before = tickets.schema_dump()
    with tickets.connect("app", autocommit=False) as application:
        # Somebody writes the table that a key refers to: nothing waits for that.
        application.execute("UPDATE public.queues SET name = name")
        done = Cli(tickets.dsn)("plan", "check", str(folder))
    assert (done.code, words in done.out) == (5 if words else 0, True), done.out + done.err
    assert tickets.schema_dump() == before


def test_a_plan_that_is_on_its_way_is_checked_beside_its_writers(tickets: Database) -> None:
    cli = Cli(tickets.dsn)
    cli.ok("init")
    cli.ok("start", TICKETS.plan, "--until", "dual-write", "--stage", "tickets")
    with tickets.connect("app", autocommit=False) as application:
        application.execute("UPDATE public.billing SET state = 'closed'; SELECT * FROM compat.billing")
        cli.ok("plan", "check", TICKETS.plan)


def test_tables_that_only_an_earlier_stage_fills_in_are_no_hindrance(
    tickets: Database, changed: Callable[[str, str], str]
) -> None:
    """The second stage asks a table of the first one's which tables it is to read: it has no rows yet."""
    folder = Path(
        changed(
            "discover: sql/queues.sql\n        key: {column: id, target",
            "discover: sql/later.sql\n        key: {column: id, target",
        )
    )
    (folder / "sql/later.sql").write_text(
        "SELECT DISTINCT CASE queue WHEN 'main' THEN 'public.billing' END, queue, 1 FROM public.tickets "
        "WHERE queue = 'main'".replace("END,", "END AS table_name,").replace(
            ", queue, 1", ", queue AS discriminator, 1"
        )
    )
    cli = Cli(tickets.dsn)
    checked = cli.ok("plan", "check", str(folder))
    assert "known only when" in checked.out
    cli.ok("init")
    cli.ok("start", str(folder), "--until", "verify")
    assert tickets.value("SELECT count(*) > 0 FROM public.ticket_marks") is True
