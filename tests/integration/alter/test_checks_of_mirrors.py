"""A CHECK that `alter` adds over an old column that a mirror in place writes: the mirror is the same before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import Cli
from tests.support.lifecycle import same

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

LEGACY = """
CREATE TABLE public.crates (id integer PRIMARY KEY, load numeric(8, 1), CONSTRAINT not_heavy CHECK (load < 500));
INSERT INTO public.crates SELECT g, g FROM generate_series(1, 20) g;
"""
PLAN = """\
plan: crates
version: 1
stages:
  - stage: crates
    alter:
      - table: public.crates
        constraints:
          light: {check: "load < 100", replaces: not_heavy}
          "Positive": {check: "load > 0"}
    mappings:
      - in_place: public.crates
        columns: {grams: {type: integer, from: (s.load * 1000)::integer}}
        reverse: {load: t.grams / 1000.0}
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
        assert database.rows("SELECT id, load FROM public.crates WHERE id IN (3, 4) ORDER BY id") == [(3, None), (4, 7)]
    cli.ok("start", plan, "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", plan)
    same(database.schema_dump(OURS), before, "after rollback")
