-- The last mismatches of a flag, or of all.
SELECT id, at, flag, version, read, key, kind, fields, old_value, new_value, old_ms, new_ms
  FROM changeover.flag_mismatch
 WHERE (%(flag)s::text IS NULL OR flag = %(flag)s) AND (%(read)s::text IS NULL OR read = %(read)s)
 ORDER BY id DESC
 LIMIT %(limit)s
