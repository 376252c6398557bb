"""What a stage promises of the catalog, and whether it is so now: tables, columns, constraints, indexes.

Of a table that the stage has made or fills, every constraint must be validated and every index usable (`checks.sql`).
Of a table in use only what `alter` has declared is asked for; what else is there is the application's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from orchestrator.engine import queries
from orchestrator.engine.contract import renaming
from phases.alter import constraints, in_backfill, in_expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action
    from phases.alter_spec import Alter

_ASKED: Final = ("columns ", "validate ", "index ", "constraint ")


def checks(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> Iterator[dict[str, Any]]:
    """Each promise and whether it is kept."""
    cursor = conn.cursor(row_factory=dict_row)
    yield from cursor.execute(queries.load("checks.sql"), {"plan": plan.name, "stage": stage.stage})
    for rename in stage.rename:
        row = conn.execute(renaming.without_database(rename).probe.encode()).fetchone()
        yield {"check": rename.id, "ok": bool(row and row[0])}
    for alter in stage.alter:
        for action in _asked(alter):
            row = conn.execute(action.probe.encode()).fetchone()
            yield {"check": action.id, "ok": bool(row and row[0])}


def _asked(alter: Alter) -> Iterator[Action]:
    """The actions whose probe tells whether what they have made is still there."""
    for action in (*in_expand(alter), *in_backfill(alter), *constraints(alter, "backfill")):
        if action.probe and action.id.startswith(_ASKED):
            yield action
