"""Which tables a mapping reads: run the plan's query, resolve each name against the catalog.

A name that is NULL, that leads nowhere or to something that is not a plain table is a *warning*: it
is reported and stops nothing. Two names (or two versions of a scorecard) that lead to one table make
one source: its rows go to the discriminator of the best rank, the others stay known to it.

Whoever may write what the query reads decides which tables are moved to where others read them. So a name leads only to
a table in a schema that the plan allows (`Within`), that the plan's role owns (the owner of a table can have others run
code: triggers, defaults, row-level security) and that is not the plan's own. What is found besides is a warning with a
code of `REFUSED`: `plan check` and `start` refuse the plan, and a run that is under way leaves the table alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import RefusedError, UsageError
from orchestrator.kernel.sqltokens import table_name
from orchestrator.mapping import catalog
from orchestrator.mapping.nearby import meant_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    import psycopg

    from orchestrator.mapping.catalog import Table

DEFAULT_SCHEMA = "public"
NEVER: Final = ("changeover", "compat", "archive", "information_schema")
"""Schemas that no source is in, beside those of PostgreSQL's own, which begin with pg_."""
NONE_LISTED: Final = "none of its tables is in this database"
NONE_FOUND: Final = (
    f"{NONE_LISTED}; other stages can begin without it (`start --stage`), and this one when its query finds a table"
)
REFUSED: Final = ("not_allowed", "not_owned", "temporary", "own_target")

_KINDS: Final = {
    "p": "it is partitioned",
    "i": "it inherits, or is inherited from",
    "v": "it is a view",
    "m": "it is a materialized view",
    "f": "it is a foreign table",
}


@dataclass(frozen=True)
class Within:
    """Which tables a name in data may lead to."""

    schemas: frozenset[str]
    targets: frozenset[int] = frozenset()
    """The oids of the plan's own new tables, which are not its old ones."""
    any_owner: bool = False
    """For the doctor, which says of each table whose it is."""


def never(schema: str) -> bool:
    """True for a schema in which nobody has sources: ours and PostgreSQL's."""
    return schema in NEVER or schema.startswith("pg_")


def schemas_of(tables: Iterable[str]) -> frozenset[str]:
    """The schemas of tables as a plan names them, and the one that names without a schema mean."""
    return frozenset({DEFAULT_SCHEMA, *(table_name(table)[0] for table in tables)})


@dataclass
class Found:
    """A source table with the discriminators that lead to it, the best first."""

    table: Table
    discriminators: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MappingWarning:
    """Something the discovery saw and could not use."""

    code: str
    subject: str
    detail: str


def discover(conn: psycopg.Connection[Any], query: str, within: Within) -> tuple[list[Found], list[MappingWarning]]:
    """Run a discovery query: (table_name, discriminator, rank) per row, in order of precedence."""
    names, rows = _asked(conn, query)
    if names[:2] != ["table_name", "discriminator"]:
        raise UsageError(
            what=f"The discovery query gives the columns {', '.join(names)}.",
            kept="Nothing was changed.",
            todo="It must give table_name, discriminator and rank, in this order.",
        )
    found: dict[int, Found] = {}
    warnings: list[MappingWarning] = []
    candidates = _candidates(conn, [str(row[0]) for row in rows if row[0] is not None])
    for row in rows:
        name, discriminator = row[0], str(row[1])
        if name is None or not str(name).strip():
            warnings.append(MappingWarning("no_name", discriminator, "names no table"))
            continue
        if row[1] is None:
            warnings.append(
                MappingWarning("no_discriminator", str(name), "has none: its rows could not be told from others")
            )
            continue
        named = candidates.named.get(str(name))
        if named is None:
            detail = f"{discriminator} names a table that does not exist{meant_table(conn, str(name))}"
            warnings.append(MappingWarning("no_table", str(name), detail))
            continue
        oid = candidates.behind[named]
        if oid in found:
            first = found[oid]
            if discriminator not in first.discriminators:
                first.discriminators.append(discriminator)
                warnings.append(
                    MappingWarning(
                        "shared_table",
                        first.table.label,
                        f"also named by {discriminator}; rows go to {first.discriminators[0]}",
                    )
                )
            continue
        if (refused := _refused(candidates, named, str(name), within)) is not None:
            warnings.append(refused)
            continue
        table = candidates.tables[oid]
        if table.kind != "r":
            warnings.append(MappingWarning("not_a_table", table.label, f"{_kind(table)}: only plain tables are read"))
            continue
        found[oid] = Found(table, [discriminator])
    return sorted(found.values(), key=lambda f: (f.table.name, f.table.schema)), warnings


