"""`alter:` while applications of both versions write; kills; and what the application's role may do meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestrator.engine import commands
from orchestrator.engine.session import Terms
from orchestrator.kernel.errors import LockTimeoutError
from orchestrator.kernel.events import Bus, Event
from tests.integration.alter.conftest import OLD
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.traffic import Book, Traffic, crew, missing

OURS = ["changeover", "archive"]
GRANTS = """
GRANT USAGE ON SCHEMA hr TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON hr."Staff", public.team TO {app};
GRANT USAGE ON SEQUENCE hr."Staff_id_seq" TO {app};
"""
OLD_STAFF = Book(
    name='hr."Staff"',
    insert='INSERT INTO hr."Staff" ("Name", boss, team) VALUES (%(tag)s, 1, 1 + %(r)s %% 5)',
    update=[
        'UPDATE hr."Staff" SET "Name" = %(tag)s WHERE "Name" = %(old)s',
        'UPDATE hr."Staff" SET "Name" = %(tag)s, pay = %(r)s WHERE "Name" = %(old)s',
    ],
    delete='DELETE FROM hr."Staff" WHERE "Name" = %(old)s',
    read=['SELECT id, "Name", dept FROM hr."Staff" WHERE id < %(r)s', "SELECT * FROM public.team"],
)
NEW_STAFF = Book(
    name='hr."Staff"',
    insert='INSERT INTO hr."Staff" ("Name", boss, phone, "Grade") VALUES (%(tag)s, 1, %(tag)s, 1 + %(r)s %% 9)',
    update=['UPDATE hr."Staff" SET "Name" = %(tag)s, phone = %(tag)s, pay = NULL WHERE "Name" = %(old)s'],
    delete='DELETE FROM hr."Staff" WHERE "Name" = %(old)s',
    read=['SELECT phone, "Grade", note FROM hr."Staff" WHERE id < %(r)s'],
)
TEAM = Book(
    name="public.team",
    insert="INSERT INTO public.team SELECT 10 + coalesce(max(id), 0) + %(r)s, %(tag)s FROM public.team ON CONFLICT DO NOTHING RETURNING id",
    update=["UPDATE public.team SET label = %(tag)s WHERE label = %(old)s"],
    delete="DELETE FROM public.team WHERE label = %(old)s",
)


@pytest.fixture
def cli(database: Database) -> Cli:
    database.run(OLD + GRANTS.format(app=database.app_role))
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli


def test_both_versions_write_on_the_way_there_and_back(database: Database, folder: Path, cli: Cli) -> None:
    before = database.schema_dump(OURS)
    traffic = Traffic()
    old = traffic.add(crew(database.app_dsn, "old", [OLD_STAFF], pace=0.002))
    new = traffic.add(crew(database.app_dsn, "new", [NEW_STAFF], pace=0.002))
    traffic.allow(old)
    try:
        for phase in commands.PHASES:
            cli.ok("run", phase, "--plan", str(folder), "--stage", "more", "--kind", "rehearsal")
            traffic.allow(new)
            traffic.wait_for_more(100)
        traffic.hold(new)
        for each in new:
            each.retire()
        database.run('UPDATE hr."Staff" SET pay = 1 WHERE pay IS NULL')  # else NOT NULL could not come back
        cli.ok("rollback", "--yes", "--plan", str(folder))
        traffic.wait_for_more(50)
        traffic.hold()
        traffic.check()
        traffic.nobody_waited()
        names = {row[0] for row in database.rows('SELECT "Name" FROM hr."Staff"')}
        assert not missing(names, "the table", traffic.writers)
        kept = dict(database.rows('SELECT id, phone FROM archive."Staff_columns_run1"'))
        wanted = database.rows('SELECT id, "Name" FROM hr."Staff" WHERE "Name" LIKE %s', ("new%",))
        assert wanted
        assert all(kept[key] == name for key, name in wanted)
    finally:
        traffic.end()
    assert database.schema_dump(OURS) == before


@pytest.mark.usefixtures("cli")
def test_no_moment_without_a_key(database: Database, folder: Path) -> None:
    """Whenever a statement of the plan or of the way back is about to run, the table has a key to its team."""
    bus, seen = Bus(), []

    def look(event: Event) -> None:
        if event.kind in {"action.executing", "action.done", "action.undoing", "action.undone"}:
            query = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = 'public.team'::regclass"
            seen.append(database.value(query))

    bus.subscribe(look)
    given: dict[str, Any] = {"bus": bus, "operator": "test"}
    commands.start(database.dsn, str(folder), kind="rehearsal", **given)
    commands.rollback(database.dsn, str(folder), **given)
    assert len(seen) > 40
    assert min(seen) == 1


def test_what_is_written_while_the_columns_go_is_kept(database: Database, folder: Path, cli: Cli) -> None:
    cli.ok("start", str(folder), "--kind", "rehearsal")
    database.run("UPDATE hr.\"Staff\" SET phone = 'first' WHERE id <= 4")
    app, refused = database.connect("app"), []

    def write(event: Event) -> None:
        if event.kind == "action.undoing" and str(event.fields["action"]).startswith("columns"):
            app.execute("UPDATE hr.\"Staff\" SET phone = 'second' WHERE id = 1")
            app.execute("UPDATE hr.\"Staff\" SET phone = 'third' WHERE id = 1")
            app.execute('UPDATE hr."Staff" SET phone = NULL WHERE id = 2')
            app.execute('DELETE FROM hr."Staff" WHERE id = 3')
            app.execute('UPDATE hr."Staff" SET id = 9000 WHERE id = 4')
            app.execute("INSERT INTO hr.\"Staff\" (id, \"Name\", phone) VALUES (9001, 'x', 'fresh')")
            for name in ("columns_of_hr_Staff", "columns_log_of_hr_Staff"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(f'SELECT * FROM changeover."{name}"')
                refused.append(name)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute('SELECT changeover."columns_kept_of_hr_Staff"()')

    bus = Bus()
    bus.subscribe(write)
    commands.rollback(database.dsn, str(folder), bus=bus, operator="test")
    assert len(refused) == 2, bus.failures
    rows = database.rows('SELECT id, phone FROM archive."Staff_columns_run1" ORDER BY id')
    assert rows == [(1, "third"), (9000, "first"), (9001, "fresh")]
    assert database.value("SELECT count(*) FROM pg_class WHERE relname ~ '^columns_'") == 0
    assert database.value("SELECT count(*) FROM pg_proc WHERE proname ~ '^columns_'") == 0


def test_a_table_that_is_held_is_left_alone_and_the_command_goes_on_later(
    database: Database, folder: Path, cli: Cli
) -> None:
    holder = database.connect("app", autocommit=False)
    holder.execute('SELECT count(*) FROM hr."Staff"')
    before = database.schema_dump(OURS)
    few = Terms(lock_attempts=2)
    with pytest.raises(LockTimeoutError):
        commands.start(database.dsn, str(folder), kind="rehearsal", bus=Bus(), operator="test", terms=few)
    assert database.schema_dump(OURS) == before
    holder.rollback()
    cli.ok("start", str(folder), "--kind", "rehearsal")
