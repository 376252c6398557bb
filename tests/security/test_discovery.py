"""Whose tables a discovery takes. The attacker may write the list that it reads, and has no right on what he names."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.mapping import discovery
from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """
plan: lists
version: 1
{schemas}
stages:
  - stage: s
    flag: READ_BOOK
    expand: [new.sql]
    mappings:
      - unify: public.book
        discover: src.sql
        key: {{column: id, target: id}}
        discriminator: origin
        originals: originals
        types: {{}}
        columns: {{}}
        reverse: {{}}
        pack: {{rest: extra}}
    contract: {{keep_days: 0}}
"""
NEW = """
CREATE TABLE public.book (
    id bigint PRIMARY KEY, origin text NOT NULL, extra jsonb NOT NULL DEFAULT '{}', originals jsonb NOT NULL DEFAULT '{}');
"""
SOURCES = "SELECT names.it AS table_name, names.it AS discriminator, 1 AS rank FROM public.names ORDER BY names.it"


@pytest.fixture
def library(database: Database) -> Database:
    """A list of tables that the application's role may write, and tables that it may not read."""
    role = database.app_role
    database.run(
        f"""CREATE TABLE public.names (it text);
            INSERT INTO public.names VALUES ('shelf');
            CREATE TABLE public.shelf (id bigint PRIMARY KEY, title text);
            INSERT INTO public.shelf VALUES (1, 'one');
            CREATE SCHEMA hr;
            CREATE TABLE hr.salaries (id bigint PRIMARY KEY, amount text);
            INSERT INTO hr.salaries VALUES (2, 'secret');
            CREATE TABLE public."archive.shelf" (id bigint PRIMARY KEY, title text);
            GRANT USAGE ON SCHEMA public TO "{role}";
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.names TO "{role}" """
    )
    Cli(database.dsn).ok("init")
    return database


def _plan(folder: Path, schemas: str = "") -> str:
    (folder / "plan.yaml").write_text(PLAN.format(schemas=schemas))
    (folder / "new.sql").write_text(NEW)
    (folder / "src.sql").write_text(SOURCES)
    return str(folder)


def _name(database: Database, table: str) -> None:
    database.connect("app").execute("INSERT INTO public.names VALUES (%s)", (table,))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("changeover.event", "schema changeover"),
        ('"changeover"."reject"', "schema changeover"),
        ("CHANGEOVER.Run", "schema changeover"),
        ("pg_catalog.pg_authid", "schema pg_catalog"),
        ("pg_catalog.pg_class", "schema pg_catalog"),
        ("information_schema.sql_features", "schema information_schema"),
        ("hr.salaries", "schemas: [public, hr]"),
        ('hr."salaries"', "schemas: [public, hr]"),
    ],
)
def test_a_name_that_leads_out_of_the_plans_schemas_is_refused(
    library: Database, tmp_path: Path, name: str, words: str
) -> None:
    plan, cli = _plan(tmp_path), Cli(library.dsn)
    cli.ok("plan", "check", plan)
    _name(library, name)
    before = library.schema_dump()
    checked = cli("plan", "check", plan)
    assert (checked.code, words in checked.out) == (5, True), checked.out
    started = cli("start", plan, "--kind", "rehearsal")
    assert (started.code, words in started.err) == (5, True), started.err
    assert library.schema_dump() == before
    examined = cli("doctor", "--plan", plan, "--json")
    assert examined.code == 5
    assert [c["level"] for c in examined.json["checks"] if c["name"] == "discovery"] == ["fail"], examined.out


def test_a_table_of_another_owner_is_refused(library: Database, tmp_path: Path) -> None:
    """Its owner's triggers and defaults would be run by whoever writes it: by our mirror, with the rights of our role."""
    admin = library.connect("admin")
    admin.execute(f'GRANT CREATE ON SCHEMA public TO "{library.app_role}"')
    library.connect("app").execute("CREATE TABLE public.mine (id bigint PRIMARY KEY, title text)")
    admin.execute(f'REVOKE CREATE ON SCHEMA public FROM "{library.app_role}"')
    owner = library.value("SELECT current_user")
    library.connect("app").execute(f'GRANT ALL ON public.mine TO "{owner}"')
    _name(library, "mine")
    checked = Cli(library.dsn)("plan", "check", _plan(tmp_path))
    assert (checked.code, f"belongs to {library.app_role}" in checked.out) == (5, True)


