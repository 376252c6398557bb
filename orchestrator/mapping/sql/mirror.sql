-- The forward mirror, once per statement. It collects the keys that the statement touched; _forward derives them from the
-- table as it is now (a trigger of the application may have changed the rows again). It never raises: what hinders it (a
-- snapshot that cannot see a newer row, a lock, a value, a column that is gone) leaves the keys in queue, or the whole source
-- where not even the keys can be told (docs/concurrency.md, C1, C18). It is kept short, because a session compiles it once for each of its triggers.
CREATE OR REPLACE FUNCTION changeover.:fn:_mirror()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
SET enable_seqscan = off
AS $changeover$
#variable_conflict use_column
DECLARE
    v_waits text := changeover.wait_less();
    v_keys text[];
    v_before text[];
    v_done boolean;
BEGIN
    BEGIN
        IF TG_OP = 'INSERT' THEN
            v_keys := ARRAY(:keys_of_new:);
        ELSIF TG_OP = 'DELETE' THEN
            v_keys := ARRAY(:keys_of_old:);
        ELSE
            v_keys := ARRAY(:keys_of_new:);
            v_before := ARRAY(:keys_of_old:);
            IF v_before <> v_keys THEN
                v_keys := ARRAY(SELECT unnest(v_keys) UNION SELECT unnest(v_before));
            END IF;
        END IF;
        v_done := changeover.:fn:_forward(TG_OP, v_keys, :new_column:);
    EXCEPTION WHEN OTHERS THEN
        v_done := changeover.leave(:id:, coalesce(v_keys, ARRAY[NULL]::text[]), SQLSTATE);
    END;
    v_waits := set_config('lock_timeout', v_waits, true);
    RETURN NULL;
END
$changeover$
