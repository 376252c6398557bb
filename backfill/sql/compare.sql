-- Compares pages [$1, $2) and judges what it finds, in one snapshot.
--   $3 ids of the sources whose queue count      $6 name for changeover.difference
--   $4 verification                                 $7 keys that differed in an earlier snapshot as well
--   $5 scope for changeover.verify_range            $8 last look: write down what is certain, even if other keys are not
--                                                   $9 ids of all sources of this comparison
-- A key is pending while a queued key for it (or for its whole source: key IS NULL) waits in this snapshot. It differs for certain when it
-- differed before, is not pending, and nothing else waits either: a queued key of another table may explain it (a lookup's row, a parent),
-- and its key says nothing here. Only the last look does without that, or steady writers would put it off for ever.
-- The range is settled, and goes on record, when all that differs in it is certain; with nothing found at all that is so at once.
WITH found AS MATERIALIZED (
    SELECT f.key, f.kind, f.columns, f.expected, f.actual FROM {pages} AS f
), waiting AS MATERIALIZED (
    SELECT DISTINCT r.key FROM changeover.queue AS r WHERE r.source_id = ANY ($3::int[])
), restless AS MATERIALIZED (
    SELECT NOT $8::boolean AND EXISTS (SELECT FROM changeover.queue AS r WHERE r.source_id = ANY ($9::int[])) AS yes
), judged AS MATERIALIZED (
    SELECT f.key, f.kind, f.columns, f.expected, f.actual,
           EXISTS (SELECT FROM waiting AS w WHERE w.key IS NULL)
               OR coalesce(f.key IN (SELECT w.key FROM waiting AS w WHERE w.key IS NOT NULL), false) AS pending,
           coalesce(f.key = ANY ($7::text[]), cardinality($7::text[]) > 0) AS known
      FROM found AS f
     WHERE f.kind <> 'counted'
), verdict AS MATERIALIZED (
    SELECT coalesce(bool_and(j.known AND NOT j.pending AND NOT (SELECT r.yes FROM restless AS r)), true) AS settled,
           count(*) AS differing
      FROM judged AS j
), kept AS (
    INSERT INTO changeover.difference (verification_id, source, key, kind, columns, expected, actual)
    SELECT $4, $6, j.key, j.kind, coalesce(j.columns, ARRAY[]::text[]), j.expected, j.actual
      FROM judged AS j CROSS JOIN verdict AS v
     WHERE (v.settled OR $8::boolean)
       AND j.known
       AND NOT j.pending
       AND NOT EXISTS (SELECT FROM changeover.difference AS d
                        WHERE d.verification_id = $4 AND d.source = $6 AND d.key IS NOT DISTINCT FROM j.key AND d.kind = j.kind
                          AND d.columns = coalesce(j.columns, ARRAY[]::text[]))
), ranged AS (
    INSERT INTO changeover.verify_range (verification_id, scope, lo, hi, rows, differences)
    SELECT $4, $5, $1, $2, c.key::bigint, v.differing
      FROM found AS c CROSS JOIN verdict AS v
     WHERE c.kind = 'counted' AND v.settled
    ON CONFLICT (verification_id, scope, lo) DO UPDATE
       SET hi = excluded.hi, rows = excluded.rows, differences = excluded.differences
)
SELECT j.key, j.kind, j.pending, j.known, v.settled, NULL::bigint AS rows
  FROM judged AS j CROSS JOIN verdict AS v
UNION ALL
SELECT NULL, c.kind, false, false, v.settled, c.key::bigint
  FROM found AS c CROSS JOIN verdict AS v
 WHERE c.kind = 'counted'
