-- The columns of a source changed: it is compiled anew, and rows that were copied are derived again.
UPDATE changeover.source
SET fingerprint = %(fingerprint)s,
    mode = CASE WHEN state IN ('copying', 'copied') THEN 'resync' ELSE mode END,
    state = CASE WHEN state = 'copied' THEN 'copying' ELSE state END
WHERE id = %(id)s
