-- The file is read before the size: a rewrite between the two then shows as a wrong file at the first batch; the other
-- way round it would be a wrong size that nobody notices. Both are NULL when the table is gone.
SELECT pg_catalog.pg_relation_filenode($1::oid) AS filenode,
       pg_catalog.pg_relation_size($1::oid) / pg_catalog.current_setting('block_size')::int AS pages
