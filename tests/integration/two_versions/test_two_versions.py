"""`views` and `drop` of a table changed in place: two versions use one name for two types, until the old columns go."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.cli import Cli
from tests.support.lifecycle import same
from tests.support.traffic import Traffic, crew, missing
from tests.support.two_versions import NEW, OLD, OURS, PLAN, as_version, build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database, Databases


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases.clone("two versions", build)


@pytest.fixture
def cli(database: Database) -> Cli:
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli


@pytest.fixture
def plan(tmp_path: Path) -> str:
    (tmp_path / "plan.yaml").write_text(PLAN)
    return str(tmp_path)


@pytest.mark.every
def test_both_versions_write_there_back_and_to_the_end(database: Database, cli: Cli, plan: str) -> None:
    before = database.schema_dump(OURS)
    cli.ok("plan", "lint", plan)
    cli.ok("plan", "check", plan)
    assert database.schema_dump(OURS) == before
    traffic = Traffic()
    old = traffic.add(crew(as_version(database, 1), "old", [OLD], pace=0.002))
    new = traffic.add(crew(as_version(database, 2), "new", [NEW], pace=0.002))
    traffic.allow(old)
    try:
        traffic.wait_for_more(50)  # of a table that has no view yet
        cli.ok("start", plan, "--kind", "rehearsal")
        traffic.allow(new)
        traffic.wait_for_more(100)
        cli.ok("verify", "--plan", plan)
        traffic.hold(new)
        for each in new:
            each.retire()
        cli.ok("rollback", "--yes", "--plan", plan)
        traffic.wait_for_more(50)
        traffic.hold()
        traffic.check()
        same(database.schema_dump(OURS), before, "after rollback")
        tags = {row[0] for row in database.rows("SELECT tag FROM public.steps")}
        assert not missing(tags, "the table", traffic.writers)
        traffic.allow(old)
        cli.ok("start", plan, "--kind", "rehearsal")
        new = traffic.add(crew(as_version(database, 2), "new", [NEW, NEW], pace=0.002)[2:])
        traffic.allow(new)
        traffic.wait_for_more(50)
        traffic.hold(old)
        for each in old:
            each.retire()
        cli.ok("retire", plan, "--yes")
        traffic.wait_for_more(50)
        traffic.hold()
        traffic.check()
        traffic.nobody_waited()
        tags = {row[0] for row in database.rows("SELECT tag FROM public.steps")}
        assert not missing(tags, "the table", traffic.writers)
    finally:
        traffic.end()
    assert database.rows(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = 'public.steps'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname"
    ) == [
        ("hours", "numeric(8,2)", False),
        ("id", "integer", True),
        ("note", "text", False),
        ("status", "integer", True),
        ("tag", "text", True),
    ]
    # Where nobody has written since, the archive has the very word; everywhere the word of the number.
    kept = "FROM archive.steps_columns_run2 k JOIN public.steps s USING (id) JOIN public.statuses c ON c.id = s.status"
    assert database.value(f"SELECT count(*) {kept} WHERE s.tag LIKE 't%' AND lower(btrim(k.status)) = c.code") >= 300
    assert database.value(f"SELECT count(*) {kept} WHERE k.status IN ('DONE', ' held ')") >= 150
    assert (
        database.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.steps'::regclass AND NOT tgisinternal")
        == 0
    )
    assert (
        database.value(
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace AND proname ~ '^m[0-9]'"
        )
        == 0
    )
    assert database.value("SELECT to_regclass('app_v1.steps') IS NULL AND to_regclass('app_v2.steps') IS NULL")
    assert "dropped" in cli("rollback", "--yes", "--plan", plan).err
    cli.ok("status")
    cli.ok("drain")


@pytest.mark.every
def test_one_name_has_two_types(database: Database, cli: Cli, plan: str) -> None:
    cli.ok("start", plan, "--until", "verify")
    one, two = (psycopg.connect(as_version(database, n), autocommit=True) for n in (1, 2))
    with one, two:
        row = "SELECT * FROM steps WHERE id = {}"
        assert one.execute(row.format(2).encode()).fetchone() == (2, "t2", " held ", 2, "n")
        assert two.execute(row.format(2).encode()).fetchone() == (2, "t2", 3, "n", Decimal("0.03"))
        two.execute("UPDATE steps SET status = 2, hours = 1.5 WHERE id = 2")
        assert one.execute('SELECT status, "Minutes" FROM steps WHERE id = 2').fetchone() == ("done", 90)
        one.execute("UPDATE steps SET status = 'Brand new' WHERE id = 2")
        assert two.execute(
            "SELECT c.code FROM steps s JOIN statuses c ON c.id = s.status WHERE s.id = 2"
        ).fetchone() == ("brand new",)
        two.execute("INSERT INTO steps (tag, status, hours) VALUES ('by two', 1, 2)")
        one.execute("INSERT INTO steps (tag) VALUES ('by one')")
        assert one.execute("SELECT tag, status, \"Minutes\" FROM steps WHERE tag LIKE 'by%' ORDER BY 1").fetchall() == [
            ("by one", "open", None),
            ("by two", "open", 120),
        ]
        with pytest.raises(psycopg.errors.UndefinedColumn):
            one.execute("SELECT hours FROM steps")
    cli.ok("verify", "--plan", plan)


EARLY = "refused: it cannot be written before dual-write"


def test_the_new_version_cannot_write_before_the_mirror_tells_it(database: Database, cli: Cli, plan: str) -> None:
    """What it wrote before would be told to nobody, and the repair would take the older word."""
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "expand")
    database.run("UPDATE app_v1.steps SET status = 'done' WHERE id = 3")
    written = "SELECT tag, status, \"Minutes\" FROM app_v1.steps WHERE id IN (3, 4) OR tag = 'early' ORDER BY 1"
    expected = [("early", "done", 30), ("t3", "open", 120), ("t4", "open", 120)]
    early = (
        "UPDATE steps SET status = 1, hours = 2 WHERE id = 3",
        "INSERT INTO steps (tag, status, hours) VALUES ('early', 2, 0.5) RETURNING id",
        "DELETE FROM steps WHERE id = 4",
    )
    with psycopg.connect(as_version(database, 2), autocommit=True) as two:
        assert two.execute("SELECT status, hours FROM steps WHERE id = 3 FOR UPDATE").fetchone() == (None, None)
        for statement in early:
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=EARLY):
                two.execute(statement.encode())
        cli.ok("run", "dual-write", "--plan", plan, "--stage", "steps")
        # Before a row is copied.
        for statement in (*early[:2], early[0].replace("id = 3", "id = 4")):
            two.execute(statement.encode())
        assert database.rows(written) == expected
        cli.ok("start", plan, "--kind", "rehearsal", "--until", "verify")
        cli.ok("verify", "--plan", plan, "--repair")
        assert database.rows(written) == expected
        cli.ok("rollback", "--yes", "--plan", plan, "--to", "expand")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=EARLY):
            two.execute(early[0].encode())
        cli.ok("start", plan, "--kind", "rehearsal")
        two.execute(early[0].encode())
    assert database.rows(written) == expected


@pytest.mark.every
def test_nobody_gains_a_right(database: Database, cli: Cli, plan: str) -> None:
    """A view has the grants of the table, by column too; row-level security judges who asks."""
    role = database.app_role
    database.run(
        f"REVOKE ALL ON public.steps FROM {role}; GRANT SELECT (id, status), UPDATE (note) ON public.steps TO {role}"
    )
    cli.ok("start", plan, "--until", "verify")
    one, two = (psycopg.connect(as_version(database, n), autocommit=True) for n in (1, 2))
    with one, two:
        assert one.execute("SELECT id, status FROM steps WHERE id = 1").fetchone() == (1, "DONE")
        for conn, statement in (
            (one, "SELECT note FROM steps"), (one, "DELETE FROM steps"), (two, "SELECT status FROM steps"), (two, "SELECT hours FROM steps")
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
        assert two.execute("SELECT id FROM steps WHERE id = 1").fetchone() == (1,)


def test_contract_is_found_as_it_was_left(database: Database, cli: Cli, plan: str) -> None:
    """An old column that contract has made nullable does not make other functions of the mirror than there are."""
    cli.ok("start", plan)
    cli.ok("run", "contract", "--plan", plan, "--stage", "steps")
    cli.ok("verify", "--plan", plan)
    cli.ok("rollback", "--yes", "--plan", plan, "--to", "verify")
    assert database.value(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'public.steps'::regclass AND attname = 'status'"
    )
    cli.ok("start", plan)


def test_columns_of_one_table_that_two_stages_drop_are_archived_together(
    database: Database, cli: Cli, tmp_path: Path
) -> None:
    more = """\
  - stage: note
    after: steps
    alter:
      - {table: public.steps, drop: [note]}
    contract: {archive: none, gates: {flag: none}, keep_days: 0}
