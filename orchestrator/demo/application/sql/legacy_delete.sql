-- One audit, found by its id whatever type that has.
DELETE FROM {table} AS t
USING jsonb_populate_record(NULL::{table}, $1::jsonb) AS r
WHERE t.id = r.id
