-- One person's submitted audits in one table, in the spellings of the address that there are: an index on it serves.
SELECT {columns} FROM {table}
WHERE employee_email = ANY (ARRAY[$1, initcap($1), upper($1), ' ' || $1, '  ' || $1, $1 || ' ']) AND submitted_at IS NOT NULL
