-- Old rows that a client takes over for its own writes: only such as nothing is wrong with, so that what
-- becomes of them does not depend on a rule.
SELECT id::text FROM {table}
WHERE employee_email ~ '^[a-z0-9._%+-]+@express\.example$' AND auditor_email ~ '^[a-z0-9._%+-]+@express\.example$'
  AND employee_email <> auditor_email AND average_score::text ~ '^\d{{2}}(\.\d{{1,3}})?$' AND submitted_at IS NOT NULL
  AND mod(hashtext(id::text) & 2147483647, $1) = $2
ORDER BY id LIMIT $3
