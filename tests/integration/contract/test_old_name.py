"""After contract old code has what it had under the old name: statements, locks, sequences, defaults, rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.sessions import threads

if TYPE_CHECKING:
    from tests.integration.contract.conftest import Shop

pytestmark = pytest.mark.every

COLUMNS = """
SELECT column_name, column_default, data_type, character_maximum_length, numeric_precision, numeric_scale, collation_name
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'parcels' ORDER BY ordinal_position
"""
REMARKS = """
SELECT obj_description('public.parcels'::regclass), array_agg(col_description('public.parcels'::regclass, n) ORDER BY n)
FROM generate_series(1, 6) n
"""
RIGHTS = """
SELECT g.grantee::regrole::text, g.privilege_type FROM pg_class c, aclexplode(c.relacl) g
WHERE c.oid = 'public.parcels'::regclass AND g.grantee <> c.relowner ORDER BY 1, 2
"""


def test_prepared_statements_outlive_contract_and_the_way_back(shop: Shop) -> None:
    shop.until("verify")
    with shop.database.connect("app") as app:
        statements = {
            "everything": "SELECT * FROM public.parcels WHERE code = $1",
            "make": "INSERT INTO public.parcels (code, weight) VALUES ($1, 3) RETURNING *",
            "put": "INSERT INTO public.parcels (code) VALUES ($1) ON CONFLICT (code) DO UPDATE SET weight = 7 RETURNING *",
            "change": "UPDATE public.parcels SET owner = 'eve' WHERE code = $1 RETURNING grams, owner",
        }
        for name, text in statements.items():
            app.execute(f"PREPARE {name}(text) AS {text}".encode())

        def use(code: str) -> list[Any]:
            names = ("make", "put", "change", "everything")
            return [app.execute(f"EXECUTE {name}('{code}')".encode()).fetchall()[0][1:] for name in names]

        first = use("x")
        shop.until()
        assert shop.database.value("SELECT relkind FROM pg_class WHERE oid = 'public.parcels'::regclass") == "v"
        after = use("y")
        shop.back()
        again = use("z")
        for rows, code in ((after, "y"), (again, "z")):
            assert [tuple("x" if v == code else v for v in row) for row in rows] == first
    shop.cli.ok("verify", "--plan", shop.plan)


def test_what_the_catalog_says_of_the_old_name_stays(shop: Shop) -> None:
    database = shop.database
    database.run(f'GRANT UPDATE (owner), SELECT (code) ON public.parcels TO "{database.app_role}"')
    seen = [database.rows(query) for query in (COLUMNS, REMARKS, RIGHTS)]
    dump = database.schema_dump(["changeover"])
    # A default of the whole database gives nobody a right to the view that he had not to the table.
    database.run("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
    shop.until()
    assert [database.rows(query) for query in (COLUMNS, REMARKS, RIGHTS)] == seen
    assert database.value("SELECT has_table_privilege('pg_monitor', 'public.parcels', 'SELECT')") is False
    shop.cli.ok("rollback", "--yes", "--plan", shop.plan)
    database.run("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC")
    assert database.schema_dump(["changeover"]) == dump


def test_a_sequence_keeps_its_name_and_its_column(shop: Shop) -> None:
    shop.until()
    with shop.database.connect("app") as app:
        for number in (4, 5):
            assert app.execute("SELECT nextval('parcels_id_seq')").fetchone() == (number,)
        assert app.execute("INSERT INTO parcels (code) VALUES ('n') RETURNING id").fetchone() == (6,)
        assert app.execute("SELECT currval(pg_get_serial_sequence('parcels', 'id'))").fetchone() == (6,)
    shop.back()
    assert shop.database.value("SELECT pg_get_serial_sequence('public.parcels', 'id')") == "public.parcels_id_seq"
    assert shop.database.value("INSERT INTO public.parcels (code) VALUES ('o') RETURNING id") == 7


def test_rights_given_and_taken_under_the_old_name_are_the_tables_after_the_way_back(shop: Shop) -> None:
    role = shop.database.app_role
    shop.until()
    shop.database.run(f'REVOKE DELETE ON public.parcels FROM "{role}"; GRANT SELECT ON public.parcels TO pg_monitor')
    shop.back()
    may = "SELECT has_table_privilege(%s, 'public.parcels', %s)"
    assert shop.database.value(may, (role, "DELETE")) is False
    assert shop.database.value(may, (role, "UPDATE")) is True
    assert shop.database.value(may, ("pg_monitor", "SELECT")) is True


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_concurrent_writers_wait_and_look_again_as_at_a_table(shop: Shop, isolation: str) -> None:
    shop.until()
    one, two = (shop.database.connect("app", autocommit=False) for _ in range(2))
    for each in (one, two):
        each.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}".encode())
    two.execute("SELECT count(*) FROM public.parcels")
    assert one.execute("SELECT weight FROM public.parcels WHERE code = 'a' FOR UPDATE").fetchone() is not None
    with threads(shop.database.connect("admin")) as running:
        second = running.start(two, "UPDATE public.parcels SET weight = weight + 1 WHERE code = 'a' AND weight < 12")
        assert not second.done
        one.execute("UPDATE public.parcels SET weight = weight + 1 WHERE code = 'a'")
        one.commit()
        if isolation == "READ COMMITTED":
            assert second.result().rowcount == 1
        else:
            with pytest.raises(psycopg.errors.SerializationFailure):
                second.result()
    two.commit() if isolation == "READ COMMITTED" else two.rollback()
    wanted = 12 if isolation == "READ COMMITTED" else 11
    assert shop.database.value("SELECT weight FROM public.parcels WHERE code = 'a'") == wanted
    # The first has made it 12: the condition of a later delete is judged by what stands then.
    third = shop.database.connect("app", autocommit=False)
    third.execute("UPDATE public.parcels SET owner = 'kept' WHERE code = 'b'")
    with threads(shop.database.connect("admin")) as running:
        deleting = running.start(
            shop.database.connect("app"), "DELETE FROM public.parcels WHERE owner = 'ann' AND code = 'b'"
        )
        third.commit()
        assert deleting.result().rowcount == 0
    shop.cli.ok("verify", "--plan", shop.plan)


def test_an_index_serves_the_old_name(shop: Shop) -> None:
    shop.until()
    with shop.database.connect("app") as app:
        app.execute("SET enable_seqscan = off")
        lines = app.execute("EXPLAIN SELECT * FROM public.parcels WHERE code = 'a'").fetchall()
    assert "Index Scan using parcels_code_key on parcels" in lines[0][0]


def test_a_column_that_the_archived_table_gets_shows_under_the_old_name(shop: Shop) -> None:
    shop.until()
    shop.database.run("ALTER TABLE archive.parcels ADD COLUMN floor integer DEFAULT 2")
    shop.cli.ok("start", shop.plan, "--kind", "rehearsal")
    shop.cli.ok("verify", "--plan", shop.plan, "--repair")
    with shop.database.connect("app") as app:
        assert app.execute("UPDATE public.parcels SET floor = 5 WHERE code = 'a' RETURNING floor").fetchone() == (5,)
    shop.cli.ok("drain")
    shop.cli.ok("verify", "--plan", shop.plan)
    shop.back()


def test_what_reads_the_view_is_named_and_keeps_the_way_back_waiting(shop: Shop) -> None:
    shop.until()
    shop.database.run("CREATE VIEW public.heavy AS SELECT * FROM public.parcels WHERE weight > 5")
    refused = shop.cli("rollback", "--yes", "--plan", shop.plan, "--to", "verify")
    assert refused.code == 5
    assert "view heavy depends on view parcels" in refused.err
    shop.database.run("DROP VIEW public.heavy")
    shop.back()


def test_what_a_view_does_not_do_is_told(shop: Shop) -> None:
    told = shop.cli.ok("plan", "check", shop.plan).out
    assert "stage parcels: from contract on, a view has the name of each old table" in told
    assert "TRUNCATE" in told
    shop.until()
    with shop.database.connect() as conn:
        for statement in (
            "COPY public.parcels TO STDOUT",
            "TRUNCATE public.parcels",
            "INSERT INTO public.parcels (code) VALUES ('q') ON CONFLICT ON CONSTRAINT parcels_pkey DO NOTHING",
            "SELECT id, code FROM public.parcels GROUP BY id",
            "SELECT ctid FROM public.parcels",
            "SELECT * FROM public.parcels TABLESAMPLE system (1)",
            """DO $$ DECLARE c CURSOR FOR SELECT * FROM public.parcels FOR UPDATE;
               BEGIN OPEN c; MOVE c; UPDATE public.parcels SET weight = 1 WHERE CURRENT OF c; END $$""",
            "ALTER TABLE public.parcels ADD COLUMN x int",
            "CREATE INDEX ON public.parcels (owner)",
            "CREATE TABLE public.k (id int REFERENCES public.parcels)",
        ):
            with pytest.raises(psycopg.Error):
                conn.execute(statement.encode())
        conn.execute("BEGIN; LOCK TABLE public.parcels IN ACCESS EXCLUSIVE MODE; ROLLBACK")
