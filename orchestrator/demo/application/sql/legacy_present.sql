SELECT id::text FROM {table} WHERE id = ANY ($1::text[]::uuid[])