"""
    (tmp_path / "plan.yaml").write_text(PLAN + more)
    cli.ok("start", str(tmp_path))
    shown = cli.ok("retire", str(tmp_path), "--dry-run").out
    assert "public.steps (status, Minutes, note)" in shown
    assert "status_id becomes status" in shown
    cli.ok("retire", str(tmp_path), "--yes")
    row = 'SELECT id, status, "Minutes", note FROM archive.steps_columns_run1 WHERE id = 2'
    assert database.rows(row) == [(2, " held ", 2, "n")]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("drop: [status, Minutes]", "drop: [status]", "nobody computes Minutes any more"),
        ("        drop: [status, Minutes]\n", "", "say which, in `drop`"),
        ("becomes: status", "becomes: hours", "two columns would be called hours"),
        ("becomes: status", "becomes: note", "status_id cannot become note"),
        ("drop: [status, Minutes]", "drop: [status, Minutes, id]", "id is of the primary key"),
        ("drop: [status, Minutes]", "drop: [status, Minutes, fax]", "has no column fax"),
        ("new: app_v2", "new: public", "is the table itself"),
        ("new: app_v2", "new: pg_temp", "PostgreSQL's own"),
        ("new: app_v2", "new: taken", "taken.steps is there already"),
        ("    contract: {gates: {flag: none}, keep_days: 0}\n", "", "give the stage a `contract`"),
        (
            "    contract:",
            "      - in_place: public.steps\n        name: b\n        columns: {loud: {type: text, from: upper(s.status)}}\n    contract:",
            "the mirror of this mapping reads them and stays",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_changed(
    database: Database, cli: Cli, tmp_path: Path, before: str, after: str, words: str
) -> None:
    database.run("CREATE SCHEMA taken; CREATE TABLE taken.steps (id integer)")
    assert PLAN.count(before) == 1
    (tmp_path / "plan.yaml").write_text(PLAN.replace(before, after))
    dump = database.schema_dump(OURS)
    done = cli("plan", "check", str(tmp_path))
    assert done.code != 0
    assert words in done.out + done.err
    assert database.schema_dump(OURS) == dump
