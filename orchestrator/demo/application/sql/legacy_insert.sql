-- One audit, from JSON by the table's own row type: as PostgREST does it, whatever the columns' types are.
INSERT INTO {table} ({columns})
SELECT {picked} FROM jsonb_populate_record(NULL::{table}, $1::jsonb) AS r
RETURNING id::text
