-- The columns of a source changed: it is compiled anew, and rows that were copied are derived again, from the first
-- page: chunks that were half walked as a copy must not be gone on with as a derivation.
WITH gone AS (
    DELETE FROM changeover.chunk WHERE source_id = %(id)s
)
UPDATE changeover.source
SET fingerprint = %(fingerprint)s,
    mode = CASE WHEN state IN ('copying', 'copied') THEN 'resync' ELSE mode END,
    state = CASE WHEN state = 'copied' THEN 'copying' ELSE state END
WHERE id = %(id)s
