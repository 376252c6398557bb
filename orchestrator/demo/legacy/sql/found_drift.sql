-- Parameters and columns that do not meet: listed without a column, a column without being listed.
WITH source AS (
    SELECT label, schema, name FROM jsonb_to_recordset(%(sources)s::jsonb) AS s (label text, schema text, name text)
),
present AS (
    SELECT s.label, a.attname::text AS name
    FROM source AS s
    JOIN pg_namespace AS n ON n.nspname = s.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.name
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
),
listed AS (
    SELECT DISTINCT s.label, p.field_id AS name
    FROM source AS s
    JOIN public.scorecards AS c ON c.table_name IN (s.label, CASE WHEN s.schema = 'public' THEN s.name END)
    JOIN public.scorecard_perameters AS p ON p.scorecard_id = c.id
)
SELECT 'parameter_without_column' AS code, label || '.' || name AS subject FROM (SELECT * FROM listed EXCEPT SELECT * FROM present) AS x
UNION ALL
SELECT 'column_without_parameter', label || '.' || name
FROM (SELECT * FROM present WHERE name <> ALL (%(common)s) AND name !~* '(feedback|comment)' EXCEPT SELECT * FROM listed) AS x
ORDER BY 1, 2
