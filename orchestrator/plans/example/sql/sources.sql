-- Which tables become customers: one row for each, with the shop that its rows belong to. A plan whose tables are not
-- known beforehand reads them from the database instead (see the CQMS plan), and new ones are found while it runs.
SELECT source.table_name, source.discriminator, source.rank
FROM (
    VALUES ('customers_old', 'main', 1),
           ('customers_west', 'west', 1)
) AS source (table_name, discriminator, rank)
ORDER BY source.table_name
