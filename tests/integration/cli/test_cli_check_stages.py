"""`plan check` of what one stage needs of another, and of tables that two mappings find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

KEYED = """\
plan: meters
version: 1
stages:
  - stage: key
    alter:
      - {table: public.meters, constraints: {meters_serial: {unique: [place, serial]}}}
  - stage: watts
    %s
    flag: USE_WATTS
    mappings:
      - in_place: public.meters
        key: [place, serial]
        columns: {watts: {type: integer, from: s.kilowatts * 1000}}
        reverse: {kilowatts: t.watts / 1000}
"""
FOUND_TWICE = """\
plan: shelves
version: 1
stages:
  - stage: shelves
    flag: USE_SHELVES
    expand: [new.sql]
    mappings:
      - {unify: public.shelves, discover: all.sql, key: {column: id}, discriminator: room, originals: o, same: [books]}
      - {unify: public.books, sources: [public.shelf_b], key: {column: id}, originals: o, same: [books]}
"""
NEW = "".join(
    f"CREATE TABLE public.{name} (id bigint PRIMARY KEY, room text, books text, o jsonb NOT NULL DEFAULT '{{}}');\n"
    for name in ("shelves", "books")
)


def test_a_key_that_an_earlier_stage_makes_is_waited_for(database: Database, tmp_path: Path) -> None:
    database.run(
        "CREATE TABLE public.meters (place text NOT NULL, serial integer NOT NULL, kilowatts integer);"
        "INSERT INTO public.meters SELECT 'p', g, g FROM generate_series(1, 9) g"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    (tmp_path / "plan.yaml").write_text(KEYED % "title: not after it")
    assert "needs a primary key or unique constraint on (place, serial)" in cli("plan", "check", str(tmp_path)).out
    (tmp_path / "plan.yaml").write_text(KEYED % "after: key")
    said = cli.ok("plan", "check", str(tmp_path)).out
    assert "its key (place, serial) is unique only when stage key is done" in said
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    assert database.value("SELECT sum(watts) FROM public.meters") == 45000
    assert "unique only when" not in cli.ok("plan", "check", str(tmp_path)).out


def test_a_table_that_two_mappings_find_is_refused(database: Database, tmp_path: Path) -> None:
    database.run("CREATE TABLE public.shelf_a (id integer PRIMARY KEY, books text)")
    database.run("CREATE TABLE public.shelf_b (id integer PRIMARY KEY, books text)")
    (tmp_path / "plan.yaml").write_text(FOUND_TWICE)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "all.sql").write_text(
        "SELECT table_name, table_name AS discriminator, 1 AS rank FROM information_schema.tables "
        "WHERE table_schema = 'public' AND table_name LIKE 'shelf\\_%'"
    )
    done = Cli(database.dsn)("plan", "check", str(tmp_path))
    assert done.code != 0
    assert "public.shelf_b is moved by mapping shelves and by mapping books, and a table moves once" in done.out
