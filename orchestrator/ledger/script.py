"""The statements that make the ledger's schema: the tables as `tables` describes them, then the fixed `.sql` files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.schema import CreateIndex, CreateTable

from flags import schema as flag_schema
from orchestrator.kernel import sqlfiles
from orchestrator.ledger.in_place_tables import metadata

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ClauseElement

_SCRIPTS: Final = (
    "meta.sql",
    "later.sql",
    "events.sql",
    "functions.sql",
    "mirrors.sql",
    "saying.sql",
    "parking.sql",
    "fragments.sql",
    "applying.sql",
    "writing_back.sql",
    "lookups.sql",
    "sources.sql",
    "whole_sources.sql",
    "draining.sql",
    "seeds.sql",
    "going_columns.sql",
    "waivers.sql",
    "flag_gate.sql",
    "refreshed.sql",
    "rights.sql",
)


def script() -> list[bytes]:
    """Every statement that makes the schema, in order; also what the checksum is taken of."""
    tables: list[bytes] = []
    for table in metadata.sorted_tables:
        tables.append(_ddl(CreateTable(table, if_not_exists=True)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        tables.extend(_ddl(CreateIndex(index, if_not_exists=True)) for index in indexes)
    own = [sqlfiles.load(__package__, file).encode() for file in _SCRIPTS]
    flags = [text.encode() for text in flag_schema.scripts()]
    return [*flags, *tables, *own]


def checksum() -> str:
    """Changes whenever a line of the schema does."""
    return hashlib.sha256(b"\n".join(script())).hexdigest()


def _ddl(element: ClauseElement) -> bytes:
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # as SQLAlchemy ships it
    return str(element.compile(dialect=dialect)).encode()
