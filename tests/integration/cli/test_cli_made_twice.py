"""`plan check` says of a lookup that makes rows whether something keeps one from being made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: paints
version: 1
stages:
  - stage: colours
    expand: [made.sql]
    mappings:
      - in_place: public.paints
        columns: {colour_id: {type: integer, from: colour.id}}
        reverse: {colour: colour.name}
        lookups:
          colour:
            table: public.colours
            match: colour.name = lower(s.colour)
            join: colour.id = t.colour_id
            create: {when: "true", columns: {name: lower(s.colour), shade: "'plain'"}}
    indexes: [later.sql]
"""
OLD = """\
CREATE TABLE public.paints (id integer PRIMARY KEY, colour text);
INSERT INTO public.paints VALUES (1, 'Red'), (2, 'red');
"""
BARE = "CREATE TABLE public.colours (id serial PRIMARY KEY, name text, shade text, made_by text);"


@pytest.mark.newest
@pytest.mark.parametrize(
    ("index", "kept_apart"),
    [
        ("CREATE UNIQUE INDEX one ON public.colours (name);", True),
        ("CREATE UNIQUE INDEX one ON public.colours (shade, lower(name));", True),
        ("CREATE UNIQUE INDEX one ON public.colours (name, made_by);", False),
        ("CREATE UNIQUE INDEX one ON public.colours (name) WHERE shade = 'dark';", False),
        ("CREATE INDEX one ON public.colours (name);", False),
        ("", False),
    ],
)
def test_a_row_may_be_made_twice_where_no_unique_index_is_there_in_time(
    database: Database, tmp_path: Path, index: str, *, kept_apart: bool
) -> None:
    database.run(OLD)
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "made.sql").write_text(f"{BARE}\n{index}")
    (tmp_path / "later.sql").write_text("CREATE UNIQUE INDEX late ON public.colours (name);")
    checked = Cli(database.dsn).ok("plan", "check", str(tmp_path)).out
    assert ("lookup colour makes rows of public.colours" in checked) is not kept_apart, checked
