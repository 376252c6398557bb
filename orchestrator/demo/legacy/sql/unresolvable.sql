-- Scorecards that lead nowhere: no table name, and names of tables that were dropped or never made.
INSERT INTO public.scorecards (id, name, table_name, is_active, version, created_at, updated_at)
SELECT md5('unresolvable ' || name)::uuid, name, table_name, active, 1,
       timestamptz '2022-06-01 00:00:00+00', timestamptz '2022-06-01 00:00:00+00'
FROM (VALUES ('Draft scorecard', NULL, false),
             ('Second draft', NULL, true),
             ('Video calls', 'video_audit', true),
             ('Fax', 'archive.fax_audit', false)) AS missing (name, table_name, active)
