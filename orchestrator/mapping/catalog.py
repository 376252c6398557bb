"""What the database itself says about a table: columns, types, keys, identity.

Names found in data (``scorecards.table_name``) are never spliced as text. They are resolved here,
against ``pg_class``, to an oid; from then on only catalog names, quoted, reach any statement.

The *fingerprint* of a table covers its columns and their types. The mirror and the runner compare
it with the catalog, so a column added while the migration runs is noticed before its values can be
missed.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.mapping.grant import Grant
from orchestrator.mapping.nearby import meant_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import psycopg

    Row = list[Any]


@dataclass(frozen=True)
class Column:
    """One column: ``type`` is the base type's name, ``sql_type`` what a cast must say.

    ``kind`` is pg_type's typtype (``e`` for an enum).
    Where the type is a domain, ``below`` is what a cast to the type below it must say. ``collation`` is its qualified
    name, quoted, where it is another one than the type's own.
    """

    name: str
    attnum: int
    type: str
    sql_type: str
    typmod: int
    not_null: bool
    default: str | None
    identity: str
    generation: str | None = None
    kind: str = "b"
    below: str | None = None
    collation: str | None = None

    @property
    def generated(self) -> bool:
        """The table computes it by itself."""
        return self.generation is not None

    @property
    def domain(self) -> bool:
        """Its type is a domain."""
        return self.below is not None

    @property
    def handled_as(self) -> str:
        """The type of its values on the way: a NULL cannot even be cast to a domain that is NOT NULL."""
        return self.below if self.below is not None and self.not_null else self.sql_type

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quote(self.name)

    @property
    def numeric_limits(self) -> tuple[int, int] | None:
        """(precision, scale) of a ``numeric(p,s)`` column; None where there is no limit."""
        if self.type != "numeric" or self.typmod < 0:
            return None
        modifier = self.typmod - 4
        return (modifier >> 16) & 0xFFFF, modifier & 0x7FF


@dataclass(frozen=True)
class Table:
    """A table as the catalog has it."""

    oid: int
    schema: str
    name: str
    kind: str
    relfilenode: int = field(compare=False)
    rows: int = field(compare=False)
    columns: tuple[Column, ...]
    unique_keys: tuple[tuple[str, ...], ...]
    primary_key: tuple[str, ...] = ()
    indexed: frozenset[str] = frozenset()
    title: str = ""
    view: str = ""
    grants: tuple[Grant, ...] = ()
    tablespace: str | None = None
    home: str = ""
    """The schema in which it was first found; empty where that is the one that it is in."""
    moved_to: str = ""
    """The schema of the table itself, where `schema` is that of the view which has its name now."""
    owner: str = ""
    owned: bool = field(default=True, compare=False)
    """Whether the role that has asked has the rights of its owner."""
    row_security: bool = False
    """Whether it has row-level security."""
    hides_rows: bool = False
    """Whether row-level security hides rows from the role that has asked."""
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {c.name: c for c in self.columns})

    @property
    def sql(self) -> str:
        """Schema-qualified and quoted."""
        return qualified(self.schema, self.name)

    @property
    def plain(self) -> bool:
        """A table that can have triggers, partitioned or not."""
        return self.kind in {"r", "p"}

    @property
    def followed(self) -> bool:
        """Whether we may put triggers on it, and take them off."""
        return self.plain and self.owned

    @property
    def stored_sql(self) -> str:
        """The table itself, also where a view has its name: a trigger needs it."""
        return qualified(self.moved_to or self.schema, self.name)

    @property
    def label(self) -> str:
        """``schema.name`` as reports and the rejects show it; as it was first seen, also after contract."""
        return self.title or f"{self.schema}.{self.name}"

    @property
    def fingerprint(self) -> str:
        """A hash of the columns; equal as long as no column came, went or changed its type."""
        text = "\n".join(f"{c.attnum} {c.name} {c.sql_type}" for c in self.columns)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def leads_index(self, column: str) -> bool:
        """True where a full index begins with this column."""
        return column in self.indexed

    def is_unique(self, column: str) -> bool:
        """True where a unique index on this very column stands (its rows have distinct keys)."""
        return (column,) in self.unique_keys


@dataclass(slots=True)
class _Known:
    """What was read of a catalog that does not change meanwhile."""

    tables: dict[int, Table] = field(default_factory=dict)
    named: dict[tuple[str, bool], dict[str, int | None]] = field(default_factory=dict)
    behind: dict[int, int] = field(default_factory=dict)


_ONCE: WeakKeyDictionary[psycopg.Connection[Any], _Known] = WeakKeyDictionary()
"""What connections have read that are within `read_once`."""


_LABEL = """SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s"""


def read_table(conn: psycopg.Connection[Any], oid: int) -> Table:
    """Read one table by oid; raise where there is none."""
    found = read_tables(conn, [oid])
    if oid not in found:
        raise RefusedError(
            what=f"The table with oid {oid} is no longer there.",
            kept="Nothing was changed.",
            todo="Run `changeover plan check` to see what the plan finds now.",
        )
    return found[oid]


def read_tables(conn: psycopg.Connection[Any], oids: Collection[int]) -> dict[int, Table]:
    """Read tables by oid, in the same few queries however many they are; those that are gone are not in the answer.

    With an empty search path the catalog prints every name in full.
    """
    known = _ONCE.get(conn, _Known()).tables
    if missing := [oid for oid in oids if oid not in known]:
        known |= _read(conn, missing)
    return {oid: table for oid in oids if (table := known.get(oid)) is not None}


@contextmanager
def read_once(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Read each table, and look each name up, once while the block lasts, as a compiler asks often; nothing in it changes one."""
    outermost = conn not in _ONCE
    _ONCE.setdefault(conn, _Known())
    try:
        yield
    finally:
        if outermost:
            del _ONCE[conn]


