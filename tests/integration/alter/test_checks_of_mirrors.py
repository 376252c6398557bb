"""A rule that `alter` adds to an old column that a mirror in place writes: the mirror is the same before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import Cli
from tests.support.lifecycle import same

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

LEGACY = """
CREATE TABLE public.crates (id integer PRIMARY KEY, load numeric(8, 1), label text, CONSTRAINT not_heavy CHECK (load < 500));
INSERT INTO public.crates SELECT g, g, 'l' FROM generate_series(1, 20) g;
"""
PLAN = """\
plan: crates
version: 1
stages:
  - stage: crates
    alter:
      - table: public.crates
        columns: {label: {nullable: false}}
        constraints:
          light: {check: "load < 100", replaces: not_heavy}
          "Positive": {check: "load > 0"}
    mappings:
      - in_place: public.crates
        columns:
          grams: {type: integer, from: (s.load * 1000)::integer}
          mark: {type: text, from: upper(s.label)}
        reverse: {load: t.grams / 1000.0, label: lower(t.mark)}
    contract: {gates: {flag: none}, archive: none, keep_days: 0}
"""
OURS = ["changeover", "archive"]


def test_the_plan_goes_to_its_end_and_back(database: Database, tmp_path: Path) -> None:
    database.run(LEGACY)
    (tmp_path / "plan.yaml").write_text(PLAN)
    cli, plan, before = Cli(database.dsn), str(tmp_path), database.schema_dump(OURS)
    cli.ok("init")
    for phase in ("dual-write", "backfill", "verify"):
        cli.ok("start", plan, "--kind", "rehearsal", "--until", phase)
        # What the old column cannot hold is no error of the new version, neither before the rule is there nor afterwards.
        database.run(
            "UPDATE public.crates SET grams = 200000 WHERE id = 3; UPDATE public.crates SET grams = 7000 WHERE id = 4"
        )
        database.run("UPDATE public.crates SET mark = NULL WHERE id = 5")
        assert database.value("SELECT label FROM public.crates WHERE id = 5") is not None
        assert database.rows("SELECT id, load FROM public.crates WHERE id IN (3, 4) ORDER BY id") == [(3, None), (4, 7)]
    cli.ok("start", plan, "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", plan)
    same(database.schema_dump(OURS), before, "after rollback")
