"""The sources of a merge go to the archive, and come back, in one step: the mirror of one reads the others."""

from __future__ import annotations

import pytest

from orchestrator.engine import commands
from orchestrator.kernel.events import Bus, Event
from tests.support.cases import PERSONS
from tests.support.database import Databases

KINDS = """
SELECT c.relname, c.relkind FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ('staff', 'logins') ORDER BY c.relname
"""


@pytest.mark.newest
def test_the_sources_of_a_merge_move_together(databases: Databases) -> None:
    database = databases.clone(f"lifecycle {PERSONS.name}", PERSONS.build)
    seen: list[tuple[str, object]] = []

    def look(event: Event) -> None:
        if event.kind in {"source.archived", "source.restored"}:
            seen.append((event.kind, database.rows(KINDS)))

    bus = Bus()
    bus.subscribe(look)
    commands.init(database.dsn)
    commands.start(database.dsn, PERSONS.plan, kind="rehearsal", bus=bus, operator="test")
    commands.rollback(database.dsn, PERSONS.plan, stage=None, to="verify", bus=bus, operator="test")
    views, tables = ([("logins", kind), ("staff", kind)] for kind in ("v", "r"))
    assert seen == [("source.archived", views)] * 2 + [("source.restored", tables)] * 2
