-- What the chunks of each source have done, added up.
-- The parameter: the numbers of the sources.
SELECT source_id,
       sum(end_page - first_page)::bigint AS pages,
       sum(next_page - first_page)::bigint AS pages_done,
       sum(rows_seen)::bigint AS rows_seen,
       sum(rows_copied)::bigint AS rows_copied,
       sum(rows_rejected)::bigint AS rows_rejected,
       max(updated_at) AS updated_at
  FROM changeover.chunk
 WHERE source_id = ANY (%s)
 GROUP BY source_id
