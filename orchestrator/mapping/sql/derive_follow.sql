-- Rows that the application has not changed follow their source row.
    WITH changed AS (
        UPDATE :target: g SET :update_set:
        FROM (
:by_keys:
        ) w
        JOIN changeover.key_map m ON :paired:
        WHERE w."#reason" IS NULL AND :of_pair: AND :digest: = m.made AND (:differs:)
        RETURNING m.key, m.item, :digest: AS made
    )
    UPDATE changeover.key_map m SET made = c.made FROM changed c WHERE m.source_id = :id: AND m.key = c.key AND m.item = c.item;