def _read(conn: psycopg.Connection[Any], oids: Collection[int]) -> dict[int, Table]:
    before = conn.execute("SELECT current_setting('search_path'), set_config('search_path', '', false)").fetchone()
    assert before is not None  # noqa: S101 - the query gives its row
    try:
        heads = _by_table(conn, "catalog_table.sql", oids)
        columns = _by_table(conn, "catalog_columns.sql", oids)
        keys = _by_table(conn, "catalog_keys.sql", oids)
        grants = _by_table(conn, "catalog_grants.sql", oids)
    finally:
        conn.execute("SELECT set_config('search_path', %s, false)", before[:1])
    return {
        oid: _table(oid, head, columns.get(oid, []), keys.get(oid, []), grants.get(oid, []))
        for oid, (head,) in heads.items()
    }


def _by_table(conn: psycopg.Connection[Any], file: str, oids: Collection[int]) -> dict[int, list[Row]]:
    """The rows of a query whose first column is the table's oid, by table."""
    found: dict[int, list[Row]] = {}
    for oid, *row in conn.execute(sqlfiles.load(__package__, file), {"oids": list(oids)}).fetchall():
        found.setdefault(int(oid), []).append(row)
    return found


def _table(oid: int, head: Row, rows: list[Row], keys: list[Row], grants: list[Row]) -> Table:
    return Table(
        oid=oid,
        schema=head[0],
        name=head[1],
        kind=head[2],
        relfilenode=head[3],
        rows=head[4],
        tablespace=head[5],
        owner=head[6],
        row_security=head[7],
        hides_rows=head[8],
        owned=head[9],
        columns=tuple(
            Column(
                name=r[0],
                attnum=r[1],
                type=r[2],
                sql_type=r[3],
                typmod=r[4],
                not_null=r[5],
                default=r[6],
                identity=r[7],
                generation=r[8],
                kind=r[9],
                below=r[10],
                collation=r[11],
            )
            for r in rows
        ),
        unique_keys=tuple(tuple(k[0]) for k in keys if k[2]),
        primary_key=next((tuple(k[0]) for k in keys if k[1]), ()),
        indexed=frozenset(k[0][0] for k in keys if k[3]),
        grants=tuple(Grant(*g) for g in grants),
    )


def find(conn: psycopg.Connection[Any], text: str, default_schema: str = "public") -> int | None:
    """The oid of the relation that ``text`` means, or None.

    The name of a table that contract has archived means that table, and not the view that has its name.
    """
    oid = named(conn, text, default_schema)
    return None if oid is None else behind(conn, oid)


def named(
    conn: psycopg.Connection[Any], text: str, default_schema: str = "public", *, stored: bool = False
) -> int | None:
    """The oid of the relation that ``text`` names, or None.

    What a plan names is read as SQL first. A name that is ``stored`` in a row is tried as it is (blanks, capitals,
    dots and quotes included), then in SQL spelling, and at last folded to lower case.
    """
    return all_named(conn, [text], default_schema, stored=stored).get(text)


def all_named(
    conn: psycopg.Connection[Any], texts: Sequence[str], default_schema: str = "public", *, stored: bool = False
) -> dict[str, int]:
    """The oids of the relations that these texts name, in one query; what names nothing is not in the answer."""
    known = _ONCE.get(conn, _Known()).named.setdefault((default_schema, stored), {})
    if missing := [text for text in texts if text not in known]:
        values = {"texts": missing, "schema": default_schema, "stored": stored}
        rows = conn.execute(sqlfiles.load(__package__, "catalog_find.sql"), values).fetchall()
        known |= dict.fromkeys(missing) | {missing[place - 1]: int(oid) for place, oid in rows}
    return {text: oid for text in texts if (oid := known[text]) is not None}


def behind(conn: psycopg.Connection[Any], oid: int) -> int:
    """The archived table whose name this view has; of any other relation, itself."""
    return all_behind(conn, [oid])[oid]


def all_behind(conn: psycopg.Connection[Any], oids: Collection[int]) -> dict[int, int]:
    """The archived table behind each view that has its name; every other relation stands for itself."""
    perhaps = (
        "SELECT oid::bigint FROM pg_catalog.pg_class WHERE oid = ANY (%s::bigint[]::oid[]) AND relkind = 'v' "
        "AND to_regclass('changeover.source') IS NOT NULL"
    )
    known = _ONCE.get(conn, _Known()).behind
    if missing := [oid for oid in oids if oid not in known]:
        views = [row[0] for row in conn.execute(perhaps, (missing,)).fetchall()]
        query = sqlfiles.load(__package__, "catalog_behind.sql")
        rows = conn.execute(query, {"views": views}).fetchall() if views else []
        known |= {oid: oid for oid in missing} | {int(view): int(table) for view, table in rows}
    return {oid: known[oid] for oid in oids}


def require(conn: psycopg.Connection[Any], text: str) -> Table:
    """The table that a plan names; refuses with a clear error where there is none."""
    return read_table(conn, require_oid(conn, text))


def require_oid(conn: psycopg.Connection[Any], text: str) -> int:
    """The oid of the table that a plan names; refuses where there is none."""
    oid = find(conn, text)
    if oid is None:
        raise RefusedError(
            what=f"The plan names the table {text!r}, and this database has none of that name{meant_table(conn, text, '.')}",
            kept="Nothing was changed.",
            todo="Correct the plan, or run `changeover doctor` if the role may not see the table.",
        )
    return oid


def label(conn: psycopg.Connection[Any], oid: int) -> str:
    """`schema.name` of a table, for who needs no more of it."""
    row = conn.execute(_LABEL, (oid,)).fetchone()
    return str(row[0]) if row is not None else read_table(conn, oid).label
