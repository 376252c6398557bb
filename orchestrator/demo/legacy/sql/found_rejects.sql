-- What the migration keeps as rejects.
SELECT source, reason, count(*) FROM changeover.reject GROUP BY source, reason ORDER BY 1, 2
