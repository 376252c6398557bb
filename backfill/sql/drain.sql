-- Settle queue of one source; the function takes the lock that keeps batches out.
SELECT f.drained, f.remaining FROM {function}($1::int) AS f
