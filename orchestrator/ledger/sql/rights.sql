-- Who may use what is in this schema. PostgreSQL lets everybody execute a new function, and default privileges may give
-- away tables, sequences and functions as they are made. A trigger function that runs with its owner's rights and that
-- somebody else may execute is theirs to put on a view of their own, and then our mirror writes for them.

-- Takes every right from everybody but the owner of a function.
CREATE OR REPLACE FUNCTION changeover.keep_private(of_function regprocedure) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text;
BEGIN
    FOR who IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
          FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
         WHERE p.oid = of_function AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s CASCADE', of_function, who);
    END LOOP;
END
$$;

-- The same for a table, a view or a sequence that was just made. Where `within_schema` is false, only what default
-- privileges of the whole database gave: those that the owner has set for this very schema are meant for it.
CREATE OR REPLACE FUNCTION changeover.keep_private(of_relation regclass, within_schema boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT a.privilege_type AS privilege, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
          FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
         WHERE c.oid = of_relation AND a.grantee <> c.relowner
           AND (within_schema OR EXISTS (
                SELECT FROM pg_default_acl AS d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS b
                 WHERE d.defaclrole = c.relowner AND d.defaclnamespace = 0
                   AND d.defaclobjtype = CASE c.relkind WHEN 'S' THEN 'S'::"char" ELSE 'r' END
                   AND (b.grantee, b.privilege_type) = (a.grantee, a.privilege_type)))
    LOOP
        EXECUTE format('REVOKE %s ON %s %s FROM %s CASCADE', given.privilege, given.kind, of_relation, given.grantee);
    END LOOP;
END
$$;

-- Functions for everybody. Views, CHECK constraints, indexes and defaults call the first ones with the rights of those
-- who read and write; they compute and read no table. The others are what an application asks the flags and tells them;
-- it needs USAGE of the schema as well, and to tell them INSERT on flag_reading.
DO $$
DECLARE
    for_everybody CONSTANT text[] := '{fold,valid_email,is_uuid,uuid_of,try_integer,try_bigint,slow_numeric,try_numeric,
        try_boolean,try_uuid,slow_jsonb,try_jsonb,slow_date,slow_timestamp,slow_timestamptz,maybe_date,try_date,
        try_timestamp,try_timestamptz,slow_seconds,seconds,condition_name,castable,
        flag_bucket,flag_rule_matches,flag_not_plain,flag_rules_wrong,flag_stage,flag_snapshot,flag_reads_new,flag_added,
        flag_may_report,flag_report,flag_window,flag_retreat}';
    -- Their owner calls these, in a mirror, in a worker or at a scrape.
    for_the_mirrors CONSTANT text[] := '{keep_private,patience,wait_less,leave,leave_while_copying,left_alone,looked_at_again,
        deferrable,circumstances,unreject,brought_back,check_constraints,said_of,said_in,sealed,count_said,say,heard,parking_places,park,park_patch,patch,lost,writes_read_by,
        passes_on,forward_origin,lock_key,page_start,one,isolate,resync,compare,truncated,emptied,taken,not_yet,
        fragments,says,source_rows,reject_key,sync,remove,left_over,count_rows,count_derived,apply,write_back_items,park_keys,park_key,release,
        filled_by_trigger,known,upsert_set,ahead_value,update_ahead,settle_rejects,apply_slow,patch_of,setting,mend,carry_again,write_back_keyless,
        write_back,
        waits_behind,tried,drain,drain_judged,drain_whole,drain_keys,drain_reverse,queue_whole,queue_emptied,drain_notes,drain_lookup,
        lookup_changed,some_of,note_lookup,seen_by,at_work,noted,keys_by_lookup,lookup_query,lookup_changes,lookup_back,lookup_behind,
        kept_value,keep_rows,keep_columns,rows_beside_seeds,waiver_of}';
    made record;
BEGIN
    FOR made IN
        SELECT p.oid::regprocedure AS function, p.proname = ANY (for_everybody) AS open
          FROM pg_proc AS p
         WHERE p.pronamespace = 'changeover'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
           AND (p.proname = ANY (for_everybody) OR p.prosecdef OR p.prorettype = 'trigger'::regtype
                OR p.proname = ANY (for_the_mirrors))
         ORDER BY p.oid
    LOOP
        IF made.open THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', made.function);
        ELSE
            PERFORM changeover.keep_private(made.function);
        END IF;
    END LOOP;
END
$$;
