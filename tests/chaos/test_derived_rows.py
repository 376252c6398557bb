"""A derive that is killed wherever it commits, forward and back: one derived row each, and nobody else's row is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.killing import KILLED, ForkServer, Hunt, at
from tests.support.cases import PARCELS
from tests.support.database import Database, Databases
from tests.support.lifecycle import same

pytestmark = [pytest.mark.newest]

_BACK = ("rollback", "--yes", "--plan", PARCELS.plan)
_TABLES = ("parcels", "parcel_history", "promises", "tracks", "parcel_goods")


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    return {name: database.rows(f"SELECT to_jsonb(x)::text FROM public.{name} x ORDER BY 1") for name in _TABLES}


def test_a_derive_is_killed_there_and_back(databases: Databases, fork_server: ForkServer, tmp_path: Path) -> None:
    database = databases.clone(f"chaos {PARCELS.name}", PARCELS.build)
    dump, before = database.schema_dump(), rows(database)
    hunt = Hunt(fork_server, database.dsn, tmp_path / "met")
    hunt("init")
    hunt.share = 5
    hunt("start", PARCELS.plan, "--until", "verify")
    for target, sources in (
        ("parcel_history", "received IS NOT NULL"),
        ("promises", "true"),
        ("labels", "received IS NULL OR due IS NULL OR due >= received"),
    ):
        made = database.value(f"SELECT count(*) FROM public.{target}") - len(before.get(target, ()))
        assert made == database.value(f"SELECT count(*) FROM public.parcels WHERE {sources}"), target
    made = database.rows("SELECT good, count(*) FROM public.parcel_goods GROUP BY 1 ORDER BY 1")
    assert made == [("books", 1500), ("glass", 750), ("toys", 750)]
    assert database.value("SELECT count(*) FROM changeover.reject WHERE reason = 'repeated'") == 750
    # Once between two commits that take rows out, and then wherever else it commits.
    assert fork_server.patiently(database.dsn, *_BACK, env=at("engine.rows.taken_back", 2)).code == KILLED
    hunt(*_BACK)
    assert rows(database) == before
    hunt.share = 1
    hunt("uninstall")
    same(database.schema_dump(), dump, "after everything was taken back")
    assert sum(number for _, number in hunt.kills) > 10
