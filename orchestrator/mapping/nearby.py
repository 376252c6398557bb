"""The table that was meant where a plan names one that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.sqltokens import table_label
from orchestrator.kernel.words import meant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import psycopg

# Only an error asks, and of a database with more tables than these nobody waits for it.
_NAMES: Final = """
    SELECT n.nspname || '.' || c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'changeover')
    LIMIT 20000
"""


def no_key(key: str, columns: Collection[str]) -> list[str]:
    """The problem of a table that lacks the column of its key; none where it has it."""
    return [] if key in columns else [f"no column {key}, the key{meant(key, columns)}"]


def meant_table(conn: psycopg.Connection[Any], text: str, end: str = "", among: Iterable[str] = ()) -> str:
    """The words that ask for the table whose name looks like the one given; `end` where none does."""
    return meant(table_label(text), [*among, *(str(row[0]) for row in conn.execute(_NAMES))], end)
