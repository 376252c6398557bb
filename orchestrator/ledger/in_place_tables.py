"""What the ledger keeps of rows: pairs of keys, what rows changed in place had, rows that seeds made."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ARRAY, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, OID

from orchestrator.ledger.answer_tables import metadata
from orchestrator.ledger.columns import identity, key, optional, required

__all__ = ["diverged", "filled", "key_map", "metadata", "seed_row"]

# Which row of the target is of which old row. `item`: which of several that are derived from one. With the source
# first, an index would be taken to find a key while the statistics do not know the source, and read all its pairs.
key_map: Final = Table(
    "key_map",
    metadata,
    key("key"),
    key("source_id", Integer),
    key("item", default="''"),
    optional("target_key", Text),
    optional("made", Text),  # of a derived row: a digest of it as it was stored
)
Index("key_map_target", key_map.c.target_key)

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

# The rows that a plan's seeds have put into tables of its own: what is there besides is the application's.
seed_row: Final = Table(
    "seed_row",
    metadata,
    identity(),
    required("relation", OID),
    required("row", JSONB),
)
Index("seed_row_relation", seed_row.c.relation)
