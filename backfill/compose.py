"""SQL texts of this package with the one thing that cannot be a parameter put in: names and settings.

The functions to call carry the id of their source in the name (`changeover.m7_batch`), and SET takes no
parameters. Both are composed by psycopg.sql from the fixed text of a file, so that nothing is ever spliced by hand;
the result is a plain string, because it is asyncpg that runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.sql import SQL, Composable, Identifier

from orchestrator.kernel import sqlfiles

if TYPE_CHECKING:
    import asyncpg

    from backfill.refs import MappingRef, SourceRef

SCHEMA = "changeover"


def compose(file: str, **parts: Composable) -> str:
    """Fill in the `{names}` of a file of `backfill/sql`."""
    return SQL(sqlfiles.load("backfill", file)).format(**parts).as_string(None)


def load(file: str) -> str:
    """Return a file of `backfill/sql` that needs nothing filled in."""
    return sqlfiles.load("backfill", file)


def of_source(source: SourceRef, verb: str) -> Identifier:
    """Name the function that does `verb` for this source."""
    return Identifier(SCHEMA, f"m{source.id}_{verb}")


def of_mapping(mapping: MappingRef, verb: str) -> Identifier:
    """Name the function that does `verb` for this mapping."""
    return Identifier(SCHEMA, f"x{mapping.id}_{verb}")


async def one(conn: asyncpg.Connection, text: str, *args: object) -> asyncpg.Record:
    """Run a query that always gives a row."""
    row = await conn.fetchrow(text, *args)
    if row is None:
        message = f"no row from: {text}"
        raise LookupError(message)
    return row
