-- What of a list is not in this database, or not for us to use. A schema that we may not use is looked at by its name alone,
-- because to_regclass and to_regprocedure raise an error for what is in it.
WITH wanted AS (
    SELECT 'role' AS kind, r.name FROM unnest(%(roles)s::text[]) AS r (name)
    UNION ALL SELECT 'function', f.name FROM unnest(%(functions)s::text[]) AS f (name)
    UNION ALL SELECT 'table', t.name FROM unnest(%(tables)s::text[]) AS t (name)
), placed AS (
    SELECT w.kind, w.name, n.oid IS NOT NULL AND has_schema_privilege(n.oid, 'USAGE') AS reachable
    FROM wanted AS w
    LEFT JOIN pg_catalog.pg_namespace AS n
        ON w.kind <> 'role' AND n.nspname = (parse_ident(split_part(w.name, '(', 1)))[1]
)
SELECT p.kind || ' ' || p.name
FROM placed AS p
WHERE NOT CASE
    WHEN p.kind = 'role' THEN EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = p.name)
    WHEN NOT p.reachable THEN false
    WHEN p.kind = 'function' THEN coalesce(has_function_privilege(to_regprocedure(p.name), 'EXECUTE'), false)
    ELSE to_regclass(p.name) IS NOT NULL
END
ORDER BY p.kind, p.name
