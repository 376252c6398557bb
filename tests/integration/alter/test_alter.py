"""`alter:`: a table in use is changed and taken back; the schema is then what it was, to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.alter.conftest import OLD, Write
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.every

OURS = ["changeover", "archive"]


@pytest.fixture
def cli(database: Database) -> Cli:
    database.run(OLD)
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli


def test_everything_is_changed_and_taken_back(database: Database, folder: Path, cli: Cli) -> None:
    before = database.schema_dump(OURS)
    cli.ok("plan", "lint", str(folder))
    cli.ok("plan", "check", str(folder))
    shown = cli.ok("plan", "show", str(folder), "--sql").out
    assert 'ADD COLUMN "phone" text' in shown
    assert "VALIDATE CONSTRAINT" in shown
    assert database.schema_dump(OURS) == before
    for _ in range(2):
        cli.ok("start", str(folder), "--kind", "rehearsal")
        now = database.schema_dump(OURS)
        assert not re.search("changeover_(next|back|Name|dept)", now)
        for line in (
            "phone text",
            '"Grade" smallint DEFAULT 1 NOT NULL',
            "note character varying(20) DEFAULT 'it''s new'",
            "dept text DEFAULT 'all'::text NOT NULL",
            "pay numeric(8,2) DEFAULT 20,",
            "rank integer,",
            '"Name" text,',
            "ON DELETE SET NULL",
            "ADD CONSTRAINT staff_boss FOREIGN KEY",
            "ADD CONSTRAINT staff_code UNIQUE (code)",
            "CONSTRAINT paid CHECK",
            'CREATE UNIQUE INDEX "Staff Code"',
            "CREATE INDEX staff_by_dept",
            "IS 'everybody'",
        ):
            assert line in now, line
        assert "IS 'where'" not in now
        assert not database.rows("SELECT conname FROM pg_constraint WHERE NOT convalidated")
        assert database.value('SELECT count(*) FROM hr."Staff" WHERE "Grade" = 1 AND note = $$it\'s new$$') == 500
        again = cli.ok("start", str(folder), "--kind", "rehearsal")
        assert "done already" in again.out
        cli.ok("rollback", "--yes", "--plan", str(folder))
        assert database.schema_dump(OURS) == before
    assert database.value("SELECT to_regnamespace('archive') IS NULL") is True
    cli.ok("uninstall")


def test_what_was_written_to_new_columns_is_archived_and_named(database: Database, folder: Path, cli: Cli) -> None:
    before = database.schema_dump(OURS)
    cli.ok("start", str(folder), "--kind", "rehearsal")
    database.run('UPDATE hr."Staff" SET "Grade" = 7, phone = \'1-\' || id WHERE id IN (3, 4)')
    database.run('UPDATE hr."Staff" SET note = NULL WHERE id = 9')
    done = cli.ok("rollback", "--yes", "--plan", str(folder))
    assert "archive.Staff_columns_run1" in done.err
    assert "3 rows" in done.err
    assert database.schema_dump(OURS) == before
    assert database.rows('SELECT id, phone, "Grade", note FROM archive."Staff_columns_run1" ORDER BY id') == [
        (3, "1-3", 7, "it's new"),
        (4, "1-4", 7, "it's new"),
        (9, None, 1, None),
    ]
    # Once more: the second archive has a name of its own.
    cli.ok("start", str(folder), "--kind", "rehearsal")
    database.run("UPDATE hr.\"Staff\" SET phone = 'x' WHERE id = 5")
    assert "Staff_columns_run2" in cli.ok("rollback", "--yes", "--plan", str(folder)).err
    assert database.value('SELECT count(*) FROM archive."Staff_columns_run2"') == 1


def test_a_table_without_a_key_gives_its_rows_whole(database: Database, cli: Cli, write: Write) -> None:
    database.run("CREATE TABLE public.loose (a integer, b json); INSERT INTO public.loose VALUES (1, '{}'), (1, '{}')")
    plan = str(write("alter:\n  - table: public.loose\n    add: {c: text}"))
    assert "no primary key" in cli.ok("plan", "check", plan).out
    cli.ok("start", plan, "--kind", "rehearsal")
    database.run("UPDATE public.loose SET c = 'x'")
    cli.ok("rollback", "--yes", "--plan", plan)
    assert database.rows("SELECT a, b::text, c FROM archive.loose_columns_run1") == [(1, "{}", "x"), (1, "{}", "x")]


REFUSED = {
    "not there": ("table: public.nothing\ncomment: x", "no such table"),
    "a view": ("table: public.seen\ncomment: x", "no plain table"),
    "column there": ('table: hr."Staff"\nadd: {boss: integer}', "column boss is there already"),
    "column not there": ('table: hr."Staff"\ncolumns: {Name: {nullable: true}}', "there is no column name"),
    "rewrites": (
        'table: hr."Staff"\nadd: {token: {type: uuid, default: gen_random_uuid()}}',
        "rewrite the whole table",
    ),
    "wrong default": ('table: hr."Staff"\ncolumns: {boss: {default: "\'x\'"}}', "invalid input syntax"),
    "wrong type": ('table: hr."Staff"\nadd: {a: nonsense}', "nonsense"),
    "wrong check": ('table: hr."Staff"\nconstraints: {c: {check: salary > 0}}', "salary"),
    "wrong index": ('table: hr."Staff"\nindexes: {i: (salary)}', "salary"),
    "key of another type": (
        'table: hr."Staff"\nconstraints: {k: {foreign_key: (code) REFERENCES public.team (id)}}',
        "cannot be implemented",
    ),
    "nothing to replace": (
        'table: hr."Staff"\nconstraints: {k: {check: pay > 0, replaces: other}}',
        "no check or foreign key other",
    ),
    "of another owner": ("table: public.theirs\ncomment: x", "only its owner"),
    "broken check": (
        'table: hr."Staff"\nconstraints: {c: {check: id < 499}}',
        "2 rows of hr.Staff for which it is not so",
    ),
    "broken unique": ('table: hr."Staff"\nconstraints: {c: {unique: [team]}}', "5 keys"),
    "broken key": (
        'table: hr."Staff"\nconstraints: {c: {foreign_key: (team) REFERENCES public.club}}',
        "500 rows of hr.Staff with (team) that no row of public.club has",
    ),
    "broken not null": ('table: hr."Staff"\ncolumns: {code: {nullable: false}}', "1 row of hr.Staff"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_changed(
    database: Database, cli: Cli, write: Write, what: str
) -> None:
    database.run('CREATE VIEW public.seen AS SELECT 1 AS a; UPDATE hr."Staff" SET code = NULL WHERE id = 5')
    with database.connect("admin") as conn:
        conn.execute("CREATE TABLE public.theirs (id integer); GRANT ALL ON public.theirs TO PUBLIC")
    keys, said = REFUSED[what]
    lines = "\n".join(f"    {line}" for line in keys.splitlines())
    plan = str(write(f"alter:\n  -{lines[3:]}"))
    before = database.schema_dump(OURS)
    for command in (("plan", "check", plan), ("start", plan, "--kind", "rehearsal")):
        done = cli(*command)
        assert done.code == 5, done.out + done.err
        assert said in done.out + done.err
        assert database.schema_dump(OURS) == before


def test_rows_that_come_after_the_check_leave_nothing_half_added(database: Database, cli: Cli, write: Write) -> None:
    plan = str(
        write(
            'alter:\n  - table: hr."Staff"\n    columns: {boss: {nullable: false}}\n'
            "    constraints: {rich: {check: pay < 1000}}"
        )
    )
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "dual-write")
    before = database.schema_dump(OURS)
    database.run('UPDATE hr."Staff" SET boss = NULL WHERE id = 8')
    done = cli("start", plan, "--kind", "rehearsal")
    assert done.code == 5
    assert "1 row of hr.Staff" in done.err
    assert 'SELECT * FROM ONLY "hr"."Staff"' in done.err
    assert database.schema_dump(OURS) == before
    database.run('UPDATE hr."Staff" SET boss = 1, pay = 5000 WHERE id = 8')
    assert "pay < 1000" in cli("start", plan, "--kind", "rehearsal").err
    database.run('UPDATE hr."Staff" SET pay = 5 WHERE id = 8')
    cli.ok("start", plan, "--kind", "rehearsal")


def test_the_way_back_stops_before_its_first_step_where_a_rule_cannot_come_back(
    database: Database, folder: Path, cli: Cli
) -> None:
    before = database.schema_dump(OURS)
    cli.ok("start", str(folder), "--kind", "rehearsal")
    now = database.schema_dump(OURS)
    database.run('UPDATE hr."Staff" SET "Name" = NULL WHERE id = 7')
    done = cli("rollback", "--yes", "--plan", str(folder))
    assert done.code == 5
    assert "1 row of hr.Staff" in done.err
    assert database.schema_dump(OURS) == now
    database.run('UPDATE hr."Staff" SET "Name" = \'n7\' WHERE id = 7')
    cli.ok("rollback", "--yes", "--plan", str(folder))
    assert database.schema_dump(OURS) == before


def test_a_column_that_is_dropped_is_archived_at_retire(database: Database, cli: Cli, write: Write) -> None:
    plan = str(
        write(
            'alter:\n  - {table: hr."Staff", drop: [code, "\\"Name\\""]}\n'
            "contract: {archive: none, gates: {flag: none}, keep_days: 0}"
        )
    )
    before = database.schema_dump(OURS)
    cli.ok("start", plan, "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", plan)
    assert database.schema_dump(OURS) == before
    cli.ok("start", plan, "--kind", "rehearsal")
    database.run('INSERT INTO hr."Staff" (boss) VALUES (1)')  # new code leaves them out
    assert "hr.Staff (code, Name)" in cli.ok("retire", plan, "--dry-run").out
    assert "archive.Staff_columns_run2" in cli.ok("retire", plan, "--yes").err
    assert (
        database.value("SELECT count(*) FROM archive.\"Staff_columns_run2\" WHERE code = 'c7' AND \"Name\" = 'n7'") == 1
    )
    assert database.value('SELECT count(*) FROM archive."Staff_columns_run2"') == 500
    query = (
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'hr.\"Staff\"'::regclass AND attname IN ('code', 'Name')"
    )
    assert database.value(query) == 0
    assert "dropped" in cli.ok("retire", plan, "--yes").out
