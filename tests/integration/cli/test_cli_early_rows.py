"""Rows that the new application writes before dual-write: they are told to the old tables, and no repair takes them away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli
from tests.support.lifecycle import same

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

LEGACY = """
CREATE TABLE public.letters_east (id integer PRIMARY KEY, weight text, gone boolean);
CREATE TABLE public.letters_west (id integer PRIMARY KEY, weight text, gone boolean);
CREATE TABLE public.stamps (code text PRIMARY KEY, price numeric);
INSERT INTO public.letters_east SELECT g, g || ' g', false FROM generate_series(1, 20) g;
INSERT INTO public.letters_west SELECT g, g || ' g', false FROM generate_series(1, 20) g;
INSERT INTO public.stamps SELECT 's' || g, g FROM generate_series(1, 20) g;
"""
NEW = """\
CREATE TABLE public.letters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), side text NOT NULL, grams integer, sent boolean NOT NULL DEFAULT true,
    o jsonb NOT NULL DEFAULT '{}');
CREATE TABLE public.marks (code text PRIMARY KEY, cents integer, o jsonb NOT NULL DEFAULT '{}');
"""
PLAN = """\
plan: post
version: 1
stages:
  - stage: post
    flag: USE_POST
    expand: [new.sql]
    mappings:
      - unify: public.letters
        discover: sources.sql
        key: {column: id}
        discriminator: side
        exists_when: t.sent
        originals: o
        types: {weight: text}
        columns: {grams: "changeover.try_integer(split_part(s.weight, ' ', 1))"}
        reverse: {weight: "t.grams || ' g'"}
      - unify: public.marks
        sources: [public.stamps]
        key: {column: code, target: code}
        originals: o
        types: {price: numeric}
        columns: {cents: "(s.price * 100)::integer"}
        reverse: {price: t.cents / 100.0}
"""
SOURCES = "SELECT 'letters_' || side AS table_name, side AS discriminator, 1 AS rank FROM (VALUES ('east'), ('west')) s (side)"
EARLY = """
INSERT INTO public.letters (side, grams, sent) VALUES ('east', 700, true), ('west', 800, true), ('west', 900, false);
INSERT INTO public.marks (code, cents) VALUES ('new', 5), ('s7', 1);
"""
OLD_ROWS = """
SELECT 'east', weight FROM public.letters_east WHERE weight ~ '^[7-9]00' UNION ALL
SELECT 'west', weight FROM public.letters_west WHERE weight ~ '^[7-9]00' UNION ALL
SELECT code, price::text FROM public.stamps WHERE code = 'new' ORDER BY 1
"""
NEW_ROWS = "SELECT side, grams FROM public.letters WHERE grams >= 700 UNION ALL SELECT code, cents FROM public.marks WHERE code = 'new' ORDER BY 1, 2"


@pytest.mark.every
def test_they_are_told_to_the_old_tables(database: Database, tmp_path: Path) -> None:
    database.run(LEGACY)
    for name, text in (("plan.yaml", PLAN), ("new.sql", NEW), ("sources.sql", SOURCES)):
        (tmp_path / name).write_text(text)
    cli, plan, before = Cli(database.dsn), str(tmp_path), database.schema_dump(["changeover", "archive"])
    cli.ok("init")
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "expand")
    database.run(EARLY)
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "verify")
    told = [("east", "700 g"), ("new", "0.05000000000000000000"), ("west", "800 g")]
    assert [(name, value.rstrip("0")) for name, value in database.rows(OLD_ROWS)] == [
        (n, v.rstrip("0")) for n, v in told
    ]
    kept = [("east", 700), ("new", 5), ("west", 800), ("west", 900)]
    assert database.rows(NEW_ROWS) == kept
    # Whose key an old row has too: the old row was there first, and is untouched.
    assert database.rows("SELECT price FROM public.stamps WHERE code = 's7'") == [(7,)]
    cli.ok("verify", "--plan", plan, "--repair")
    assert database.rows(NEW_ROWS) == kept
    database.run("DELETE FROM public.letters WHERE grams = 900")  # it has no old form, and would hold up the way back
    cli.ok("rollback", "--yes", "--plan", plan)
    same(database.schema_dump(["changeover", "archive"]), before, "after rollback")
    assert [name for name, _ in database.rows(OLD_ROWS)] == ["east", "new", "west"]
