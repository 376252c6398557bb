"""The ledger's statements: composed of quoted names and of parameters, run on a connection that somebody else opened.

A ledger write is part of whatever transaction its caller has open: there is no second pool and no second opinion about
when to commit. `tables` describes the tables in SQLAlchemy Core for `schema`, which creates them. Nothing else imports
it: every process of a phase reads and writes the ledger, and SQLAlchemy takes a fifth of the time until it can begin.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from dataclasses import Field

    import psycopg
    from psycopg.rows import RowFactory

SCHEMA: Final = "changeover"

Row = dict[str, Any]
T = TypeVar("T")


class Record(Protocol):
    """A dataclass whose fields are named like the columns it is read from."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with the values of its placeholders, in their order."""

    text: sql.SQL | sql.Composed
    values: tuple[Any, ...] = ()

    def __add__(self, other: Sql) -> Sql:
        """Both, one after the other."""
        return Sql(sql.SQL(" ").join((self.text, other.text)), (*self.values, *other.values))


NOW: Final = Sql(sql.SQL("pg_catalog.clock_timestamp()"))
"""The moment of the statement; a transaction lasts a while."""
DEFAULT: Final = Sql(sql.SQL("DEFAULT"))
_PLACEHOLDER: Final = sql.SQL("%s")


def execute(conn: psycopg.Connection[Any], statement: Sql) -> psycopg.Cursor[Row]:
    """Run a statement; its rows come as dicts."""
    return execute_as(conn, statement, dict_row)


def execute_as(conn: psycopg.Connection[Any], statement: Sql, factory: RowFactory[T]) -> psycopg.Cursor[T]:
    """Run a statement; its rows come as the given factory makes them."""
    return conn.cursor(row_factory=factory).execute(statement.text, statement.values)


def select(kind: type[Record], table: str, *where: Sql, instead: Mapping[str, Sql] | None = None) -> Sql:
    """SELECT exactly the columns of a record; `instead` are the expressions of those that are no plain columns."""
    return _words("SELECT") + columns(kind, instead or {}) + _words("FROM") + _table(table) + _where(where)


def insert(table: str, values: Mapping[str, Any]) -> Sql:
    """INSERT one row."""
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    given = _listed([_value(value) for value in values.values()])
    into = Sql(sql.SQL("INSERT INTO {} ({}) VALUES (").format(_table(table).text, names))
    return into + given + _words(")")


def update(table: str, values: Mapping[str, Any], *where: Sql) -> Sql:
    """UPDATE the rows of a choice."""
    return _words("UPDATE") + _table(table) + _words("SET") + _set(values) + _where(where)


def delete(table: str, *where: Sql) -> Sql:
    """DELETE the rows of a choice."""
    return _words("DELETE FROM") + _table(table) + _where(where)


def or_nothing() -> Sql:
    """After `insert`: the row that is there already stays as it is."""
    return _words("ON CONFLICT DO NOTHING")


def or_update(key: Sequence[str], values: Mapping[str, Any]) -> Sql:
    """After `insert`: the row with this key takes these values."""
    names = sql.SQL(", ").join(map(sql.Identifier, key))
    return Sql(sql.SQL("ON CONFLICT ({}) DO UPDATE SET").format(names)) + _set(values)


def returning(kind: type[Record]) -> Sql:
    """After a write: the columns of a record."""
    return _words("RETURNING") + columns(kind, {})


def group(*by: str) -> Sql:
    """GROUP BY columns, in their order."""
    names = sql.SQL(", ").join(map(sql.Identifier, by))
    return Sql(sql.SQL("GROUP BY {} ORDER BY {}").format(names, names))


def order(*by: str, down: bool = False) -> Sql:
    """ORDER BY columns; the last of them downwards, if asked."""
    names = sql.SQL(", ").join(map(sql.Identifier, by))
    return Sql(sql.SQL("ORDER BY {}{}").format(names, sql.SQL(" DESC" if down else "")))


def at_most(rows: int | None) -> Sql:
    """LIMIT; None is no limit."""
    return Sql(sql.SQL("LIMIT %s"), (rows,))


def for_update() -> Sql:
    """FOR UPDATE."""
    return _words("FOR UPDATE")


def equal(**columns: Any) -> tuple[Sql, ...]:
    """Conditions: each column has this value."""
    return tuple(Sql(sql.SQL("{} =").format(sql.Identifier(name))) + _value(value) for name, value in columns.items())


def given(**columns: Any) -> tuple[Sql, ...]:
    """As `equal`; what is None does not restrict."""
    return equal(**{name: value for name, value in columns.items() if value is not None})


def among(column: str, values: Iterable[Any]) -> Sql:
    """A condition: the column has one of these values."""
    return Sql(sql.SQL("{} = ANY (%s)").format(sql.Identifier(column)), (list(values),))


def fixed(text: str, *values: Any) -> Sql:
    """A condition, an expression or a whole statement in words that are fixed; `%s` stands for each value."""
    return Sql(sql.SQL(text), values)


def columns(kind: type[Record], instead: Mapping[str, Sql]) -> Sql:
    """The columns that make up a record."""
    names = [field.name for field in fields(kind)]
    return _listed(
        [
            instead[name] + Sql(sql.SQL("AS {}").format(sql.Identifier(name)))
            if name in instead
            else Sql(sql.SQL("{}").format(sql.Identifier(name)))
            for name in names
        ]
    )


def _where(conditions: Sequence[Sql]) -> Sql:
    if not conditions:
        return _words("")
    first, *others = conditions
    found = _words("WHERE") + first
    for each in others:
        found = found + _words("AND") + each
    return found


def _set(values: Mapping[str, Any]) -> Sql:
    return _listed([Sql(sql.SQL("{} =").format(sql.Identifier(n))) + _value(value) for n, value in values.items()])


def _listed(pieces: Sequence[Sql]) -> Sql:
    texts = sql.SQL(", ").join(piece.text for piece in pieces)
    return Sql(texts, tuple(value for piece in pieces for value in piece.values))


def _value(value: Any) -> Sql:
    if isinstance(value, Sql):
        return value
    return Sql(_PLACEHOLDER, (Jsonb(value) if isinstance(value, dict) else value,))


def _table(name: str) -> Sql:
    return Sql(sql.SQL("{}").format(sql.Identifier(SCHEMA, name)))


def _words(text: str) -> Sql:
    return Sql(sql.SQL(text))
