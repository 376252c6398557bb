-- Holds rows against what was acknowledged for them, by the table's own types; says which columns differ.
-- Where the new version wrote a folded value, the old spelling of the same value may stand.
SELECT e.v ->> 'key' AS key,
       CASE WHEN t.{by} IS NULL THEN CASE WHEN (e.v ->> 'deleted')::boolean THEN NULL ELSE ARRAY['(the row is missing)'] END
            WHEN (e.v ->> 'deleted')::boolean THEN ARRAY['(the row is there again)']
            ELSE (SELECT array_agg(k.name || ': ' || coalesce(to_jsonb(t) ->> k.name, 'NULL') || ' instead of ' || coalesce(to_jsonb(r) ->> k.name, 'NULL') ORDER BY k.name)
                  FROM jsonb_object_keys(e.v -> 'row') AS k (name)
                  WHERE to_jsonb(r) -> k.name IS DISTINCT FROM to_jsonb(t) -> k.name
                    AND NOT (e.v -> 'folded' @> to_jsonb(k.name)
                             AND regexp_replace(lower(btrim(to_jsonb(r) ->> k.name)), 'ed$', '')
                                 IS NOT DISTINCT FROM regexp_replace(lower(btrim(to_jsonb(t) ->> k.name)), 'ed$', ''))) END AS wrong
FROM jsonb_array_elements(%(expected)s::jsonb) AS e (v)
CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, e.v -> 'row') AS r
LEFT JOIN {table} AS t ON t.{by} = r.{by}
