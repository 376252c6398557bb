-- Reverse mirror: the source row that this target row stands for. On an update only the columns that the
-- new side changed are written, so that a concurrent write of the old side to another column stays.
CREATE OR REPLACE FUNCTION changeover.:fn:_put(o :target:, n :target:, p_whole boolean)
RETURNS void
LANGUAGE plpgsql
:pins:
AS $changeover$
#variable_conflict use_column
DECLARE
    v_origin text := coalesce(current_setting('changeover.origin', true), '');
BEGIN
    PERFORM set_config('changeover.origin', :reverse:, true);
    PERFORM FROM :source: x, (SELECT :legacy_key: AS key FROM (SELECT (n).*) t) b WHERE :row_of_b:;
    IF FOUND THEN
        UPDATE :source: x SET :put_set:
        FROM (SELECT :legacy_values: FROM (SELECT (o).*) t) a,
             (SELECT :legacy_values: FROM (SELECT (n).*) t) b
        WHERE :row_of_b_key: AND (p_whole OR :put_changed:);
    ELSE
        INSERT INTO :source: (:source_columns:) OVERRIDING SYSTEM VALUE
        SELECT :b_values: FROM (SELECT :legacy_values: FROM (SELECT (n).*) t) b;
        :remember_born:
    END IF;
    PERFORM set_config('changeover.origin', v_origin, true);
END
$changeover$
