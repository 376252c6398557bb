"""Rows on which an expression of the plan fails: rejects like others, and no comparison and no count ends with them.

`s.a::integer` is what a plan's author writes who has not met `n/a` yet; the batch narrows down to such a row.
"""

from __future__ import annotations

import pytest

from tests.support.database import Databases
from tests.support.mapping import PAGES, Setup, World, open_world

NOTES = Setup(
    name="underivable",
    legacy="""
        CREATE TABLE public.notes (id integer PRIMARY KEY, a text, q1 integer, q2 integer);
        CREATE TABLE public.folk (mail text, age text);
    """,
    new="""
        CREATE TABLE public.pages (
            id uuid PRIMARY KEY, a integer, quotient integer, legacy jsonb NOT NULL DEFAULT '{}'
        );
        CREATE TABLE public.marks (page_id uuid, name text, mark numeric, ratio numeric, PRIMARY KEY (page_id, name));
        CREATE TABLE public.crew (mail text PRIMARY KEY, age integer, legacy jsonb NOT NULL DEFAULT '{}');
    """,
    rows="""
        INSERT INTO public.notes
        SELECT i, CASE WHEN i % 10 = 3 THEN 'n/a' ELSE (i % 5)::text END, i % 3, i FROM generate_series(1, 50) i;
        INSERT INTO public.folk SELECT 'P' || i || '@x.org', CASE WHEN i % 4 = 0 THEN '?' ELSE i::text END
        FROM generate_series(1, 12) i;
    """,
    sources=((("public.notes", "notes"),), (("public.notes", "notes"),), ()),
    mappings=(
        {
            "unify": "public.pages",
            "sources": ["-"],
            "key": {"column": "id"},
            "originals": "legacy",
            "types": {"a": "text", "q1": "integer", "q2": "integer"},
            "columns": {"a": "s.a::integer", "quotient": "100 / s.a::integer"},
            "reverse": {"a": "t.a"},
        },
        {
            "split": "public.marks",
            "absent": 0,
            "sources": ["-"],
            "key": {"column": "id", "target": "page_id"},
            "item": "name",
            "except": ["a"],
            "when": "v.number > 0",
            # Fails where q2 is 13 or 14 and q1 counts, whatever the unify thinks of the row.
            "columns": {"mark": "v.number", "ratio": {"from": "100 / nullif(v.number, 14) / (v.number - 13)"}},
            "value": "t.mark",
        },
        {
            "merge": "public.crew",
            "key": "mail",
            "originals": "legacy",
            "sources": {
                "folk": {
                    "table": "public.folk",
                    "key": "lower(s.mail)",
                    "valid": "s.mail IS NOT NULL",
                    "invalid": "no_mail",
                    "order": ["s.age"],
                    "types": {"mail": "text", "age": "text"},
                    "reverse": {"mail": "t.mail", "age": "t.age"},
                }
            },
            "columns": {"age": "folk.age::integer"},
        },
    ),
)


@pytest.fixture
def notes(databases: Databases) -> World:
    world = open_world(databases, NOTES, copied=False)
    for source in world.sources:
        # What the engine does when a batch has failed down to the page.
        world.call(world.conn, source, "isolate", 0, PAGES)
    world.state("copied")
    return world


def _rejects(world: World, mapping: int) -> list[tuple[str, str]]:
    return world.rows(
        "SELECT r.key, r.reason FROM changeover.reject r JOIN changeover.source z ON z.id = r.source_id "
        f"WHERE z.mapping_id = {mapping} ORDER BY r.id"
    )


def test_rows_that_cannot_be_derived_are_rejects_and_everything_adds_up(notes: World) -> None:
    notes.check()
    assert {reason for _, reason in _rejects(notes, 1)} == {"invalid_text_representation", "division_by_zero"}
    assert [key for key, _ in _rejects(notes, 2)] == ["13"]
    assert {key for key, _ in _rejects(notes, 3)} == {"p4@x.org", "p8@x.org", "p12@x.org"}


def test_writes_make_and_mend_such_rows(notes: World) -> None:
    notes.do(
        "UPDATE public.notes SET a = 'worse' WHERE id IN (1, 2)",
        "UPDATE public.notes SET q2 = 13 WHERE id = 20",
        "INSERT INTO public.notes VALUES (90, 'new', 1, 1), (91, '4', 1, 1), (92, '0', 13, 0)",
        "UPDATE public.notes SET a = '5' WHERE id IN (3, 5)",
        "DELETE FROM public.notes WHERE id = 10",
        "UPDATE public.folk SET age = 'old' WHERE mail = 'P1@x.org'",
        "UPDATE public.folk SET age = '44' WHERE mail = 'P4@x.org'",
    )
    notes.check()
    unify = {key for key, _ in _rejects(notes, 1)}
    assert unify >= {"1", "2", "90", "92"}
    assert not unify & {"3", "5", "10", "91"}
    assert {key for key, _ in _rejects(notes, 2)} == {"13", "20", "92"}
    assert {key for key, _ in _rejects(notes, 3)} == {"p1@x.org", "p8@x.org", "p12@x.org"}


def test_a_missing_reject_of_such_a_row_is_found_and_made_again(notes: World) -> None:
    notes.do("DELETE FROM changeover.reject")
    found = {(name, key, kind) for name, key, kind, *_ in notes.differences()}
    assert ("notes", "13", "unrejected") in found
    assert ("folk", "p8@x.org", "unrejected") in found
    for source in notes.sources:
        for _, key, *_ in [each for each in notes.differences() if each[0] == source.table.name]:
            notes.call(notes.conn, source, "one", key)
    notes.check()
