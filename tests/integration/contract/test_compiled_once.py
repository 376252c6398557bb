"""Contract compiles what moves: the functions of each table once for its new place, however many tables there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.engine import commands
from orchestrator.engine.session import open_session
from orchestrator.kernel.events import Bus
from orchestrator.mapping import unify_functions
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.mapping.objects import DbObject
    from orchestrator.mapping.unify import UnifySource
    from tests.support.database import Database, Databases

DEPOTS = ("north", "east", "south", "west", "harbour")
NEW = """
CREATE TABLE public.loads (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), depot text NOT NULL, goods text, kilos integer,
    legacy jsonb NOT NULL DEFAULT '{}'
);
"""
PLAN = """
plan: depots
version: 1
stages:
  - stage: loads
    flag: USE_LOADS
    expand: [new.sql]
    mappings:
      - unify: public.loads
        sources: [public.north, public.east, public.south, public.west, public.harbour]
        key: {column: id}
        discriminator: depot
        originals: legacy
        types: {goods: text, kilos: integer}
        columns: {goods: s.goods, kilos: s.kilos}
        reverse: {goods: t.goods, kilos: t.kilos}
    contract: {keep_days: 0}
"""
BODIES = """
SELECT p.proname, p.prosrc FROM pg_proc p WHERE p.pronamespace = 'changeover'::regnamespace AND p.proname ~ '^[mx][0-9]+_'
"""


def _build(database: Database) -> None:
    for depot in DEPOTS:
        database.run(
            f"CREATE TABLE public.{depot} (id integer PRIMARY KEY, goods text, kilos integer);"
            f"INSERT INTO public.{depot} VALUES (1, '{depot} tea', 3), (2, NULL, 4)"
        )


def _plan(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "new.sql").write_text(NEW)
    return str(folder)


def _compiled_by_another(database: Database, plan: str) -> dict[str, str]:
    """What a session that remembers nothing compiles against the catalog as it is now."""
    loaded = load(plan)
    with open_session(database.dsn, loaded, operator="test", bus=Bus()) as session:
        functions = [f for compiled in session.compiler.compiled(loaded.stage("loads")) for f in compiled.functions]
    return {f.id.removeprefix("function "): f.create for f in functions if f.id.startswith("function ")}


@pytest.mark.newest
def test_each_table_is_compiled_once_for_the_place_that_it_moves_to(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = databases.clone("contract depots", _build)
    plan = _plan(tmp_path / "plan")
    commands.init(database.dsn)
    commands.start(database.dsn, plan, kind="rehearsal", until="verify", bus=Bus(), operator="test")
    compiled: list[str] = []
    real = unify_functions.functions

    def counted(source: UnifySource) -> list[DbObject]:
        compiled.append(source.table.sql)
        return real(source)

    monkeypatch.setattr(unify_functions, "functions", counted)
    commands.start(database.dsn, plan, kind="rehearsal", bus=Bus(), operator="test")
    at_home, away = ({f'"{schema}"."{depot}"' for depot in DEPOTS} for schema in ("public", "archive"))
    assert sorted(compiled) == sorted(at_home | away)

    bodies = dict(database.rows(BODIES))
    fresh = _compiled_by_another(database, plan)
    assert not [name for name, text in fresh.items() if bodies[name] not in text]

    compiled.clear()
    commands.rollback(database.dsn, plan, stage=None, to="verify", bus=Bus(), operator="test")
    assert sorted(compiled) == sorted(at_home | away)
    bodies = dict(database.rows(BODIES))
    assert not [name for name, text in _compiled_by_another(database, plan).items() if bodies[name] not in text]
