"""What an expand file does is taken back whole, or refused before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = "plan: adds\nversion: 1\nstages:\n  - stage: one\n    expand: [one.sql]\n  - stage: two\n    expand: [two.sql]\n"
OLD = """\
CREATE TABLE public.old (id integer PRIMARY KEY, word text);
CREATE TABLE public."Old Too" ("Id" integer PRIMARY KEY);
CREATE TABLE public.rows (id integer) ;
ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY;
CREATE SEQUENCE public.numbers OWNED BY public.old.id;
CREATE SEQUENCE public.free;
COMMENT ON TABLE public.old IS 'It''s \\ old';
COMMENT ON COLUMN public.old.word IS 'a word';
CREATE FUNCTION public.twice(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * a';
COMMENT ON FUNCTION public.twice(integer) IS 'doubles';
CREATE TYPE public.mood AS ENUM ('good');
INSERT INTO public.old VALUES (1, 'a'), (2, 'b');
"""
NEW = "CREATE TABLE public.fresh (id integer PRIMARY KEY, word text, day date NOT NULL DEFAULT '2024-01-01');\n"

TAKEN_BACK = {
    "views": """
        CREATE OR REPLACE VIEW public."Seen" AS SELECT id FROM public.old WHERE word <> '/*;*/';
        CREATE VIEW public.seen_too AS SELECT * FROM public."Seen";
        CREATE MATERIALIZED VIEW public.kept AS SELECT count(*) AS n FROM public.old;
        COMMENT ON VIEW public."Seen" IS 'a view; with a semicolon';
        COMMENT ON COLUMN public."Seen".id IS 'of a view';
        GRANT SELECT ON public."Seen", public.kept TO {app} WITH GRANT OPTION;
    """,
    "routines": """
        CREATE FUNCTION public.plain(a integer, b text DEFAULT ',)', OUT c text, VARIADIC d double precision[] DEFAULT '{{}}')
            LANGUAGE sql AS $f$ SELECT ';' $f$;
        CREATE OR REPLACE FUNCTION public.plain("a b" character varying(3), timestamp with time zone, x numeric(10, 2) = 1)
            RETURNS integer BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
        CREATE PROCEDURE public."Do It"(INOUT a int, b public.mood[]) LANGUAGE sql AS 'SELECT 1';
        REVOKE ALL ON FUNCTION public.plain(integer, text, double precision[]) FROM PUBLIC;
        GRANT EXECUTE ON PROCEDURE public."Do It"(int, public.mood[]) TO {app};
        COMMENT ON FUNCTION public.twice(integer) IS NULL;
        COMMENT ON PROCEDURE public."Do It"(int, public.mood[]) IS 'does it';
    """,
    "triggers": """
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER Noted BEFORE INSERT OR UPDATE OF word ON public.old FOR EACH ROW WHEN (NEW.word <> ' ON x;') EXECUTE FUNCTION public.note();
        CREATE CONSTRAINT TRIGGER "Late" AFTER INSERT ON public."Old Too" DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.note();
        COMMENT ON TRIGGER "Late" ON public."Old Too" IS 'late';
        CREATE RULE quiet AS ON DELETE TO public."Old Too" DO INSTEAD (SELECT 1; SELECT 2);
    """,
    "row security": """
        CREATE POLICY Mine ON public.old FOR SELECT TO {app} USING (word = ';');
        ALTER TABLE public.old ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ONLY public.old FORCE ROW LEVEL SECURITY;
        ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY;
        COMMENT ON POLICY mine ON public.old IS 'a policy';
    """,
    "types": """
        CREATE TYPE public."Kind" AS ENUM (';', 'b');
        CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 3);
        COMMENT ON DOMAIN public.short IS 'short';
        COMMENT ON TYPE public.mood IS 'moods';
        GRANT USAGE ON TYPE public."Kind" TO {app};
        GRANT USAGE ON DOMAIN public.short TO {app};
        CREATE STATISTICS public."Stat" (dependencies) ON id, word FROM public.old;
        COMMENT ON STATISTICS public."Stat" IS 'both';
    """,
    "sequences": """
        CREATE SEQUENCE public.counted;
        ALTER SEQUENCE public.counted OWNED BY public.fresh.id;
        ALTER SEQUENCE public.free OWNED BY public."Old Too"."Id";
        ALTER SEQUENCE public.numbers OWNED BY NONE;
        GRANT USAGE ON SEQUENCE public.counted TO {app};
    """,
    "schemas": """
        CREATE SCHEMA more;
        CREATE TABLE more.parts (id integer, day date) PARTITION BY RANGE (day);
        CREATE TABLE more.parts_1 PARTITION OF more.parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE UNLOGGED TABLE more.loose (id integer, day date);
        ALTER TABLE more.parts ATTACH PARTITION more.loose DEFAULT;
        GRANT USAGE ON SCHEMA more TO {app};
        GRANT SELECT ON ALL TABLES IN SCHEMA more TO {app};
        COMMENT ON SCHEMA more IS 'more';
    """,
    "tables": """
        ALTER TABLE public.fresh ADD COLUMN "A" integer DEFAULT (1), ADD b numeric(3, 1);
        ALTER TABLE public.fresh ADD CONSTRAINT later CHECK (id > 0);
        CREATE INDEX "By Word" ON public.fresh (lower(word));
        COMMENT ON CONSTRAINT later ON public.fresh IS 'later';
        COMMENT ON INDEX public."By Word" IS 'by word';
        COMMENT ON TABLE public.old IS 'still old';
        COMMENT ON COLUMN public.old.word IS NULL;
        GRANT SELECT (id, word), UPDATE (word) ON TABLE public.fresh TO {app};
    """,
}
REFUSED = {
    "ALTER TABLE public.old ADD COLUMN more integer": "not public.old",
    "CREATE INDEX i ON public.old (word)": "an index belongs to `indexes`",
    "CREATE FUNCTION loose() RETURNS int LANGUAGE sql AS 'SELECT 1'": "named without its schema",
    "GRANT SELECT ON public.old TO {app}": "not public.old",
    "REVOKE ALL ON public.old FROM PUBLIC": "not public.old",
    "CREATE TABLE public.part PARTITION OF public.old DEFAULT": "not public.old",
    "ALTER TABLE public.old DISABLE TRIGGER ALL": "not public.old",
    "ALTER TABLE public.fresh RENAME TO other": "no way back",
    "ALTER TABLE public.old DISABLE ROW LEVEL SECURITY": "not public.old",
    "ALTER TYPE public.mood ADD VALUE 'bad'": "no way back",
    "ALTER SEQUENCE public.free RESTART 7": "no way back",
    "DO $$ BEGIN END $$": "no way back",
    "SELECT setval('public.free', 8)": "no way back",
    "CREATE SCHEMA s CREATE TABLE t (a int)": "no way back",
    "COMMENT ON ROLE {app} IS 'x'": "no way back",
    "COMMENT ON TABLE public.old IS 'it": "does not end",
    "CREATE OR REPLACE FUNCTION public.twice(x integer) RETURNS integer LANGUAGE sql AS 'SELECT 3'": "there already",
    "CREATE TYPE public.mood AS ENUM ('other')": "there already",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "one.sql").write_text(NEW)
    (tmp_path / "two.sql").write_text("CREATE TABLE public.other (id integer);\n")
    return tmp_path


@pytest.mark.parametrize("what", TAKEN_BACK)
def test_what_has_a_plain_inverse_is_taken_back_whole(database: Database, folder: Path, what: str) -> None:
    database.run(OLD)
    (folder / "one.sql").write_text(NEW + TAKEN_BACK[what].format(app=database.app_role))
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    cli.ok("plan", "check", str(folder))
    assert database.schema_dump(["changeover"]) == before
    for _ in range(2):
        cli.ok("start", str(folder), "--kind", "rehearsal")
        assert database.schema_dump(["changeover"]) != before
        cli.ok("rollback", "--yes", "--plan", str(folder))
        assert database.schema_dump(["changeover"]) == before
    assert database.rows("SELECT * FROM public.old ORDER BY id") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_has_none_is_refused_before_anything_is_changed(database: Database, folder: Path, statement: str) -> None:
    database.run(OLD)
    (folder / "two.sql").write_text(statement.format(app=database.app_role))
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    for command in (("plan", "check", str(folder)), ("start", str(folder), "--kind", "rehearsal")):
        done = cli(*command)
        assert done.code == 5
        assert REFUSED[statement] in done.out + done.err
        assert database.schema_dump(["changeover"]) == before
    # The run is given up; the stage that is in order can go alone.
    cli.ok("start", str(folder), "--kind", "rehearsal", "--stage", "one")


def test_what_a_later_stage_changes_of_an_earlier_one_goes_back_with_the_later_one(
    database: Database, folder: Path
) -> None:
    (folder / "two.sql").write_text(
        "ALTER TABLE public.fresh ADD COLUMN more text;\nCOMMENT ON TABLE public.fresh IS 'two';"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(folder), "--kind", "rehearsal", "--stage", "one")
    before = database.schema_dump(["changeover"])
    cli.ok("start", str(folder), "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", str(folder), "--stage", "two")
    assert database.schema_dump(["changeover"]) == before
    assert database.value("SELECT to_regclass('public.fresh') IS NOT NULL") is True


def test_a_check_holds_no_lock_on_a_table_that_the_application_uses(database: Database, folder: Path) -> None:
    """The policy and the switch take ACCESS EXCLUSIVE: they are tried, and let go at once."""
    database.run(OLD)
    (folder / "one.sql").write_text(
        "CREATE POLICY mine ON public.old USING (true);\nALTER TABLE public.old ENABLE ROW LEVEL SECURITY;\n"
        "CREATE VIEW public.last AS SELECT relation::regclass AS name FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND pid = pg_backend_pid();\n"
        "CREATE MATERIALIZED VIEW public.held AS SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM public.last WHERE name = 'public.old'::regclass;\n"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "check", str(folder))
