"""Who may execute our functions. The attacker may ask the flags in SQL (USAGE of the schema) and has no other right."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from flags import store
from flags.stages import Stage
from flags.store import By, Change
from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema
from tests.security.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.every

# What an application asks and tells with the rights of the owner.
FOR_APPLICATIONS = {
    "flag_stage",
    "flag_snapshot",
    "flag_reads_new",
    "flag_report",
    "flag_window",
    "flag_retreat",
}

EXECUTABLE = """
    SELECT p.proname, p.prosecdef, p.prorettype = 'trigger'::regtype
      FROM pg_proc AS p
     WHERE p.pronamespace = 'changeover'::regnamespace AND has_function_privilege(%s, p.oid, 'EXECUTE')
"""


def _dangerous(database: Database) -> set[str]:
    """What the application's role may execute and what does not run with its own rights."""
    rows = database.rows(EXECUTABLE, (database.app_role,))
    return {name for name, definer, trigger in rows if trigger or (definer and name not in FOR_APPLICATIONS)}


def test_no_trigger_function_and_no_function_of_the_owner_is_anybody_elses(mirrored: Database) -> None:
    assert _dangerous(mirrored) == set()
    # Nothing compiled either, whatever rights it runs with.
    compiled = mirrored.rows(EXECUTABLE + " AND p.proname ~ '^[mx][0-9]+_'", (mirrored.app_role,))
    assert compiled == []


def test_every_function_is_refused_to_a_trigger_of_the_attacker(mirrored: Database) -> None:
    app = mirrored.connect("app")
    app.execute("CREATE TEMP TABLE mine (id int, name text)")
    names = mirrored.rows(
        "SELECT p.oid::regproc::text FROM pg_proc p WHERE p.pronamespace = 'changeover'::regnamespace "
        "AND p.prorettype = 'trigger'::regtype"
    )
    assert len(names) > 8
    for (name,) in names:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {name}()".encode())


def test_who_may_only_ask_takes_no_flag_back_and_reports_nothing(mirrored: Database) -> None:
    with mirrored.connect() as owner:
        store.allow_reading(owner, mirrored.app_role)
        owner.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('FORGED')")
        flag = store.set_flag(owner, "FORGED", Change(Stage.SHADOW), By("ann", "test"))
    app = mirrored.connect("app")
    sums = '[{"flag": "FORGED", "version": 1, "read": "r", "second": "2026-01-01", "compared": 9, "mismatches": 9}]'
    for call, values in (
        ("SELECT changeover.flag_retreat('FORGED', %s, 'x')", (flag.version,)),
        ("SELECT changeover.flag_report(%s, '[]')", (sums,)),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not report"):
            app.execute(call, values)
    assert app.execute("SELECT count(*) FROM changeover.flag_window('FORGED', 60)").fetchone() == (0,)
    assert mirrored.value("SELECT stage FROM changeover.feature_flags WHERE flag = 'FORGED'") == "shadow"
    assert Cli(mirrored.dsn).ok("flag", "allow", mirrored.app_role, "--reports").out.endswith("report shadow reads.\n")
    assert app.execute("SELECT changeover.flag_retreat('FORGED', %s, 'x')", (flag.version,)).fetchone() == (
        "dualwrite",
    )


def test_functions_that_take_rows_and_keys_are_refused(mirrored: Database) -> None:
    app = mirrored.connect("app")
    functions = mirrored.rows(
        "SELECT p.oid::regprocedure::text, p.proname, p.pronargs FROM pg_proc p "
        "WHERE p.pronamespace = 'changeover'::regnamespace AND p.proname ~ '^[mx][0-9]+_' AND p.prorettype <> 'trigger'::regtype"
    )
    for _, name, arguments in functions:
        nulls = ", ".join(["NULL"] * arguments)
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.AmbiguousFunction)):
            app.execute(f"SELECT changeover.{name}({nulls})".encode())


def test_default_privileges_give_nothing_of_ours_away(database: Database) -> None:
    role = database.app_role
    database.run(LEGACY.read_text())
    for what in ("SCHEMAS", "TABLES", "SEQUENCES", "FUNCTIONS", "TYPES"):
        database.run(f'ALTER DEFAULT PRIVILEGES GRANT ALL ON {what} TO "{role}"')
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")
    usage = f"SELECT has_schema_privilege('{role}', 'changeover', 'USAGE') OR has_schema_privilege('{role}', 'changeover', 'CREATE')"
    assert database.value(usage) is False
    database.run(f'GRANT USAGE ON SCHEMA changeover TO "{role}"')
    assert _dangerous(database) == set()
    app = database.connect("app")
    relations = database.rows(
        "SELECT oid::regclass::text, relkind FROM pg_class WHERE relnamespace = 'changeover'::regnamespace"
    )
    for name, kind in relations:
        if kind in "rS":
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(f"SELECT * FROM {name}".encode())
    # The new view of the old tables is for those who may read the old tables.
    for (view,) in database.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'compat'::regnamespace"
    ):
        for statement in (f"SELECT * FROM {view}", f"DELETE FROM {view}"):
            # Nobody can write a view that is read-only.
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
                app.execute(statement.encode())


