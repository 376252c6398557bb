-- Which tables become audits: a row for each scorecard, with the name of its table exactly as somebody typed it.
--
-- The engine resolves the name against the catalog, and reports one that is NULL or leads nowhere. A table that several
-- versions of a scorecard share is migrated once and its rows go to rank 1: the active one before the others, then the
-- highest version. To send them elsewhere change the ORDER BY of place. Two spellings may be one table (x, public.x),
-- and then both have a rank 1, so the rows come in order of place: the first that resolves to a table has it.
SELECT placed.table_name,
       placed.discriminator,
       rank() OVER (PARTITION BY placed.table_name ORDER BY placed.place) AS rank
FROM (
    SELECT s.table_name::text AS table_name,
           s.id::text AS discriminator,
           row_number() OVER (ORDER BY s.is_active DESC NULLS LAST, s.version DESC NULLS LAST, s.id) AS place
    FROM (
        -- Out of the row as JSON: a table may lack these columns, or have them in another type.
        SELECT x.id,
               x.table_name,
               lower(to_jsonb(x.*) ->> 'is_active') IN ('true', 't', 'yes', 'y', '1') AS is_active,
               CASE WHEN to_jsonb(x.*) ->> 'version' ~ '^[0-9]+([.][0-9]+)?$'
                   THEN (to_jsonb(x.*) ->> 'version')::numeric
               END AS version
        FROM public.scorecards AS x
    ) AS s
) AS placed
ORDER BY placed.place
