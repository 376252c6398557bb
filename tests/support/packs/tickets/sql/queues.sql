-- The queues that exist, each with the table that somebody typed in.
SELECT q.table_name, q.name AS discriminator, 1 AS rank FROM public.queues AS q ORDER BY q.name
