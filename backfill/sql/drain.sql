-- Settle queue of one source; it takes the lock that keeps batches out. $2: notes of lookups, too.
SELECT f.drained, f.remaining FROM changeover.drain({source}, $1::int, $2::boolean) AS f
