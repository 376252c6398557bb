-- What depends on the old tables, or on the views under their names, and does not go with them. Indexes, triggers,
-- constraints and defaults of a relation go with it, and so do our functions.
WITH RECURSIVE doomed (classid, objid) AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid, u.oid FROM unnest(%(relations)s::oid[]) AS u (oid)
    UNION
    SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid
    FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'changeover'::regnamespace
      AND substring(p.proname FROM '^[mx][0-9]+(?=_)') = ANY (%(owners)s::text[])
    UNION
    SELECT 'pg_catalog.pg_trigger'::regclass::oid, t.oid
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = 'changeover'::regnamespace
    WHERE coalesce(substring(p.proname FROM '^[mx][0-9]+(?=_)'), split_part(encode(t.tgargs, 'escape'), '\000', 1)) = ANY (%(owners)s::text[])
    UNION
    SELECT d.classid, d.objid
    FROM doomed r
    JOIN pg_catalog.pg_depend d ON (d.refclassid, d.refobjid) = (r.classid, r.objid)
    -- The sequence of a view's column outlives the view.
    WHERE d.deptype IN ('a', 'i') AND NOT (
        r.objid = ANY (%(views)s::oid[])
        AND EXISTS (SELECT FROM pg_catalog.pg_class s WHERE s.oid = d.objid AND s.relkind = 'S')
    )
)
SELECT DISTINCT coalesce(
           (SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, w.ev_class, 0)
            FROM pg_catalog.pg_rewrite w
            WHERE w.oid = d.objid AND d.classid = 'pg_catalog.pg_rewrite'::regclass),
           pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)) AS what,
       pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0) AS of
FROM doomed r
JOIN pg_catalog.pg_depend d ON (d.refclassid, d.refobjid) = (r.classid, r.objid)
-- A default that calls one of our functions is a new key's: its own numbers are given back to it first.
WHERE d.deptype = 'n' AND (d.classid, r.classid) <> ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_proc'::regclass)
  AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM doomed)
ORDER BY 1, 2
