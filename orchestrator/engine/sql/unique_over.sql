-- Whether a unique index of a table covers only columns of a list, so that a second row with the same values is kept out. An
-- expression counts as one over these columns.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = %(table)s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
        AND NOT EXISTS (
            SELECT FROM generate_series(0, i.indnkeyatts - 1) AS n
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
            WHERE a.attname <> ALL (%(columns)s)
        )
)