@dataclass(frozen=True)
class _Candidates:
    """What the catalog says of every name that a query gives, asked for all of them at once."""

    named: dict[str, int]
    behind: dict[int, int]
    places: dict[int, Sequence[Any]]
    tables: dict[int, Table]


def _candidates(conn: psycopg.Connection[Any], names: Sequence[str]) -> _Candidates:
    named = catalog.all_named(conn, list(dict.fromkeys(names)), stored=True)
    behind = catalog.all_behind(conn, set(named.values()))
    oids = {"oids": list(behind)}
    places = conn.execute(sqlfiles.load(__package__, "discovery_place.sql"), oids).fetchall() if behind else []
    return _Candidates(
        named, behind, {oid: place for oid, *place in places}, catalog.read_tables(conn, set(behind.values()))
    )


def _refused(candidates: _Candidates, oid: int, name: str, within: Within) -> MappingWarning | None:
    """What speaks against a table that a name in data leads to, whatever kind of relation it is."""
    place = candidates.places.get(oid)
    if place is None or candidates.behind[oid] not in candidates.tables:
        return MappingWarning("no_table", name, "it was dropped a moment ago")
    schema, temporary, ours, owner = place
    allowed = ", ".join(sorted(within.schemas))
    elsewhere = f"it is in schema {schema}, and the plan reads tables of {allowed}"
    mended = "in which no old tables are: mend the row of the database that names it"
    todo = f"add `schemas: [{allowed}, {schema}]` to the plan if its tables are meant"
    asked = (
        ("temporary", temporary, "it is a temporary table: others do not see its rows"),
        ("not_allowed", never(schema), f"it is in schema {schema}, {mended}"),
        ("not_allowed", schema not in within.schemas, f"{elsewhere}; {todo}"),
        (
            "not_owned",
            not (ours or within.any_owner),
            f"it belongs to {owner}, whose rights the role of the plan does not have",
        ),
        ("own_target", oid in within.targets, "it is a new table of this very plan"),
    )
    return next((MappingWarning(code, name, words) for code, speaks, words in asked if speaks), None)


def told(conn: psycopg.Connection[Any], query: str) -> list[MappingWarning]:
    """What the plan's own query finds: (code, subject, detail) per row."""
    names, rows = _asked(conn, query)
    if names != ["code", "subject", "detail"]:
        raise UsageError(
            what=f"The warnings query gives the columns {', '.join(names)}.",
            kept="Nothing was changed.",
            todo="It must give code, subject and detail, in this order.",
        )
    return [MappingWarning(*(str(value) for value in row)) for row in rows]


def _asked(conn: psycopg.Connection[Any], query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query of the plan's. It is asked again and again, by `plan check` too: it only reads."""
    with conn.transaction(force_rollback=True):  # in a trial, that the locks on what it reads go with it
        conn.execute("SET LOCAL transaction_read_only = on")
        cursor = conn.execute(query.encode())
        names = [c.name for c in cursor.description or ()]
        return names, cursor.fetchall() if names else []


def listed(conn: psycopg.Connection[Any], names: Sequence[str]) -> list[Found]:
    """The tables that a plan lists by name; each name is its own discriminator."""
    found = []
    for name in names:
        oid = catalog.named(conn, name)
        if oid is not None and never(schema := catalog.read_table(conn, oid).schema):
            raise RefusedError(
                what=f"The plan lists {name} as a source: schema {schema} has no old tables.",
                kept="Nothing was changed.",
                todo="List tables of the old application only.",
            )
        found.append(Found(plain(conn, catalog.require(conn, name).oid if oid is None else oid), [name]))
    return found


def plain(conn: psycopg.Connection[Any], oid: int) -> Table:
    """A table that the plan names, if its kind is one that can be read and mirrored; else raise."""
    table = catalog.read_table(conn, catalog.behind(conn, oid))
    if table.kind != "r":
        raise RefusedError(
            what=f"The plan reads {table.label}, and {_kind(table)}: only plain tables can be read.",
            kept="Nothing was changed.",
            todo="Name a plain table in the plan, or take this one out of it.",
        )
    return table


def _kind(table: Table) -> str:
    return _KINDS.get(table.kind, f"it is of kind {table.kind}")
