-- Settle queue of one source; it takes the lock that keeps batches out.
SELECT f.drained, f.remaining FROM changeover.drain({source}, $1::int) AS f