def test_what_holds_no_rows_of_its_own_is_no_source(library: Database) -> None:
    admin = library.connect("admin")
    admin.execute("CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere")
    admin.execute("CREATE FOREIGN TABLE public.foreign_shelf (id bigint, title text) SERVER far")
    owner = library.value("SELECT current_user")
    admin.execute(f'ALTER FOREIGN TABLE public.foreign_shelf OWNER TO "{owner}"')
    conn = library.connect()
    conn.execute(
        "CREATE TEMP TABLE passing (id bigint); CREATE TABLE public.parts (id bigint) PARTITION BY RANGE (id); "
        "CREATE TABLE public.part PARTITION OF public.parts DEFAULT; CREATE VIEW public.seen AS SELECT 1 AS id; "
        "CREATE SEQUENCE public.counting"
    )
    row = conn.execute("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()").fetchone()
    assert row is not None
    names = ["foreign_shelf", f"{row[0]}.passing", "parts", "part", "seen", "counting"]
    conn.cursor().executemany("INSERT INTO public.names VALUES (%s)", [(name,) for name in names])
    within = discovery.Within(frozenset({"public", row[0]}))
    found, findings = discovery.discover(conn, SOURCES, within)
    assert [each.table.name for each in found] == ["shelf"]
    assert {each.subject.removeprefix("public."): each.code for each in findings} == {
        **dict.fromkeys(("foreign_shelf", "parts", "part", "seen"), "not_a_table"),
        f"{row[0]}.passing": "temporary",
        "counting": "no_table",
    }


def test_a_name_that_comes_while_the_plan_runs_is_left_alone(library: Database, tmp_path: Path) -> None:
    plan, cli = _plan(tmp_path), Cli(library.dsn)
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "dual-write")
    for name in ("hr.salaries", "changeover.event", "public.book", "changeover.queue"):
        _name(library, name)
    library.run("CREATE TABLE public.rack (id bigint PRIMARY KEY, title text); INSERT INTO public.rack VALUES (7, 'x')")
    _name(library, "rack")
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "verify")
    assert {name for (name,) in library.rows("SELECT name FROM changeover.source")} == {"public.shelf", "public.rack"}
    assert library.rows("SELECT origin, id FROM public.book ORDER BY 1") == [("rack", 7), ("shelf", 1)]
    codes = dict(library.rows("SELECT subject, code FROM changeover.warning"))
    assert codes == {
        **dict.fromkeys(("hr.salaries", "changeover.event", "changeover.queue"), "not_allowed"),
        "public.book": "own_target",
    }


def test_a_plan_may_allow_a_schema_and_an_odd_name_is_no_schema(library: Database, tmp_path: Path) -> None:
    cli = Cli(library.dsn)
    _name(library, "hr.salaries")
    _name(library, "archive.shelf")  # a table of schema public whose name has a dot
    plan = _plan(tmp_path, "schemas: [public, hr]")
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "verify")
    assert library.value("SELECT count(*) FROM public.book") == 2
    only = _plan(tmp_path, "schemas: [hr]")
    assert "public.shelf" not in cli("plan", "check", only).out.replace("shelf: it is in schema public", "")


@pytest.mark.parametrize("schema", ["changeover", "compat", "archive", "pg_catalog", "pg_temp_3", "information_schema"])
def test_no_plan_allows_our_schemas(tmp_path: Path, schema: str) -> None:
    done = Cli(None)("plan", "lint", _plan(tmp_path, f"schemas: [{schema}]"))
    assert done.code == 2
    assert f"schema {schema}" in done.out + done.err


def test_a_listed_source_is_not_one_of_our_tables(library: Database, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text()
    (tmp_path / "plan.yaml").write_text(text.replace("discover: src.sql", "sources: [changeover.event]"))
    checked = Cli(library.dsn)("plan", "check", plan)
    assert (checked.code, "schema changeover has no old tables" in checked.out) == (5, True)