def test_default_privileges_for_the_schema_of_the_views_are_meant_for_them(database: Database) -> None:
    role = database.app_role
    database.run(LEGACY.read_text())
    database.run(f'CREATE SCHEMA compat; ALTER DEFAULT PRIVILEGES IN SCHEMA compat GRANT SELECT ON TABLES TO "{role}"')
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "dual-write")
    views = database.rows(
        "SELECT has_table_privilege(%s, oid, 'SELECT') FROM pg_class WHERE relnamespace = 'compat'::regnamespace",
        (role,),
    )
    assert views
    assert set(views) == {(True,)}


def test_helper_functions_are_for_everybody_who_reads_and_writes_also_where_functions_are_nobodys(
    database: Database,
) -> None:
    role = database.app_role
    database.run("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    with connect(database.dsn) as conn:
        schema.install(conn)
    database.run(
        f"""CREATE TABLE public.t (
                a text CHECK (changeover.valid_email(a)),
                b uuid DEFAULT changeover.uuid_of('t', 'x'),
                c timestamptz, d text);
            CREATE INDEX ON public.t (changeover.fold(a));
            CREATE VIEW public.v AS
                SELECT changeover.try_timestamptz(d) AS d, changeover.try_numeric(d) AS e, changeover.try_jsonb(d) AS f,
                       changeover.seconds(d) AS g, changeover.castable(d, 'date'::regtype) AS h,
                       changeover.try_date(d) AS i
                  FROM public.t;
            GRANT USAGE ON SCHEMA public TO "{role}";
            GRANT SELECT, INSERT ON public.t, public.v TO "{role}" """
    )
    app = database.connect("app")
    app.execute("INSERT INTO public.t (a, d) VALUES ('a@b.cc', '12 March 2024'), ('c@d.ee', '[1, 2]')")
    assert len(app.execute("SELECT * FROM public.v").fetchall()) == 2
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("INSERT INTO public.t (a) VALUES ('nobody')")


def test_a_ledger_of_an_earlier_version_is_closed_by_init(mirrored: Database) -> None:
    for (name,) in mirrored.rows(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace"
    ):
        mirrored.run(f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC")
    mirrored.run(f'GRANT SELECT ON changeover.event TO "{mirrored.app_role}"')
    assert _dangerous(mirrored) != set()
    mirrored.run("UPDATE changeover.meta SET checksum = 'of an earlier day'")
    Cli(mirrored.dsn).ok("init")
    assert _dangerous(mirrored) == set()
    # What somebody has granted on a table that was there is left alone.
    assert mirrored.connect("app").execute("SELECT count(*) > 0 FROM changeover.event").fetchone() == (True,)


def test_history_and_flags_are_not_written_past_their_tables(mirrored: Database) -> None:
    app = mirrored.connect("app")
    flag, version = mirrored.rows("SELECT flag, version FROM changeover.feature_flags")[0]
    history = mirrored.rows("SELECT * FROM changeover.flag_history ORDER BY id")
    app.execute("CREATE TEMP TABLE forged (LIKE changeover.feature_flags INCLUDING ALL)")
    for timing, function in (
        ("BEFORE INSERT", "flag_before"),
        ("AFTER DELETE", "flag_after"),
        ("AFTER INSERT", "flag_after"),
    ):
        with contextlib.suppress(psycopg.Error):
            app.execute(
                f"CREATE TRIGGER {function} {timing} ON forged FOR EACH ROW EXECUTE FUNCTION changeover.{function}()".encode()
            )
    with contextlib.suppress(psycopg.Error):
        app.execute(
            "INSERT INTO forged (flag, enabled, stage, version, updated_by, reason) VALUES (%s, true, 'live', %s, 'ann', 'x')",
            (flag, version + 1),
        )
    assert mirrored.rows("SELECT * FROM changeover.flag_history ORDER BY id") == history
    with connect(mirrored.dsn) as conn:
        assert store.kill(conn, flag, store.By("bob", "an emergency")).version > version


def test_every_fixed_function_is_either_private_or_named_in_the_list(database: Database) -> None:
    """A new function is nobody's until somebody decides otherwise in `rights.sql`."""
    with connect(database.dsn) as conn:
        schema.install(conn)
    open_to_all = database.rows(
        "SELECT p.proname, p.prosecdef, p.provolatile FROM pg_proc p WHERE p.pronamespace = 'changeover'::regnamespace "
        "AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)"
    )
    for name, definer, volatile in open_to_all:
        assert name in FOR_APPLICATIONS if definer else volatile != "v", name
