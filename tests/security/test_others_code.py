"""Code of others on an old table: a mirror writes as the table's owner, so their triggers would run with the owner's rights."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database, Databases

LEGACY = Path(orchestrator.__file__).parent / "plans" / "example" / "legacy.sql"


@pytest.fixture
def shops(databases: Databases) -> Database:
    return databases.clone("trigger code", lambda made: made.run(LEGACY.read_text()))


def _as_admin(database: Database, statements: str) -> None:
    database.connect("admin").execute(statements)


def _function_of(database: Database, role: str) -> None:
    _as_admin(database, f'CREATE SCHEMA theirs AUTHORIZATION "{role}"')
    _as_admin(
        database,
        "CREATE FUNCTION theirs.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        f'ALTER FUNCTION theirs.look() OWNER TO "{role}"',
    )


def test_a_trigger_whose_function_is_somebody_elses_is_refused_before_anything_is_changed(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    _function_of(shops, shops.app_role)
    made = "CREATE TRIGGER look AFTER UPDATE ON public.customers_west FOR EACH ROW EXECUTE FUNCTION theirs.look()"
    _as_admin(shops, made)
    before = shops.schema_dump()
    checked, started = cli("plan", "check", "example"), cli("start", "example")
    assert (checked.code, started.code) == (5, 5)
    assert "trigger look calls theirs.look()" in checked.out
    assert f"role {shops.app_role} can change" in started.err.replace('"', "")
    assert shops.schema_dump() == before
    # With its own owner's rights, whoever writes: nobody gains any.
    _as_admin(shops, "ALTER FUNCTION theirs.look() SECURITY DEFINER")
    cli.ok("start", "example", "--until", "verify")


def test_who_may_put_a_trigger_there_is_told(shops: Database) -> None:
    cli = Cli(shops.dsn)
    assert "may put triggers" not in cli.ok("plan", "check", "example").out
    shops.run(f'GRANT ALL ON public.customers_west TO "{shops.app_role}"')
    told = cli.ok("plan", "check", "example").out
    assert "may put triggers on public.customers_west" in " ".join(told.split())
    shops.run(f'REVOKE TRIGGER ON public.customers_west FROM "{shops.app_role}"')
    assert "may put triggers" not in cli.ok("plan", "check", "example").out


@pytest.fixture
def things(databases: Databases, plan: str) -> Database:
    """An old table that looks words up; nobody else's code is near."""

    def build(made: Database) -> None:
        made.run(
            "CREATE TABLE public.thing (id integer PRIMARY KEY, name text, kind text);"
            "INSERT INTO public.thing SELECT i, i::text, 'a' FROM generate_series(1, 3) i;"
            "CREATE TABLE public.stored_word (code text PRIMARY KEY, word text);"
            "INSERT INTO public.stored_word VALUES ('1', 'one');"
            "CREATE VIEW public.word AS SELECT code AS id, code, word FROM public.stored_word"
        )
        Cli(made.dsn).ok("init")
        Cli(made.dsn).ok("plan", "check", plan)

    database = databases.clone("others' code", build)
    _as_admin(database, f'CREATE SCHEMA theirs AUTHORIZATION "{database.app_role}"')
    _as_admin(database, "GRANT USAGE ON SCHEMA theirs TO PUBLIC")
    app = database.connect("app")
    app.execute(
        """CREATE TABLE theirs.ran (who text); GRANT INSERT ON theirs.ran TO PUBLIC;
           CREATE FUNCTION theirs.run() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
               INSERT INTO theirs.ran VALUES (current_user); RETURN true; END $$;
           CREATE TYPE theirs.kind AS ENUM ('a', 'b');
           CREATE DOMAIN theirs.checked AS text CHECK (value <> '' AND theirs.run());
           CREATE FUNCTION theirs.said(theirs.kind) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
               PERFORM theirs.run(); RETURN 'a'; END $$"""
    )
    return database


