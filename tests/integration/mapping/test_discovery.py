"""Only plain tables are sources: of any other a mirror would see a part of the writes, and a batch of the rows."""

from __future__ import annotations

from orchestrator.mapping import discovery
from tests.support.database import Database


def test_what_is_no_plain_table_is_told_and_left_alone(database: Database) -> None:
    database.run("""
        CREATE TABLE public.plain (id integer);
        CREATE TABLE public.parent (id integer);
        CREATE TABLE public.child () INHERITS (public.parent);
        CREATE TABLE public.parted (id integer) PARTITION BY RANGE (id);
        CREATE TABLE public.part PARTITION OF public.parted DEFAULT;
        CREATE VIEW public.looked_at AS SELECT 1 AS id;
    """)
    names = ("plain", "parent", "child", "parted", "part", "looked_at", "missing")
    query = " UNION ALL ".join(f"SELECT '{name}' AS table_name, '{name}' AS discriminator, 1 AS rank" for name in names)
    found, warnings = discovery.discover(database.connect(), query, discovery.Within(frozenset({"public"})))
    assert [each.table.name for each in found] == ["plain"]
    assert {each.subject: each.code for each in warnings} == {
        **{f"public.{name}": "not_a_table" for name in names[1:-1]},
        "missing": "no_table",
    }
    assert {each.detail.split(":")[0] for each in warnings if each.subject == "public.child"} == {
        "it inherits, or is inherited from"
    }
