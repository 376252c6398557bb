"""`rename:`: old and new names both work from expand to retire, for reads and writes of every kind."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.lifecycle import same
from tests.support.traffic import Book, Traffic, crew, missing

pytestmark = pytest.mark.every

OURS = ["changeover", "archive"]
OLD = """\
CREATE TABLE public.perameters (id serial PRIMARY KEY, "Label" varchar(40) NOT NULL UNIQUE, wieght numeric(5, 2) DEFAULT 1.5,
                                at timestamptz DEFAULT now());
CREATE TABLE public.uses (id integer PRIMARY KEY, parameter integer REFERENCES public.perameters (id));
CREATE VIEW public.heavy AS SELECT id, wieght FROM public.perameters WHERE wieght > 2;
COMMENT ON COLUMN public.perameters.wieght IS 'kg';
INSERT INTO public.perameters ("Label", wieght) SELECT 'p' || g, g % 7 FROM generate_series(1, 200) g;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.perameters TO {app};
GRANT USAGE ON SEQUENCE public.perameters_id_seq TO {app};
"""
PLAN = """\
plan: names
version: 1
stages:
  - stage: names
    rename:
      - table: public.perameters
        to: {to}
        columns: {{wieght: weight}}
    contract: {{archive: none, gates: {{flag: none}}, keep_days: 0}}
