"""What only the application has written outlives the way back: beside rows that lookups make, and in columns of a later stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

TICKETS = """\
CREATE TABLE public.tickets (id integer PRIMARY KEY, queue text);
INSERT INTO public.tickets VALUES (1, 'Mail'), (2, 'phone'), (3, ' mail'), (4, NULL);
"""
QUEUES = """\
CREATE TABLE public.queues (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, head text DEFAULT 'nobody');
CREATE TABLE public.cases (id integer PRIMARY KEY, queue integer, legacy jsonb NOT NULL DEFAULT '{}');
"""
LOOKUP = """\
plan: queues
version: 1
stages:
  - stage: cases
    expand: [new.sql]
    mappings:
      - unify: public.cases
        sources: [public.tickets]
        key: {column: id, target: id}
        originals: legacy
        types: {queue: text}
        lookups:
          q:
            table: public.queues
            match: q.code = changeover.fold(s.queue)
            key: id
            create: {when: changeover.fold(s.queue) IS NOT NULL, columns: {code: changeover.fold(s.queue)}}
        columns: {queue: q.id}
        reverse: {queue: (SELECT q.code FROM public.queues q WHERE q.id = t.queue)}
"""


def _rows(database: Database, table: str) -> list[tuple[object, ...]] | None:
    """The rows of a table of the archive as text; None where it is not there."""
    if database.value("SELECT to_regclass(%s) IS NULL", (f"archive.{table}",)):
        return None
    return database.rows(f"SELECT to_jsonb(x)::text FROM archive.{table} x ORDER BY 1")


@pytest.mark.parametrize(
    ("writes", "kept"),
    [
        ("INSERT INTO public.tickets VALUES (9, 'Letter'); UPDATE public.tickets SET queue = 'fax' WHERE id = 2", None),
        ("INSERT INTO public.queues (code) VALUES ('shop')", 3),
        ("UPDATE public.queues SET head = 'ann' WHERE code = 'phone'", 2),
    ],
    ids=["an old row's", "a row", "a value"],
)
def test_beside_the_rows_that_a_lookup_makes(shops: Database, tmp_path: Path, writes: str, kept: int | None) -> None:
    shops.run(TICKETS)
    (tmp_path / "new.sql").write_text(QUEUES)
    (tmp_path / "plan.yaml").write_text(LOOKUP)
    cli = Cli(shops.dsn)
    cli.ok("init")
    before = shops.schema_dump(["changeover", "archive"])
    cli.ok("start", str(tmp_path), "--until", "verify")
    assert shops.value("SELECT array_agg(code ORDER BY code) FROM public.queues") == ["mail", "phone"]
    shops.run(writes)
    cli.ok("rollback", "--plan", str(tmp_path), "--yes")
    assert shops.schema_dump(["changeover", "archive"]) == before
    found = _rows(shops, "queues")
    assert (None if found is None else len(found)) == kept
    assert shops.value("SELECT count(*) FROM changeover.seed_row") == 0


STAGES = """\
plan: boats
version: 1
stages:
  - {stage: first, expand: [first.sql]}
  - {stage: second, after: first, expand: [second.sql]}
"""
FIRST = """\
CREATE TABLE public.boats (harbour text, number integer, name text, PRIMARY KEY (number, harbour));
ALTER TABLE public.boats ADD COLUMN length numeric;
CREATE TABLE public.logs (at integer, word text);
"""
SECOND = """\
CREATE TYPE public.rig AS ENUM ('sloop', 'yawl');
ALTER TABLE public.boats ADD COLUMN "Rig" public.rig DEFAULT 'sloop', ADD COLUMN feet numeric GENERATED ALWAYS AS (length * 3) STORED;
ALTER TABLE public.boats ADD COLUMN crew integer DEFAULT 0, ADD seen timestamptz DEFAULT now();
ALTER TABLE public.logs ADD COLUMN weather text;
"""


def test_in_columns_of_a_later_stage(shops: Database, tmp_path: Path) -> None:
    for name, text in {"plan.yaml": STAGES, "first.sql": FIRST, "second.sql": SECOND}.items():
        (tmp_path / name).write_text(text)
    cli = Cli(shops.dsn)
    cli.ok("init")
    before = shops.schema_dump(["changeover", "archive"])
    cli.ok("start", str(tmp_path), "--stage", "first")
    shops.run("INSERT INTO public.boats VALUES ('Kiel', 1, 'Ada', 7), ('Kiel', 2, 'Eve', 9), ('Rerik', 2, 'Uta', NULL)")
    shops.run("INSERT INTO public.logs VALUES (1, 'calm')")
    between = shops.schema_dump(["changeover", "archive"])
    cli.ok("start", str(tmp_path))
    shops.run(
        """UPDATE public.boats SET "Rig" = 'yawl' WHERE harbour = 'Rerik'; UPDATE public.boats SET crew = NULL WHERE name = 'Eve'"""
    )
    shops.run("INSERT INTO public.logs VALUES (2, 'storm', 'bad')")
    done = cli.ok("rollback", "--plan", str(tmp_path), "--stage", "second", "--yes", "--json").json
    (archived,) = [each["detail"]["archived"] for each in done if each["detail"]]
    assert archived == {
        "archive.boats_columns_crew": 1,
        "archive.boats_columns_Rig": 1,
        "archive.logs_columns_weather": 1,
    }
    assert shops.schema_dump(["changeover", "archive"]) == between
    # Each statement's columns with the key; the default's word is nobody's, and neither is what the server computes.
    assert shops.rows("SELECT harbour, number, crew FROM archive.boats_columns_crew") == [("Kiel", 2, None)]
    assert shops.rows('SELECT harbour, number, "Rig" FROM archive."boats_columns_Rig"') == [("Rerik", 2, "yawl")]
    assert shops.rows("SELECT at, word, weather FROM archive.logs_columns_weather") == [(2, "storm", "bad")]
    # A column of the table's own stage goes with the table, which is kept whole.
    cli.ok("rollback", "--plan", str(tmp_path), "--yes")
    assert shops.rows("SELECT name, length FROM archive.boats ORDER BY 1") == [("Ada", 7), ("Eve", 9), ("Uta", None)]
    assert shops.schema_dump(["changeover", "archive"]) == before


def test_nothing_is_kept_where_nobody_wrote(shops: Database, tmp_path: Path) -> None:
    for name, text in {"plan.yaml": STAGES, "first.sql": FIRST, "second.sql": SECOND}.items():
        (tmp_path / name).write_text(text)
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", str(tmp_path))
    cli.ok("rollback", "--plan", str(tmp_path), "--yes")
    assert shops.value("SELECT to_regnamespace('archive') IS NULL") is True
