"""What the ledger keeps of rows that are changed in place. The triggers of such a table write it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ARRAY, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from orchestrator.ledger.answer_tables import metadata
from orchestrator.ledger.columns import identity, key, optional, required

__all__ = ["diverged", "filled", "metadata"]

# A value of one side that the other side does not say, as text by column.
diverged: Final = Table(
    "diverged",
    metadata,
    key("source_id", Integer),
    key("key"),
    required("columns", JSONB, "'{}'"),
)

# By column, what it had before it was filled and what it was filled with. A row is for many keys of a batch (with an
# array of originals beside them, or one for all) or for one key. The last row that speaks of a column counts; one with
# null for a column says that the application has written it since.
filled: Final = Table(
    "filled",
    metadata,
    identity(),
    required("source_id", Integer),
    optional("key", Text),
    optional("keys", ARRAY(Text)),
    optional("originals", JSONB),
)
Index("filled_source", filled.c.source_id, filled.c.id)
Index("filled_key", filled.c.key, postgresql_using="hash", postgresql_where=text("key IS NOT NULL"))
