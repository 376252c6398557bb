"""Which tables a mapping reads: run the plan's query, resolve each name against the catalog.

A name that is NULL, that leads nowhere or to something that is not a plain table is a *finding*: it
is reported and stops nothing. Two names (or two versions of a scorecard) that lead to one table make
one source: its rows go to the discriminator of the best rank, the others stay known to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.errors import UsageError
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import psycopg

    from orchestrator.mapping.catalog import Table

DEFAULT_SCHEMA = "public"

_KINDS: Final = {
    "p": "it is partitioned",
    "i": "it inherits, or is inherited from",
    "v": "it is a view",
    "m": "it is a materialized view",
    "f": "it is a foreign table",
}


@dataclass
class Found:
    """A source table with the discriminators that lead to it, the best first."""

    table: Table
    discriminators: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """Something the discovery saw and could not use."""

    code: str
    subject: str
    detail: str


def discover(conn: psycopg.Connection[Any], query: str) -> tuple[list[Found], list[Finding]]:
    """Run a discovery query: (table_name, discriminator, rank) per row, in order of precedence."""
    names, rows = _asked(conn, query)
    if names[:2] != ["table_name", "discriminator"]:
        raise UsageError(
            what=f"The discovery query gives the columns {', '.join(names)}.",
            kept="Nothing was changed.",
            todo="It must give table_name, discriminator and rank, in this order.",
        )
    found: dict[int, Found] = {}
    findings: list[Finding] = []
    for row in rows:
        name, discriminator = row[0], str(row[1])
        if name is None or not str(name).strip():
            findings.append(Finding("no_name", discriminator, "names no table"))
            continue
        if row[1] is None:
            findings.append(Finding("no_discriminator", str(name), "has none: its rows could not be told from others"))
            continue
        oid = catalog.find(conn, str(name))
        if oid is None:
            findings.append(Finding("no_table", str(name), f"{discriminator} names a table that does not exist"))
            continue
        if oid in found:
            first = found[oid]
            if discriminator not in first.discriminators:
                first.discriminators.append(discriminator)
                findings.append(
                    Finding(
                        "shared_table",
                        first.table.label,
                        f"also named by {discriminator}; rows go to {first.discriminators[0]}",
                    )
                )
            continue
        table = catalog.read_table(conn, oid)
        if table.kind != "r":
            findings.append(
                Finding("not_a_table", table.label, f"{_KINDS.get(table.kind, table.kind)}: only plain tables are read")
            )
            continue
        found[oid] = Found(table, [discriminator])
    return sorted(found.values(), key=lambda f: (f.table.name, f.table.schema)), findings


def told(conn: psycopg.Connection[Any], query: str) -> list[Finding]:
    """What the plan's own query finds: (code, subject, detail) per row."""
    names, rows = _asked(conn, query)
    if names != ["code", "subject", "detail"]:
        raise UsageError(
            what=f"The findings query gives the columns {', '.join(names)}.",
            kept="Nothing was changed.",
            todo="It must give code, subject and detail, in this order.",
        )
    return [Finding(*(str(value) for value in row)) for row in rows]


def _asked(conn: psycopg.Connection[Any], query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query of the plan's. It is asked again and again, by `plan check` too: it only reads."""
    with conn.transaction():
        conn.execute("SET LOCAL transaction_read_only = on")
        cursor = conn.execute(query.encode())
        names = [c.name for c in cursor.description or ()]
        return names, cursor.fetchall() if names else []


def listed(conn: psycopg.Connection[Any], names: Sequence[str]) -> list[Found]:
    """The tables that a plan lists by name; each name is its own discriminator."""
    return [Found(catalog.require(conn, name), [name]) for name in names]
