-- Resolve names to relations. One found in data: exactly as stored first (a name may hold dots and quotes), then in SQL
-- spelling with its schema, then folded to lower case. One of a plan: in SQL spelling first. Never spliced as text.
WITH wanted AS (
    SELECT t.place, t.name, %(schema)s::text AS schema
    FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS t (name, place)
),
spelled AS (
    SELECT place, schema,
        CASE WHEN name ~ '^("([^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)(\.("([^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*))?$'
            THEN pg_catalog.parse_ident(name) END AS parts
    FROM wanted
),
candidates (place, rank, schema, name) AS (
    SELECT place, 1, schema, name FROM wanted
    UNION ALL
    SELECT place, 2, split_part(name, '.', 1), substr(name, strpos(name, '.') + 1) FROM wanted WHERE strpos(name, '.') > 1
    UNION ALL
    SELECT
        place,
        CASE WHEN %(stored)s THEN 3 ELSE 0 END,
        CASE WHEN cardinality(parts) = 2 THEN parts[1] ELSE schema END,
        parts[cardinality(parts)]
    FROM spelled WHERE parts IS NOT NULL
    UNION ALL
    SELECT place, 4, schema, lower(btrim(name)) FROM wanted
)
SELECT DISTINCT ON (k.place) k.place::bigint, c.oid::bigint
FROM candidates k
JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.name
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY k.place, k.rank
