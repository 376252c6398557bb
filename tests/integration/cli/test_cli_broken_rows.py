"""Rows that a new key does not allow are counted and shown, and the key is never left half added."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engine.check import broken_rows
from phases.statements import index_head, key_head
from tests.support.cli import Cli
from tests.support.database import Database

PLAN = "plan: keys\nversion: 1\nstages:\n  - stage: one\n    expand: [new.sql]\n    indexes: [indexes.sql]\n    keys: [keys.sql]\n"
OLD = """\
CREATE TABLE public.owner (id integer, part text, PRIMARY KEY (part, id));
CREATE TABLE public."Thing" (id integer PRIMARY KEY, "Owner" integer, part text, name text);
INSERT INTO public.owner SELECT g, 'a;' FROM generate_series(1, 50) g;
INSERT INTO public."Thing" SELECT g, g, 'a;', 'n' || g FROM generate_series(1, 50) g;
INSERT INTO public."Thing" VALUES (90, 7001, 'a;', 'N1'), (91, 7002, 'a;', 'N1'), (92, 7003, NULL, NULL), (93, NULL, NULL, NULL);
"""
FK = 'ALTER TABLE public."Thing" ADD CONSTRAINT To_Owner FOREIGN KEY (part, "Owner") REFERENCES public.owner'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text("CREATE TABLE public.fresh (id integer PRIMARY KEY);")
    (tmp_path / "indexes.sql").write_text('CREATE INDEX thing_name ON public."Thing" (name);')
    (tmp_path / "keys.sql").write_text(f"{FK};")
    return tmp_path


@pytest.mark.parametrize(
    ("statement", "rows", "values"),
    [
        (FK, 2, ("(a;,7001)", "(a;,7002)")),
        (f"{FK} (part, id) ON DELETE CASCADE", 2, ("(a;,7001)", "(a;,7002)")),
        (f"{FK} MATCH FULL", 3, ("(,7003)", "(a;,7001)", "(a;,7002)")),
        ('ALTER TABLE public."Thing" ADD CONSTRAINT c CHECK (id > 0)', 0, ()),
        (
            'CREATE UNIQUE INDEX i ON public."Thing" (lower(name) COLLATE "C" text_pattern_ops DESC NULLS LAST)',
            1,
            ("(n1,3)",),
        ),
        (
            "CREATE UNIQUE INDEX i ON public.\"Thing\" (part, (name || ',')) INCLUDE (id) WHERE id > 60 AND name <> ';'",
            1,
            ('("a;","N1,",2)',),
        ),
        ('CREATE UNIQUE INDEX i ON public."Thing" USING btree (id)', 0, ()),
        ('CREATE INDEX i ON public."Thing" (name)', 0, ()),
    ],
)
def test_the_rows_are_those_that_the_server_refuses(
    database: Database, statement: str, rows: int, values: tuple[str, ...]
) -> None:
    database.run(OLD)
    head = index_head("f:1", statement) if "INDEX" in statement else key_head("f:1", statement)
    broken = broken_rows.count(database.connect(), head)
    if rows == 0:
        assert broken is None
        database.run(statement)
        return
    assert broken is not None
    assert (broken.rows, tuple(value.replace('("a;",', "(a;,").replace(" ", "") for value in broken.values)) == (
        rows,
        tuple(value.replace('("a;",', "(a;,").replace(" ", "") for value in values),
    )
    assert len(database.rows(broken.query)) == rows


def test_check_and_start_name_orphans_of_tables_that_are_there(database: Database, folder: Path) -> None:
    database.run(OLD)
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    for command in (("plan", "check"), ("start", "--kind", "rehearsal")):
        done = cli(*command, str(folder))
        said = done.out + done.err
        assert done.code == 5
        assert "2 rows of public.Thing" in said
        assert "7001" in said
        assert 'SELECT c."part", c."Owner" FROM' in said
        assert database.schema_dump(["changeover"]) == before
    database.run('DELETE FROM public."Thing" WHERE id > 50')
    cli.ok("start", str(folder), "--kind", "rehearsal")
    assert database.value("SELECT convalidated FROM pg_constraint WHERE conname = 'to_owner'") is True


@pytest.mark.parametrize("file", ["keys.sql", "indexes.sql"])
def test_nothing_is_left_half_added(database: Database, folder: Path, file: str) -> None:
    """The rows come after the check: the run counts them before it adds the key."""
    database.run(OLD + 'DELETE FROM public."Thing" WHERE id > 50;')
    if file == "indexes.sql":
        (folder / file).write_text('CREATE UNIQUE INDEX Thing_Name ON public."Thing" (name);')
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(folder), "--kind", "rehearsal", "--until", "dual-write")
    database.run("INSERT INTO public.\"Thing\" VALUES (60, 8001, 'b', 'n1')")
    done = cli("start", str(folder), "--kind", "rehearsal")
    assert done.code == 5
    assert ("1 row of public.Thing" in done.err) if file == "keys.sql" else ("1 key (name)" in done.err), done.err
    assert database.value("SELECT to_regclass('public.thing_name') IS NULL") is (file == "indexes.sql")
    assert database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'to_owner'") == 0
    database.run('DELETE FROM public."Thing" WHERE id = 60')
    cli.ok("start", str(folder), "--kind", "rehearsal")
    assert database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'to_owner' AND convalidated") == 1


@pytest.mark.parametrize("file", ["keys.sql", "indexes.sql"])
def test_a_row_that_comes_between_the_count_and_the_key_leaves_no_half(
    database: Database, folder: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.run(OLD + 'DELETE FROM public."Thing" WHERE id > 50;')
    if file == "indexes.sql":
        (folder / file).write_text('CREATE UNIQUE INDEX Thing_Name ON public."Thing" (name);')
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(folder), "--kind", "rehearsal", "--until", "dual-write")
    database.run("INSERT INTO public.\"Thing\" VALUES (60, 8001, 'b', 'n1')")
    count, unseen = broken_rows.count, iter([None] * (2 if file == "keys.sql" else 1))
    monkeypatch.setattr(broken_rows, "count", lambda conn, head: next(unseen, count(conn, head)))
    done = cli("start", str(folder), "--kind", "rehearsal")
    assert done.code == 5
    assert "nothing of it is left" in done.err
    assert database.value("SELECT to_regclass('public.thing_name') IS NULL") is (file == "indexes.sql")
    assert database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'to_owner'") == 0
    database.run('DELETE FROM public."Thing" WHERE id = 60')
    cli.ok("start", str(folder), "--kind", "rehearsal")
    assert database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'to_owner' AND convalidated") == 1


@pytest.mark.parametrize("filled", ["Owner", "name"])
def test_rows_that_the_plan_fills_are_counted_when_they_are_filled(
    database: Database, tmp_path: Path, filled: str
) -> None:
    """What they are before says nothing, where the fill is about the key's columns."""
    database.run(OLD)
    where = {"Owner": 's."Owner" > 7000', "name": "s.name IS NULL"}[filled]
    value = {"Owner": "NULL::integer", "name": "'none'"}[filled]
    (tmp_path / "plan.yaml").write_text(
        'plan: filled\nversion: 1\nstages:\n  - stage: one\n    alter:\n      - table: public."Thing"\n'
        "        constraints:\n          to_owner: {foreign_key: '(part, \"Owner\") REFERENCES public.owner'}\n"
        f'    mappings:\n      - in_place: public."Thing"\n        where: \'{where}\'\n        columns: {{{filled}: "{value}"}}\n'
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    if filled == "name":
        done = cli("plan", "check", str(tmp_path))
        assert done.code == 5
        assert "2 rows of public.Thing" in done.out + done.err
        return
    cli.ok("plan", "check", str(tmp_path))
    cli.ok("start", str(tmp_path), "--until", "verify")
    assert database.value("SELECT convalidated FROM pg_constraint WHERE conname = 'to_owner'") is True
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    assert database.value('SELECT count(*) FROM public."Thing" WHERE "Owner" > 7000') == 3


PARENTS = """\
plan: parents
version: 1
stages:
  - stage: one
    expand: [new.sql]
    mappings:
      - unify: public.owners
        sources: [public.keeper]
        key: {column: id, target: id}
        originals: originals
        same: [name]
        rejects: {no_name: s.name IS NULL}
      - unify: public.boats
        sources: [public.boat]
        key: {column: id, target: id}
        originals: originals
        same: [keeper]
    keys: [keys.sql]
"""
PARENTS_OLD = """\
CREATE TABLE public.keeper (id integer PRIMARY KEY, name text);
CREATE TABLE public.boat (id integer PRIMARY KEY, keeper integer);
INSERT INTO public.keeper VALUES (1, 'Ada'), (2, NULL);
INSERT INTO public.boat VALUES (10, 1), (11, 2);
"""
PARENTS_NEW = """\
CREATE TABLE public.owners (id integer PRIMARY KEY, name text NOT NULL, originals jsonb NOT NULL DEFAULT '{}');
CREATE TABLE public.boats (id integer PRIMARY KEY, keeper integer, originals jsonb NOT NULL DEFAULT '{}');
"""
PARENTS_KEY = "ALTER TABLE public.boats ADD CONSTRAINT boats_keeper FOREIGN KEY (keeper) REFERENCES public.owners (id);"


def test_a_key_to_rows_that_were_rejected_names_the_rejects(database: Database, tmp_path: Path) -> None:
    database.run(PARENTS_OLD)
    for name, text in {"plan.yaml": PARENTS, "new.sql": PARENTS_NEW, "keys.sql": PARENTS_KEY}.items():
        (tmp_path / name).write_text(text)
    cli = Cli(database.dsn)
    cli.ok("init")
    refused = cli("start", str(tmp_path), "--until", "verify")
    assert (refused.code, "Rejected of public.owners: 1 old row" in refused.err) == (5, True), refused.err
    database.run("UPDATE public.keeper SET name = 'Eve' WHERE id = 2")
    cli.ok("start", str(tmp_path), "--until", "verify")
