"""Derive with `each`, the SQL alone: several rows of one, their keys derived, a bad item rejected by name, lists that change."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.mapping.kinds.derive import Derive
from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

pytestmark = pytest.mark.every

_MAPPING: dict[str, Any] = {
    "derive": "public.book_tags",
    "sources": ["-"],
    "key": {"column": "number"},
    "target_key": ["book", "tag"],
    "each": "string_to_table(s.tags, ',')",
    "when": "btrim(v.text) <> ''",
    "types": {"number": "integer", "tags": "text", "weight": "integer"},
    "lookups": {"tag": {"table": "public.tags", "match": "tag.word = lower(btrim(v.text))"}},
    "rejects": {"no_tag": "tag.id IS NULL", "weightless": "s.weight < 0 AND v.text LIKE '%heavy%'"},
    "columns": {"book": "s.number", "tag": "tag.id", "weight": "100 / s.weight", "spelt": "btrim(v.text)"},
}

SETUP = Setup(
    name="derived items",
    legacy="""
        CREATE TABLE public.books (number integer PRIMARY KEY, tags text, weight integer DEFAULT 1, title text);
        CREATE TABLE public.tags (id serial PRIMARY KEY, word text NOT NULL UNIQUE, title text);
        CREATE TABLE public.book_tags (
            book integer, tag integer REFERENCES public.tags ON DELETE CASCADE, weight integer, spelt text, noted text,
            PRIMARY KEY (book, tag)
        );
    """,
    new="",
    rows="""
        INSERT INTO public.tags (word) VALUES ('red'), ('green'), ('blue'), ('heavy');
        INSERT INTO public.book_tags VALUES (50, 1, 7, 'mine'), (2, 3, 7, 'mine');
        INSERT INTO public.books (number, tags) VALUES
            (1, 'red,green'),              -- two rows
            (2, ' Red , blue'),            -- blanks and case; the second is the application's already
            (3, NULL), (4, ''), (5, ' , ,'),  -- nothing
            (6, 'red,RED, red ,green'),    -- two repeat the first
            (7, 'red,purple,green'),       -- one of no tag
            (8, 'purple,purple');          -- two of no tag
        INSERT INTO public.books SELECT n, (ARRAY['red', 'green,blue', 'blue,red,green'])[1 + n % 3], 1 FROM generate_series(100, 160) n;
    """,
    sources=((("public.books", "books"),),),
    mappings=(_MAPPING,),
)


@pytest.fixture
def world(databases: Databases) -> World:
    return open_world(databases, SETUP)


def tags(world: World, book: int) -> list[str]:
    """The words of the rows of a book."""
    return [
        row[0]
        for row in world.rows(
            f"SELECT t.word FROM public.book_tags b JOIN public.tags t ON t.id = b.tag WHERE b.book = {book} ORDER BY 1"
        )
    ]


def rejects(world: World, book: int) -> list[tuple[Any, ...]]:
    """Reason, place and text of each reject of a book."""
    return world.rows(
        "SELECT reason, (row #>> '{#item,place}')::int, row #>> '{#item,text}' FROM changeover.reject "
        f"WHERE key = '{book}' ORDER BY 2"
    )


def test_items_are_rows_or_rejects(world: World) -> None:
    world.check()
    assert [tags(world, n) for n in (1, 2, 3, 4, 5, 6, 7, 8)] == [
        ["green", "red"],
        ["blue", "red"],
        [],
        [],
        [],
        ["green", "red"],
        ["green", "red"],
        [],
    ]
    assert rejects(world, 2) == [("id_taken", 2, " blue")]
    assert rejects(world, 6) == [("repeated", 2, "RED"), ("repeated", 3, " red ")]
    assert rejects(world, 7) == [("no_tag", 2, "purple")]
    assert rejects(world, 8) == [("no_tag", 1, "purple"), ("no_tag", 2, "purple")]
    assert world.value("SELECT spelt FROM public.book_tags WHERE book = 2 AND tag = 3") == "mine"
    # Items = rows + rejects, counted by SQL that knows nothing of the mapping.
    items = world.value(
        "SELECT count(*) FROM public.books b, regexp_split_to_table(b.tags, ',') AS i (word) WHERE btrim(i.word) <> ''"
    )
    mine = world.value("SELECT count(*) FROM public.book_tags WHERE spelt <> 'mine'")
    assert items == mine + world.value("SELECT count(*) FROM changeover.reject")
    ((legacy, migrated, rejected, _),) = world.call(world.conn, world.sources[0], "count_rows")
    assert (legacy, migrated) == (items, mine)
    assert rejected == items - mine == 6


def test_a_list_that_changes_is_followed_as_a_set(world: World) -> None:
    world.do("UPDATE public.book_tags SET noted = 'read' WHERE book = 1 AND tag = 1")
    world.do("INSERT INTO public.books VALUES (200, 'red,green', 1), (201, 'blue', 1), (202, NULL, 1)")
    before = world.rows("SELECT xmin::text, tag FROM public.book_tags WHERE book = 200 ORDER BY 2")
    world.do("UPDATE public.books SET tags = 'green,red' WHERE number = 200")
    assert world.rows("SELECT xmin::text, tag FROM public.book_tags WHERE book = 200 ORDER BY 2") == before
    world.do("UPDATE public.books SET tags = 'green,blue,pink' WHERE number = 200")
    assert tags(world, 200) == ["blue", "green"]
    assert rejects(world, 200) == [("no_tag", 3, "pink")]
    world.do("UPDATE public.books SET tags = 'red,green,red' WHERE number IN (200, 201, 202)")
    assert [tags(world, n) for n in (200, 201, 202)] == [["green", "red"]] * 3
    assert rejects(world, 200) == [("repeated", 3, "red")]
    world.check()
    world.do("UPDATE public.books SET weight = 50 WHERE number = 200")
    assert world.rows("SELECT DISTINCT weight FROM public.book_tags WHERE book = 200") == [(2,)]
    world.do(
        "UPDATE public.books SET tags = NULL WHERE number = 201",
        "UPDATE public.books SET number = 203 WHERE number = 202",
    )
    assert [tags(world, n) for n in (201, 202, 203)] == [[], [], ["green", "red"]]
    world.do("DELETE FROM public.books WHERE number >= 200")
    assert world.value("SELECT count(*) FROM public.book_tags WHERE book >= 200") == 0
    assert world.value("SELECT count(*) FROM changeover.reject WHERE key >= '200' AND length(key) = 3") == 0
    # What the application has changed is its own, whatever the list says.
    world.do("UPDATE public.books SET tags = 'blue' WHERE number = 1")
    assert tags(world, 1) == ["blue", "red"]
    world.check()


def test_a_looked_up_row_that_comes_or_goes_is_followed(world: World) -> None:
    world.do("INSERT INTO public.tags (word) VALUES ('purple')", "DELETE FROM public.tags WHERE word = 'green'")
    world.check()
    assert tags(world, 7) == ["purple", "red"]
    assert rejects(world, 7) == [("no_tag", 3, "green")]
    assert rejects(world, 8) == [("repeated", 2, "purple")]
    assert tags(world, 1) == ["red"]


def test_a_row_whose_items_cannot_be_stored_is_one_reject(world: World) -> None:
    """A division by zero, a row that refers to nothing: no item is known, so the row itself is the reject."""
    world.do("INSERT INTO public.books VALUES (200, 'red,green', 0), (201, 'red', 1)")
    world.check()
    assert rejects(world, 200) == [("division_by_zero", None, None)]
    assert tags(world, 201) == ["red"]
    world.do("UPDATE public.books SET weight = 2 WHERE number = 200")
    world.check()
    assert (tags(world, 200), rejects(world, 200)) == (["green", "red"], [])


def test_a_key_that_somebody_else_has_is_left_to_him(world: World) -> None:
    world.do("INSERT INTO public.books VALUES (50, 'red,blue', 1)")
    assert (tags(world, 50), rejects(world, 50)) == (["blue", "red"], [("id_taken", 1, "red")])
    world.do("UPDATE public.books SET tags = 'blue' WHERE number = 50")
    assert world.rows("SELECT spelt FROM public.book_tags WHERE book = 50 ORDER BY tag") == [("mine",), ("blue",)]
    world.do(
        "UPDATE public.books SET tags = 'red,blue' WHERE number = 50",
        "DELETE FROM public.book_tags WHERE book = 50 AND tag = 1",
    )
    world.check()
    world.call(world.conn, world.sources[0], "sync", ["50"])
    assert (tags(world, 50), rejects(world, 50)) == (["blue", "red"], [])
    # A derived row that the application deletes stays deleted.
    world.do(
        "DELETE FROM public.book_tags WHERE book = 50 AND tag = 3",
        "UPDATE public.books SET weight = 2 WHERE number = 50",
    )
    assert tags(world, 50) == ["red"]
    world.check()


def test_a_difference_is_named_and_repaired(world: World) -> None:
    world.do("ALTER TABLE public.books DISABLE TRIGGER USER")
    world.do(
        "UPDATE public.books SET tags = 'red,gray,blue' WHERE number = 1", "DELETE FROM public.books WHERE number = 6"
    )
    world.do(
        "UPDATE public.books SET weight = 5 WHERE number = 100", "UPDATE public.books SET tags = 'red' WHERE number = 7"
    )
    world.do("ALTER TABLE public.books ENABLE TRIGGER USER")
    found = sorted((key, kind) for _, key, kind, *_ in world.differences())
    assert found == [
        *[("1", kind) for kind in ("missing", "orphan", "unrejected")],
        *[("100", "different")] * len(tags(world, 100)),
        *[("6", "orphan")] * 2,
        *[("6", "stale_reject")] * 2,
        ("7", "orphan"),
        ("7", "stale_reject"),
    ]
    world.call(world.conn, world.sources[0], "sync", ["1", "6", "7", "100"])
    world.check()


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_batch_and_a_writer_at_the_same_time_make_one_row(databases: Databases, isolation: str) -> None:
    world = open_world(databases, SETUP, copied=False)
    (source,) = world.sources
    with world.session(isolation) as writer, world.session("READ COMMITTED") as batch:
        writer.execute("SELECT 1 FROM public.books")
        world.call(batch, source, "batch", 0, 1000)
        writer.execute("UPDATE public.books SET title = 'x' WHERE number = 103")
        batch.execute("COMMIT")
        writer.execute("UPDATE public.books SET tags = 'red,green,gray' WHERE number IN (1, 101)")
        writer.execute("DELETE FROM public.books WHERE number = 102")
        writer.execute("COMMIT")
    world.state("copied")
    world.check()
    assert (tags(world, 1), tags(world, 101), tags(world, 102)) == (["green", "red"], ["green", "red"], [])


def test_the_way_back_takes_out_its_own_rows(world: World) -> None:
    world.do("UPDATE public.book_tags SET noted = 'read' WHERE book = 1 AND tag = 1")
    total = world.value("SELECT count(*) FROM changeover.key_map")
    while world.rows("SELECT * FROM changeover.x1_take_back(10)") != [(0, 0)]:
        pass
    assert total > 50
    assert world.rows("SELECT book, tag, spelt FROM public.book_tags ORDER BY 1") == [(2, 3, "mine"), (50, 1, "mine")]
    assert world.rows("SELECT source_key, row ->> 'noted' FROM archive.derived_rows") == [("1", "read")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target_key": []}, "say by `target_key`"),
        ({"target_key": ["book", "noted"]}, "noted must be one of `columns`"),
        ({"mode": "once"}, "`mode` cannot be `once`"),
        ({"each": None}, "say by `each`"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Derive.model_validate(_MAPPING | change)