"""
IN_SCHEMA = PLAN.replace("to: {to}", "new_names_in: app_v2")


def book(table: str, weight: str) -> Book:
    return Book(
        name=table,
        insert=f'INSERT INTO {table} ("Label") VALUES (%(tag)s) RETURNING id',
        update=[
            f'UPDATE {table} SET "Label" = %(tag)s, {weight} = %(r)s / 10.0 WHERE "Label" = %(old)s',
            f'WITH x AS (SELECT id FROM {table} WHERE "Label" = %(old)s FOR UPDATE) UPDATE {table} t SET "Label" = %(tag)s FROM x WHERE t.id = x.id',
        ],
        delete=f'DELETE FROM {table} WHERE "Label" = %(old)s',
        read=[f"SELECT * FROM {table} WHERE id < %(r)s", f"SELECT {weight}, count(*) FROM {table} GROUP BY {weight}"],
    )


@pytest.fixture
def cli(database: Database) -> Cli:
    database.run(OLD.format(app=database.app_role))
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli


@pytest.fixture(params=["table", "columns"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    text = PLAN if request.param == "table" else IN_SCHEMA
    (tmp_path / "plan.yaml").write_text(text.format(to="'\"Parameters\"'"))
    return tmp_path


def new_name(folder: Path) -> str:
    return "app_v2.perameters" if "app_v2" in (folder / "plan.yaml").read_text() else 'public."Parameters"'


def test_both_versions_write_there_back_and_to_the_end(database: Database, folder: Path, cli: Cli) -> None:
    plan, before = str(folder), database.schema_dump(OURS)
    cli.ok("plan", "lint", plan)
    cli.ok("plan", "check", plan)
    assert database.schema_dump(OURS) == before
    traffic = Traffic()
    old = traffic.add(crew(database.app_dsn, "old", [book("public.perameters", "wieght")], pace=0.002))
    new = traffic.add(crew(database.app_dsn, "new", [book(new_name(folder), "weight")], pace=0.002))
    traffic.allow(old)
    try:
        traffic.wait_for_more(50)
        cli.ok("start", plan, "--kind", "rehearsal")
        traffic.allow(new)
        traffic.wait_for_more(100)
        traffic.hold(new)
        for each in new:
            each.retire()
        cli.ok("rollback", "--yes", "--plan", plan)
        traffic.wait_for_more(50)
        traffic.hold()
        traffic.check()
        same(database.schema_dump(OURS), before, "after rollback")
        traffic.allow(old)
        cli.ok("start", plan, "--kind", "rehearsal")
        traffic.allow(new)
        traffic.wait_for_more(50)
        traffic.hold(old)
        for each in old:
            each.retire()
        if "app_v2" not in new_name(folder):
            cli.ok("retire", plan, "--yes")
            traffic.wait_for_more(50)
        traffic.hold()
        traffic.check()
        traffic.nobody_waited()
        now = {row[0] for row in database.rows(f'SELECT "Label" FROM {new_name(folder)}')}
        assert not missing(now, "the table", traffic.writers)
    finally:
        traffic.end()


def test_everything_by_the_old_name_works(database: Database, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(to="parameters"))
    app = database.connect("app")
    app.execute("PREPARE every AS SELECT * FROM public.perameters WHERE id = $1")
    first = app.execute("EXECUTE every (5)").fetchone()
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    assert app.execute("EXECUTE every (5)").fetchone() == first
    upsert = 'INSERT INTO public.perameters ("Label") VALUES (%s) ON CONFLICT ("Label") DO UPDATE SET wieght = 9 RETURNING wieght'
    assert app.execute(upsert, ("fresh",)).fetchone() == (app.execute("SELECT 1.50").fetchone() or [None])
    assert app.execute(upsert, ("fresh",)).fetchone() == (app.execute("SELECT 9.00").fetchone() or [None])
    number = app.execute("SELECT currval(pg_get_serial_sequence('public.perameters', 'id'))").fetchone()
    assert number == app.execute("SELECT currval('public.perameters_id_seq')").fetchone()
    locking = "SELECT id FROM public.perameters WHERE id = 5 FOR UPDATE"
    with app.transaction():
        app.execute(locking)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            database.connect("app").execute("SELECT id FROM public.parameters WHERE id = 5 FOR UPDATE NOWAIT")
    assert app.execute("SELECT weight FROM public.parameters WHERE \"Label\" = 'fresh'").fetchone() is not None
    database.run("UPDATE public.uses SET id = id")  # its foreign key has followed
    assert database.value("SELECT count(*) FROM public.heavy WHERE wieght = 9") == 1
    cli.ok("retire", str(tmp_path), "--yes")
    assert database.value("SELECT to_regclass('public.perameters')") is None
    query = "SELECT pg_get_serial_sequence('public.parameters', 'id')"
    assert database.value(query) == "public.perameters_id_seq"
    assert app.execute("INSERT INTO public.parameters (\"Label\") VALUES ('last') RETURNING weight").fetchone()


def test_the_columns_of_a_table_that_keeps_its_name(database: Database, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "plan.yaml").write_text(IN_SCHEMA.format())
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    app = database.connect("app")
    app.execute("SET search_path = app_v2, public")
    app.execute("PREPARE weights AS SELECT weight, * FROM perameters WHERE id = $1")
    first = app.execute("EXECUTE weights (5)").fetchone()
    app.execute("INSERT INTO perameters (\"Label\", weight) VALUES ('by v2', 4)")
    assert database.value("SELECT wieght FROM public.perameters WHERE \"Label\" = 'by v2'") == 4
    cli.ok("retire", str(tmp_path), "--yes")
    # The new application goes on as before, with the same search path and the same prepared statement.
    assert app.execute("EXECUTE weights (5)").fetchone() == first
    app.execute("UPDATE perameters SET weight = 5 WHERE \"Label\" = 'by v2'")
    assert database.value("SELECT weight FROM public.perameters WHERE \"Label\" = 'by v2'") == 5


def test_nobody_gains_a_right(database: Database, tmp_path: Path, cli: Cli) -> None:
    """Column grants stay column grants, and what is taken by the old name stays taken."""
    (tmp_path / "plan.yaml").write_text(PLAN.format(to="parameters"))
    app = database.app_role
    database.run(
        f"REVOKE ALL ON public.perameters FROM {app}; GRANT SELECT (id, wieght) ON public.perameters TO {app};"
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {app};"
    )
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    conn = database.connect("app")
    assert conn.execute("SELECT sum(wieght) FROM public.perameters").fetchone() == (
        conn.execute("SELECT sum(weight) FROM public.parameters").fetchone()
    )
    refused = [
        'SELECT "Label" FROM public.perameters',
        "DELETE FROM public.perameters",
        "UPDATE public.perameters SET wieght = 1",
    ]
    for statement in refused:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
    database.run(f"REVOKE SELECT (wieght) ON public.perameters FROM {app}")
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT wieght FROM public.perameters")
    assert conn.execute("SELECT count(id) FROM public.perameters").fetchone() == (200,)


@pytest.mark.parametrize("later", [False, True])
def test_row_level_security_judges_who_asks_by_either_name(
    database: Database, tmp_path: Path, cli: Cli, *, later: bool
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(to="parameters"))
    policy = "CREATE POLICY low ON public.{0} USING (id < 10); ALTER TABLE public.{0} ENABLE ROW LEVEL SECURITY"
    if not later:
        database.run(policy.format("perameters"))
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    if later:
        database.run(policy.format("parameters"))
    conn = database.connect("app")
    for name in ("perameters", "parameters"):
        assert conn.execute(f"SELECT count(*) FROM public.{name}").fetchone() == (9,)
        assert conn.execute(f"DELETE FROM public.{name} WHERE id = 50").rowcount == 0


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("table: public.none\nto: other", "no such table"),
        ("table: public.perameters\nto: uses", "public.uses is there already"),
        ("table: public.heavy\nto: light", "no such table"),
        ("table: public.perameters\nto: other\ncolumns: {nothing: some}", "there is no column nothing"),
        ('table: public.perameters\nto: other\ncolumns: {wieght: "\\"Label\\""}', "there is a column Label already"),
        ("table: public.perameters\ncolumns: {wieght: weight}\nnew_names_in: changeover", "PostgreSQL's own"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_changed(
    database: Database, tmp_path: Path, cli: Cli, keys: str, said: str
) -> None:
    lines = "\n".join(f"        {line}" for line in keys.splitlines())
    (tmp_path / "plan.yaml").write_text(
        f"plan: names\nversion: 1\nstages:\n  - stage: names\n    rename:\n      -{lines[7:]}\n"
    )
    before = database.schema_dump(OURS)
    for command in (("plan", "check"), ("start", "--kind", "rehearsal")):
        done = cli(*command, str(tmp_path))
        assert done.code == 5, done.out + done.err
        assert said in done.out + done.err
    assert database.schema_dump(OURS) == before


def test_what_somebody_has_hung_on_the_old_name_stops_the_way_back(
    database: Database, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(to="parameters"))
    before = database.schema_dump(OURS)
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    database.run("CREATE VIEW public.mine AS SELECT wieght FROM public.perameters")
    done = cli("rollback", "--yes", "--plan", str(tmp_path))
    assert done.code == 5
    assert "view mine depends on view perameters" in done.err
    database.run("DROP VIEW public.mine")
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    same(database.schema_dump(OURS), before, "after rollback")


def test_rights_that_a_view_has_not_stay_with_the_table(database: Database, tmp_path: Path, cli: Cli) -> None:
    """GRANT ALL: TRUNCATE and the like are not taken on the way back, what was revoked by the old name is."""
    (tmp_path / "plan.yaml").write_text(PLAN.format(to="parameters"))
    database.run(f"GRANT ALL ON public.perameters TO {database.app_role}; GRANT ALL ON public.perameters TO PUBLIC;")
    before = database.schema_dump(["changeover"])
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    assert database.schema_dump(["changeover"]) == before
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    database.run(f"REVOKE DELETE ON public.perameters FROM {database.app_role}, PUBLIC")
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    has = "SELECT has_table_privilege({}, 'public.perameters', 'TRUNCATE'), has_table_privilege({}, 'public.perameters', 'DELETE')"
    assert database.rows(has.format(*[f"'{database.app_role}'"] * 2)) == [(True, False)]


def test_other_stages_name_the_table_as_they_like(database: Database, tmp_path: Path, cli: Cli) -> None:
    """Keys and indexes by the old name, in a stage before, and by the new one, in a stage behind: before it and after."""
    (tmp_path / "plan.yaml").write_text(
        PLAN.format(to="parameters").replace(
            "  - stage: names\n",
            "  - stage: before\n    indexes: [before.sql]\n    keys: [key.sql]\n  - stage: names\n    after: before\n",
        )
        + "  - {stage: behind, after: names, indexes: [behind.sql]}\n"
    )
    (tmp_path / "before.sql").write_text("CREATE INDEX by_wieght ON public.perameters (wieght);\n")
    (tmp_path / "behind.sql").write_text("CREATE INDEX by_weight ON public.parameters (weight, id);\n")
    (tmp_path / "key.sql").write_text(
        'ALTER TABLE public.uses ADD CONSTRAINT uses_label FOREIGN KEY (label) REFERENCES public.perameters ("Label");\n'
    )
    database.run("ALTER TABLE public.uses ADD COLUMN label varchar(40)")
    plan, before = str(tmp_path), database.schema_dump(OURS)
    cli.ok("plan", "check", plan)
    for stage in ("before", "names", "behind"):
        cli.ok("start", plan, "--stage", stage, "--until", "verify")
        cli.ok("plan", "check", plan)
    cli.ok("rollback", "--plan", plan, "--yes")
    assert database.schema_dump(OURS) == before
