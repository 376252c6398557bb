"""How often a copy looks at all tables of its stage does not depend on how many mappings the stage has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.engine.copy import copying
from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: hats
version: 1
stages:
  - stage: hats
    expand: [new.sql]
    mappings:
"""
MAPPING = """\
      - unify: public.hat_{n}
        sources: [public.old_hat_{n}]
        key: {{column: id}}
        originals: originals
        types: {{size: text}}
        columns: {{size: upper(s.size)}}
        reverse: {{size: t.size}}
"""


def looks(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, mappings: int) -> int:
    """Carry out a plan of so many mappings; how often all tables of the stage were looked at."""
    folder.mkdir()
    numbers = range(mappings)
    table = "CREATE TABLE public.{}hat_{} (id integer PRIMARY KEY, size text{});"
    database.run("".join(table.format("old_", n, "") + f"INSERT INTO old_hat_{n} VALUES ({n}, 'm');" for n in numbers))
    (folder / "plan.yaml").write_text(PLAN + "".join(MAPPING.format(n=n) for n in numbers))
    (folder / "new.sql").write_text("".join(table.format("", n, ", originals jsonb") for n in numbers))
    counted, look = list[object](), copying.refresh

    def counting(*arguments: Any) -> Any:
        counted.append(arguments)
        return look(*arguments)

    cli = Cli(database.dsn)
    with monkeypatch.context() as patch:
        patch.setattr(copying, "refresh", counting)
        cli.ok("init")
        cli.ok("start", str(folder), "--until", "verify")
    assert database.value(f"SELECT count(*) FROM public.hat_{mappings - 1}") == 1
    cli.ok("rollback", "--yes", "--plan", "hats")
    database.run("".join(f"DROP TABLE public.old_hat_{n};" for n in numbers))
    return len(counted)


def test_three_mappings_are_looked_at_about_as_often_as_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = looks(database, tmp_path / "one", monkeypatch, 1)
    # What others do to the catalog just then may be worth one look more. It was two more for each further mapping.
    assert 0 < looks(database, tmp_path / "three", monkeypatch, 3) <= one + 2
