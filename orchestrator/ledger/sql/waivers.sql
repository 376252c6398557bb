-- A person answers for rejects that stay behind. A waiver of a row is found again when the row is written and rejected
-- anew; a waiver of a reason holds for every row that is rejected for it while the run lasts.

-- The waiver that covers a reject, NULL where none does.
CREATE OR REPLACE FUNCTION changeover.waiver_of(p_source_id integer, p_stage text, p_source text, p_key text, p_reason text)
RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(w.id)
      FROM (SELECT r.id
              FROM changeover.waiver AS r
             WHERE r.key = p_key AND r.source_id = p_source_id AND r.reason = p_reason
             UNION ALL
            SELECT r.id
              FROM changeover.waiver AS r
              JOIN changeover.run AS u ON u.id = r.run_id AND u.state IN ('active', 'finished')
              JOIN changeover.mapping AS m ON m.plan = u.plan
              JOIN changeover.source AS s ON s.mapping_id = m.id AND s.id = p_source_id
             WHERE r.key IS NULL AND r.reason = p_reason
               AND coalesce(r.stage, p_stage) = p_stage AND coalesce(r.source, p_source) = p_source) AS w
$$;

CREATE OR REPLACE FUNCTION changeover.reject_waived() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_by bigint := changeover.waiver_of(NEW.source_id, NEW.stage, NEW.source, NEW.key, NEW.reason);
BEGIN
    IF found_by IS NOT NULL AND NEW.state = 'open' THEN
        SELECT 'waived', w.waived_by, w.waived_reason, clock_timestamp()
          INTO NEW.state, NEW.waived_by, NEW.waived_reason, NEW.waived_at
          FROM changeover.waiver AS w
         WHERE w.id = found_by;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER reject_waived BEFORE INSERT ON changeover.reject
FOR EACH ROW EXECUTE FUNCTION changeover.reject_waived();
