-- The audit that an assignment speaks of: one expression over the assignment s and its scorecard.
--
-- A uuid is the audit's own id. Any other key belongs to the scorecard's table: the id is made of the two (as the stage
-- audits makes it), unless the new application has made the row, and the old table has given it its number afterwards.
audit.id = coalesce(
    (SELECT known.target_key::uuid FROM changeover.key_map AS known JOIN changeover.source AS z ON z.id = known.source_id
     WHERE known.key = s.audit_id::text AND z.name IN (scorecard.table_name::text, 'public.' || scorecard.table_name::text)
     LIMIT 1),
    changeover.try_uuid(s.audit_id::text),
    changeover.uuid_of(
        CASE WHEN EXISTS (SELECT FROM changeover.source AS z WHERE z.name = scorecard.table_name::text)
            THEN scorecard.table_name::text ELSE 'public.' || scorecard.table_name::text END,
        s.audit_id::text))
