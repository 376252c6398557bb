-- The source row of a merged row: the first of its key. The rows of the key are locked before the first
-- is chosen, so that a concurrent update cannot move it away between choosing and writing.
CREATE OR REPLACE FUNCTION changeover.:fn:_put(o :target:, n :target:, p_whole boolean)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
    v_key text := coalesce((o).:target_key:, (n).:target_key:);
    v_row tid;
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM FROM (SELECT ARRAY[v_key] AS keys) k, :source: x WHERE :locked:
    FOR NO KEY UPDATE OF x;
    SELECT s."#ctid" INTO v_row FROM (:rows:) s WHERE :key_expression: = v_key AND (:valid:) ORDER BY :order: LIMIT 1;
    IF FOUND THEN
        UPDATE :source: x SET :put_set:
        FROM (SELECT :legacy_values: FROM (SELECT (o).*) t) a, (SELECT :legacy_values: FROM (SELECT (n).*) t) b
        WHERE x.ctid = v_row AND (p_whole OR :put_changed:);
    ELSE
        INSERT INTO :source: (:source_columns:) OVERRIDING SYSTEM VALUE
        SELECT :b_values: FROM (SELECT :legacy_values: FROM (SELECT (n).*) t) b;
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
