"""Tables as the catalog has them, and when they are read again."""

from __future__ import annotations

import pytest

from orchestrator.kernel.errors import RefusedError
from orchestrator.mapping import catalog
from tests.support.database import Database


@pytest.fixture
def parcels(database: Database) -> Database:
    database.run(
        'CREATE TABLE public."Parcels" (id int PRIMARY KEY, weight numeric(7, 3)); CREATE TABLE public.gone ()'
    )
    return database


def columns(table: catalog.Table) -> list[str]:
    return [column.name for column in table.columns]


def test_what_is_read_once_is_as_it_was_until_the_block_ends(parcels: Database) -> None:
    conn = parcels.connect()
    with catalog.read_once(conn):
        first = catalog.require(conn, 'public."Parcels"')
        parcels.run('ALTER TABLE public."Parcels" ADD COLUMN colour text')
        with catalog.read_once(conn):
            assert catalog.read_table(conn, first.oid) is first
        assert catalog.read_tables(conn, [first.oid, 0]) == {first.oid: first}
    assert columns(catalog.read_table(conn, first.oid)) == ["id", "weight", "colour"]


def test_another_connection_reads_for_itself(parcels: Database) -> None:
    one, other = parcels.connect(), parcels.connect()
    with catalog.read_once(one):
        table = catalog.require(one, 'public."Parcels"')
        parcels.run('ALTER TABLE public."Parcels" DROP COLUMN weight')
        assert columns(catalog.read_table(other, table.oid)) == ["id"]


def test_nothing_is_remembered_of_a_block_that_failed(parcels: Database) -> None:
    conn = parcels.connect()
    oid = catalog.require(conn, "public.gone").oid

    def fail() -> None:
        with catalog.read_once(conn):
            catalog.read_table(conn, oid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    parcels.run("DROP TABLE public.gone")
    with pytest.raises(RefusedError):
        catalog.read_table(conn, oid)


def test_a_name_is_looked_up_once_in_a_block_and_anew_after_it(parcels: Database) -> None:
    with parcels.connect() as conn:
        with catalog.read_once(conn):
            first = catalog.find(conn, "public.gone")
            assert catalog.find(conn, "public.later") is None
            parcels.run("ALTER TABLE public.gone RENAME TO later")
            assert catalog.find(conn, "public.gone") == first
            assert catalog.find(conn, "public.later") is None
        assert catalog.find(conn, "public.gone") is None
        assert catalog.find(conn, "public.later") == first
