"""Runs SQLAlchemy Core statements on a psycopg connection that somebody else opened.

Core describes and composes the statements; it does not own a connection here. So a ledger write is part of
whatever transaction its caller has open, and there is no second pool, no second set of session settings and
no second opinion about when to commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from psycopg.rows import dict_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import RowFactory
    from sqlalchemy.sql.expression import ClauseElement

DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # as SQLAlchemy ships it

Row = dict[str, Any]
T = TypeVar("T")


def execute(conn: psycopg.Connection[Any], statement: ClauseElement) -> psycopg.Cursor[Row]:
    """Run a statement; its rows come as dicts."""
    return execute_as(conn, statement, dict_row)


def execute_as(conn: psycopg.Connection[Any], statement: ClauseElement, factory: RowFactory[T]) -> psycopg.Cursor[T]:
    """Run a statement; its rows come as the given factory makes them."""
    text, values = compiled(statement)
    return conn.cursor(row_factory=factory).execute(text, values)


def compiled(statement: ClauseElement) -> tuple[bytes, dict[str, Any]]:
    """The text with its placeholders, and the values as the driver wants them (JSON wrapped, lists expanded)."""
    result = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    values = dict(result.params)
    for name, bind in getattr(result, "binds", {}).items():
        process = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT)
        if process is not None and name in values:
            values[name] = process(values[name])
    return str(result).encode(), values


def ddl(element: ClauseElement) -> bytes:
    """The text of a CREATE statement."""
    return str(element.compile(dialect=DIALECT)).encode()
