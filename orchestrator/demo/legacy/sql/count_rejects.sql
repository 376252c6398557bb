-- Rows that cannot become a target row, per table and reason.
SELECT source, reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY source, reason
UNION ALL
SELECT source, reason, count(*) FROM judged_people WHERE reason IS NOT NULL GROUP BY source, reason
ORDER BY 1, 2
