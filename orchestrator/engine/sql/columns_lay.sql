-- The log over the copy: the last word on a key counts. Without a key every version that was written is added.
DELETE FROM :copy: c USING :log: l WHERE :same:;
INSERT INTO :copy: (:columns:)
SELECT :columns: FROM (
    SELECT DISTINCT ON (:last:) * FROM :log: ORDER BY :last:, "changeover n" DESC
) x
WHERE NOT "changeover gone" AND (:used:);
DROP TABLE :log:
