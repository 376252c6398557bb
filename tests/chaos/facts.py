"""What must be the same after a disturbed run and after an undisturbed one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.support.database import Database

# Ids of the ledger: a kill may leave a gap in their sequence, and so does each trial before a start.
_OURS: Final = re.compile(r"\b(m|x|changeover_[amx]?)0*\d+(?=_|\b)")
_RELATIONS: Final = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'changeover') ORDER BY 1
"""
_LEDGER: Final = {
    "phases": "SELECT stage, phase, state FROM changeover.phase ORDER BY 1, 2",
    "actions": "SELECT stage, phase, action_id, state FROM changeover.action ORDER BY 1, 2, 3",
    "sources": "SELECT name, state, mode, discriminators FROM changeover.source ORDER BY 1, 2",
    "runs": "SELECT plan, state FROM changeover.run ORDER BY id",
    "rejects": 'SELECT source, key, reason, state, "row"::text FROM changeover.reject ORDER BY 1, 2, 3',
    "queue": "SELECT count(*) FROM changeover.queue",
    "chunks": "SELECT s.name, sum(rows_seen)::int, sum(rows_copied)::int FROM changeover.chunk l "
    "JOIN changeover.source s ON s.id = l.source_id GROUP BY s.id ORDER BY 1, 2",
    "flags": "SELECT flag, enabled, stage, rollout, plan FROM changeover.feature_flags ORDER BY 1",
}


def dump(database: Database) -> str:
    """The schema without the ledger's."""
    return _OURS.sub(r"\1N", database.schema_dump(["changeover"]))


def facts(database: Database) -> dict[str, Any]:
    """Every row of every table and view, and what the ledger says of them."""
    found: dict[str, Any] = {"dump": dump(database).splitlines()}
    for (name,) in database.rows(_RELATIONS):
        found[name] = database.rows(f"SELECT to_jsonb(x)::text FROM {name} x ORDER BY 1")
    if database.value("SELECT to_regclass('changeover.meta') IS NOT NULL"):
        for noun, query in _LEDGER.items():
            found[noun] = [tuple(_named(value) for value in row) for row in database.rows(query)]
    return found


def _named(value: Any) -> Any:
    return _OURS.sub(r"\1N", value) if isinstance(value, str) else value
