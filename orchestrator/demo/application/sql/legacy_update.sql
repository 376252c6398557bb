-- One audit or several, each with values of its own.
UPDATE {table} AS t SET {assignments}
FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb) AS r
WHERE t.id = r.id
