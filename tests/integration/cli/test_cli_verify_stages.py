"""`verify` of several stages: what one of them has does not keep the others from being compared."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import Cli
from tests.support.database import Database

STAGE = """
  - stage: {name}
    mappings:
      - in_place: public.{name}
        columns: {{size: {{type: integer, from: length(s.word)}}}}
"""


def test_every_stage_is_compared(database: Database, tmp_path: Path) -> None:
    names = ("first", "middle", "last")
    (tmp_path / "plan.yaml").write_text(
        "plan: words\nversion: 1\nstages:" + "".join(STAGE.format(name=name) for name in names)
    )
    for name in names:
        database.run(
            f"CREATE TABLE public.{name} (id integer PRIMARY KEY, word text);"
            f"INSERT INTO public.{name} SELECT i, repeat('x', i) FROM generate_series(1, 5) i"
        )
    cli, plan = Cli(database.dsn), str(tmp_path)
    cli.ok("init")
    for name in names:
        cli.ok("start", plan, "--stage", name, "--until", "verify")
    for name, wrong in (("first", 2), ("last", 3)):
        database.run(
            f"ALTER TABLE public.{name} DISABLE TRIGGER USER; UPDATE public.{name} SET size = -1 WHERE id <= {wrong};"
            f"ALTER TABLE public.{name} ENABLE TRIGGER USER"
        )
    found = cli("verify", "--plan", plan, "--json")
    assert found.code == 4
    assert [(each["stage"], each["clean"], each["differences"]) for each in found.json] == [
        *[("first", False, 2), ("middle", True, 0), ("last", False, 3)],
    ]
    assert "Stage first: 2 differences" in found.error["what"]
    assert "Stage last: 3 differences" in found.error["what"]
    assert "--stage" not in found.error["todo"]
    cli.ok("verify", "--plan", plan, "--repair")
    cli.ok("verify", "--plan", plan)
