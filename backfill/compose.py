"""SQL texts of this package with the one thing that cannot be a parameter put in: names and settings.

A function that is compiled for a source carries its id in the name (`changeover.m7_batch`), a fixed one takes it
(`changeover.compare(7, …)`), and SET takes no parameters. All are composed by psycopg.sql from the fixed text of a
file, so that nothing is ever spliced by hand; the result is a plain string, because it is asyncpg that runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.sql import SQL, Composable, Identifier, Literal

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


def compiled_pages(name: Identifier) -> Composable:
    """Call a compiled function for the pages [$1, $2)."""
    return SQL("{}($1::bigint, $2::bigint)").format(name)


def fixed_pages(source: SourceRef, verb: str) -> Composable:
    """Call the fixed function that does `verb` for the pages [$1, $2) of this source."""
    return SQL("{}({}, $1::bigint, $2::bigint)").format(Identifier(SCHEMA, verb), Literal(source.id))


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