@pytest.fixture
def plan(tmp_path: Path) -> str:
    folder = tmp_path / "things"
    folder.mkdir()
    (folder / "plan.yaml").write_text("""
plan: things
version: 1
stages:
  - stage: things
    expand: [new.sql]
    mappings:
      - unify: public.things
        sources: [public.thing]
        key: {column: id, target: id}
        originals: originals
        types: {name: text, kind: text}
        lookups:
          word: {table: public.word, match: word.code = s.name}
        columns: {name: s.name, kind: s.kind, word: word.word}
        reverse: {name: t.name, kind: t.kind}
""")
    (folder / "new.sql").write_text(
        "CREATE TABLE public.things (id integer PRIMARY KEY, name text, kind text, word text,\n"
        "    originals jsonb NOT NULL DEFAULT '{}');\n"
    )
    return str(folder)


def test_functions_of_others_behind_tables_are_refused_and_never_run(things: Database, plan: str) -> None:
    app = things.connect("app")
    app.execute("CREATE CAST (theirs.kind AS text) WITH FUNCTION theirs.said(theirs.kind) AS ASSIGNMENT")
    things.run(
        """ALTER TABLE public.thing ADD kinds theirs.kind[], ADD word theirs.checked, ADD fresh boolean,
               ADD CONSTRAINT good CHECK (id > 0 OR theirs.run()) NOT VALID;
           ALTER TABLE public.thing ALTER fresh SET DEFAULT theirs.run();
           CREATE VIEW public.deeper AS SELECT * FROM public.stored_word WHERE theirs.run();
           CREATE OR REPLACE VIEW public.word AS SELECT code AS id, code, word FROM public.deeper"""
    )
    app.execute("TRUNCATE theirs.ran")  # what the owner's own statements have run
    cli = Cli(things.dsn)
    for refused in (cli("plan", "check", plan), cli("start", plan)):
        assert refused.code == 5
        said = " ".join((refused.out + refused.err).split())
        for what in (
            "the cast of type theirs.kind calls theirs.said(theirs.kind)",
            "the CHECK of domain theirs.checked calls theirs.run()",
            "the default of column fresh calls theirs.run()",
            "constraint good calls theirs.run()",
            "view deeper calls theirs.run()",
        ):
            assert f"{what}, which role {things.app_role} can change" in said
    assert app.execute("SELECT * FROM theirs.ran").fetchall() == []


def test_who_owns_what_is_read_is_told(things: Database, plan: str) -> None:
    things.run("ALTER TABLE public.thing ALTER kind TYPE theirs.kind USING kind::theirs.kind")
    _as_admin(things, f'ALTER TABLE public.stored_word OWNER TO "{things.app_role}"')
    things.connect("app").execute(f'GRANT SELECT ON public.stored_word TO "{things.value("SELECT current_user")}"')
    told = " ".join(Cli(things.dsn).ok("plan", "check", plan).out.split())
    for what in ("type theirs.kind", "stored_word"):
        assert f"{things.app_role} owns {what} and can have code of its own run" in told


def test_a_policy_of_others_on_a_looked_up_table_is_refused(things: Database, plan: str) -> None:
    _as_admin(things, f'ALTER TABLE public.stored_word OWNER TO "{things.app_role}"')
    things.connect("app").execute(
        f"""GRANT SELECT ON public.stored_word TO "{things.value("SELECT current_user")}";
            ALTER TABLE public.stored_word ENABLE ROW LEVEL SECURITY;
            CREATE POLICY mine ON public.stored_word USING (theirs.run())"""
    )
    things.run("DROP VIEW public.word")
    things.connect("admin").execute(
        "ALTER TABLE public.stored_word RENAME TO word; ALTER TABLE public.word ADD id text"
    )
    refused = Cli(things.dsn)("plan", "check", plan)
    assert refused.code == 5
    assert "policy mine calls theirs.run()" in " ".join(refused.out.split())
    assert things.connect("app").execute("SELECT * FROM theirs.ran").fetchall() == []
