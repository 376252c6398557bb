"""Keys of types whose values do not look like one: an empty text, blanks, no bit, a list, a pair, a range of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, World, open_world

TYPES: dict[str, tuple[str, list[str]]] = {
    # The type, and values: the first and the second change places, the third is deleted and comes back.
    "text": ("text", ["''", "' '", "E'\\t'", "'NULL'", "'{}'", "'null'"]),
    "char": ("char(4)", ["''", "'ab'", "'abcd'", "'  x'"]),
    "marked": ("public.label", ["''", "'Straße'", "'B'"]),
    "bits": ("bit varying", ["''", "'0'", "'00'", "'1'"]),
    "list": ("integer[]", ["'{}'", "'{1,2}'", "'{NULL}'", "'[0:0]={7}'", "'{{1,2},{3,4}}'"]),
    "words": ("text[]", ["'{}'", "'{\"\"}'", "'{NULL,\"NULL\"}'"]),
    "pair": ("public.two", ["(NULL, '')::public.two", "(1, NULL)::public.two", "(1, 'a,b')::public.two"]),
    "mood": ("public.feeling", ["''", "'so so'", "'it''s'"]),
    "span": ("daterange", ["'empty'", "'(,)'", "'[2024-01-01,2024-02-01)'"]),
    "never": ("timestamptz", ["'infinity'", "'-infinity'", "'2024-03-31 00:30+00'"]),
}


def _mapping(name: str) -> dict[str, Any]:
    return {
        "unify": f"public.{name}_new",
        "sources": ["-"],
        "key": {"column": "id"},
        "originals": "originals",
        "types": {"n": "integer", "said": "text"},
        "same": ["said"],
        "columns": {"size": "s.n * 2"},
        "reverse": {"n": "t.size / 2"},
        "rejects": {"odd": "s.n > 90"},
    }


SETUP = Setup(
    name="types of keys",
    legacy="""
        CREATE DOMAIN public.label AS varchar(9) COLLATE "C" CHECK (VALUE <> 'x');
        CREATE TYPE public.two AS (a integer, b text);
        CREATE TYPE public.feeling AS ENUM ('', 'so so', 'it''s');
    """
    + "".join(
        f"CREATE TABLE public.{name} (id {kind} PRIMARY KEY, n integer, said text);"
        for name, (kind, _) in TYPES.items()
    ),
    new="".join(
        f"CREATE TABLE public.{name}_new (id {kind} PRIMARY KEY, size integer, said text, originals jsonb NOT NULL DEFAULT '{{}}');"
        for name, (kind, _) in TYPES.items()
    ),
    rows="".join(
        f"INSERT INTO public.{name} VALUES ({value}, {nth}, 'old');"
        for name, (_, values) in TYPES.items()
        for nth, value in enumerate(values)
    ),
    sources=tuple(((f"public.{name}", name),) for name in TYPES),
    mappings=tuple(_mapping(name) for name in TYPES),
)


@pytest.fixture
def world(databases: Databases) -> World:
    return open_world(databases, SETUP)


def _both(world: World, name: str) -> list[tuple[Any, ...]]:
    old, new = (
        world.rows(f"SELECT id::text, {n}, said FROM public.{table} ORDER BY id::text, 2")
        for table, n in ((name, "n"), (f"{name}_new", "size / 2"))
    )
    assert old == new, name
    return old


def test_every_key_is_copied_and_none_is_rejected(world: World) -> None:
    world.check()
    assert {name: len(_both(world, name)) for name in TYPES} == {name: len(v) for name, (_, v) in TYPES.items()}


@pytest.mark.parametrize("side", ["", "_new"])
def test_both_sides_write_them(world: World, side: str) -> None:
    for name, (_, values) in TYPES.items():
        one, two, three, *_ = values
        table, n = f"public.{name}{side}", "n" if side == "" else "size"
        world.do(
            f"UPDATE {table} SET said = 'changed' WHERE id = {one}",
            f"DELETE FROM {table} WHERE id = {two}",
            f"UPDATE {table} SET id = {two} WHERE id = {one}",
            f"INSERT INTO {table} (id, {n}, said) VALUES ({one}, 40, 'again')",
            f"DELETE FROM {table} WHERE id = {three}",
            f"INSERT INTO {table} (id, {n}, said) VALUES ({three}, 50, 'back') ON CONFLICT DO NOTHING",
        )
    world.check()
    for name in TYPES:
        said = [row[2] for row in _both(world, name)]
        assert sorted(said)[:3] == ["again", "back", "changed"], (name, said)


def test_what_is_rejected_waits_or_is_put_aside_is_found_again(world: World) -> None:
    for name, (_, values) in TYPES.items():
        world.do(f"UPDATE public.{name} SET n = 99, said = 'odd' WHERE id = {values[0]}")
        # One that could not be derived at once.
        (source,) = [s for s in world.sources if s.table.name == name]
        world.do(
            f"INSERT INTO changeover.queue (source_id, direction, key) SELECT {source.id}, 'forward', id::text "
            f"FROM public.{name} WHERE id = {values[1]} ON CONFLICT DO NOTHING"
        )
    world.check()
    rejected = world.rows(
        "SELECT z.name, j.key, j.reason FROM changeover.reject j JOIN changeover.source z ON z.id = j.source_id"
    )
    assert sorted(name for name, _, _ in rejected) == sorted(f"public.{name}" for name in TYPES), rejected
    for name, (_, values) in TYPES.items():
        world.do(f"UPDATE public.{name} SET n = 3 WHERE id = {values[0]}")
    world.check()
    assert world.value("SELECT count(*) FROM changeover.reject WHERE state = 'open'") == 0
    for name in TYPES:
        _both(world, name)


OTHER_KINDS = Setup(
    name="types of keys, other kinds",
    legacy="""
        CREATE TABLE public.notes (id text PRIMARY KEY, tags text, p1 integer, p2 integer);
        CREATE TABLE public.lists (id integer[] PRIMARY KEY, tags text, word text);
        CREATE TABLE public.note_tags (note text, tag text, PRIMARY KEY (note, tag));
        CREATE TABLE public.list_tags (list integer[], tag text, PRIMARY KEY (list, tag));
    """,
    new="""
        CREATE TABLE public.notes_new (id text PRIMARY KEY, tags text, originals jsonb NOT NULL DEFAULT '{}');
        CREATE TABLE public.points (note text, item text, score integer NOT NULL, PRIMARY KEY (note, item));
        ALTER TABLE public.lists ADD number integer;
    """,
    rows="""
        INSERT INTO public.notes VALUES ('', 'red,blue', 1, NULL), (' ', 'red', 2, 3), ('null', NULL, NULL, NULL);
        INSERT INTO public.lists VALUES ('{}', 'red', '1'), ('{1,2}', 'blue,red', 'x'), ('{NULL}', NULL, '3');
    """,
    sources=(
        (("public.notes", "notes"),),
        (("public.notes", "notes"),),
        (("public.notes", "notes"),),
        (("public.lists", "lists"),),
        (("public.lists", "lists"),),
    ),
    mappings=(
        {
            "unify": "public.notes_new",
            "sources": ["-"],
            "key": {"column": "id"},
            "originals": "originals",
            "same": ["tags"],
        },
        {
            "split": "public.points",
            "sources": ["-"],
            "key": {"column": "id", "target": "note"},
            "parent": "public.notes_new",
            "item": "item",
            "except": ["tags"],
            "when": "v.number IS NOT NULL",
            "columns": {"score": "v.number::integer"},
            "value": "t.score",
        },
        {
            "derive": "public.note_tags",
            "sources": ["-"],
            "key": {"column": "id"},
            "target_key": ["note", "tag"],
            "types": {"id": "text", "tags": "text"},
            "each": "string_to_table(s.tags, ',')",
            "columns": {"note": "s.id", "tag": "v.text"},
        },
        {
            "derive": "public.list_tags",
            "sources": ["-"],
            "key": {"column": "id"},
            "target_key": ["list", "tag"],
            "types": {"id": "integer[]", "tags": "text"},
            "each": "string_to_table(s.tags, ',')",
            "columns": {"list": "s.id", "tag": "v.text"},
        },
        {
            "in_place": "public.lists",
            "columns": {"number": {"type": "integer", "from": "changeover.try_integer(s.word)"}},
            "reverse": {"word": "t.number::text"},
        },
    ),
)


def test_the_other_kinds_find_their_rows_by_them(databases: Databases) -> None:
    world = open_world(databases, OTHER_KINDS)
    world.check()
    assert world.rows("SELECT note, tag FROM public.note_tags ORDER BY 1, 2") == [
        ("", "blue"),
        ("", "red"),
        (" ", "red"),
    ]
    assert world.rows("SELECT note, item, score FROM public.points ORDER BY 1, 2") == [
        ("", "p1", 1),
        (" ", "p1", 2),
        (" ", "p2", 3),
    ]
    world.do(
        "UPDATE public.notes SET p2 = 7, tags = 'green' WHERE id = ''",
        "UPDATE public.points SET score = 9 WHERE note = '' AND item = 'p1'",
        "INSERT INTO public.points VALUES ('null', 'p2', 8)",
        "UPDATE public.notes_new SET id = 'NULL' WHERE id = 'null'",
        "UPDATE public.lists SET number = 5 WHERE id = '{1,2}'",
        "UPDATE public.lists SET word = '6', tags = 'pink' WHERE id = '{}'",
        "UPDATE public.lists SET id = '{{1},{2}}' WHERE id = '{NULL}'",
    )
    world.check()
    assert world.rows("SELECT id, p1, p2 FROM public.notes ORDER BY 1") == [("", 9, 7), (" ", 2, 3), ("NULL", None, 8)]
    assert world.rows("SELECT tag FROM public.note_tags WHERE note = ''") == [("green",)]
    assert world.rows("SELECT id::text, word, number FROM public.lists ORDER BY 3") == [
        ("{{1},{2}}", "3", 3),
        ("{1,2}", "5", 5),
        ("{}", "6", 6),
    ]
    assert world.rows("SELECT list::text, tag FROM public.list_tags ORDER BY 1, 2") == [
        ("{1,2}", "blue"),
        ("{1,2}", "red"),
        ("{}", "pink"),
    ]
    world.do("DELETE FROM public.notes WHERE id = ''", "DELETE FROM public.lists WHERE id = '{}'")
    world.check()
    assert world.value("SELECT count(*) FROM public.points WHERE note = ''") == 0
