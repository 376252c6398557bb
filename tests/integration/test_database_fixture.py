"""The house's own fixtures: rights, clones, dumps."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.database import Database, Databases


def test_owner_is_ordinary_and_owns_the_database(database: Database) -> None:
    query = """SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls, datdba = r.oid
               FROM pg_roles r, pg_database d WHERE rolname = current_user AND datname = current_database()"""
    assert database.rows(query) == [(False, True)]


def test_application_has_only_what_it_is_granted(database: Database) -> None:
    database.run("CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
    app = database.connect("app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT * FROM t")
    database.run(f'GRANT SELECT ON t TO "{database.app_role}"')
    assert app.execute("SELECT * FROM t").fetchall() == [(1,)]


def test_clones_share_nothing(databases: Databases) -> None:
    calls: list[str] = []

    def build(template: Database) -> None:
        calls.append(template.name)
        template.run("CREATE TABLE t (i int); INSERT INTO t VALUES (7)")

    first, second = databases.clone("seven", build), databases.clone("seven", build)
    first.run("DELETE FROM t")
    assert second.value("SELECT i FROM t") == 7
    assert len(calls) <= 1  # another test of this process may have built it already


def test_dump_is_stable_and_sees_a_change(database: Database) -> None:
    database.run("CREATE SCHEMA s; CREATE TABLE s.t (i int); CREATE TABLE public.t (i int)")
    before = database.schema_dump()
    assert database.schema_dump() == before
    assert "CREATE TABLE s.t" in before
    assert "CREATE TABLE s.t" not in database.schema_dump(exclude_schemas=["s"])
    database.run("CREATE INDEX ON public.t (i)")
    assert database.schema_dump() != before
    database.run("DROP INDEX public.t_i_idx")
    assert database.schema_dump() == before


def test_sessions_of_the_server_are_not_in_utc_but_ours_are(database: Database) -> None:
    with psycopg.connect(database.dsn) as plain:
        row = plain.execute("SHOW TimeZone").fetchone()
    assert row == ("Asia/Kolkata",)
    assert database.value("SHOW TimeZone") == "UTC"
