-- The document's procedures, as functions that return what those printed. The stage's checks say the same.
CREATE FUNCTION dbo.sp_systemhealthcheck() RETURNS TABLE (checktype text, issuecount bigint)
LANGUAGE sql STABLE AS $$
    SELECT 'Orphaned Tasks', count(*) FROM "case".task_assignment AS ta
    WHERE NOT EXISTS (SELECT FROM "case".hoso AS h WHERE h.hosoid = ta.hosoid)
    UNION ALL
    SELECT 'Orphaned SLA Tracking', count(*) FROM "case".sla_tracking AS st
    WHERE NOT EXISTS (SELECT FROM "case".hoso AS h WHERE h.hosoid = st.hosoid)
    UNION ALL
    SELECT 'Pending Notifications', count(*) FROM notification.notification_queue AS q
    WHERE q.status = 'Pending' AND q.createdat < now() - interval '1 hour'
    UNION ALL
    SELECT 'Failed LGSP Syncs', count(*) FROM system.lgsp_sync_log AS l
    WHERE l.syncstatus = 'FAILED' AND l.syncstarttime > now() - interval '1 day'
    UNION ALL
    SELECT 'Breached SLAs', count(*) FROM "case".sla_tracking AS st WHERE st.isbreached AND st.isactive
$$;

-- The second result of the same procedure. Without rows a figure is NULL; the document's divided by zero.
CREATE FUNCTION dbo.sp_systemperformance() RETURNS TABLE (metrictype text, metric text, value numeric)
LANGUAGE sql STABLE AS $$
    SELECT 'System Performance', 'Average Case Processing Time (Hours)',
        avg(extract(epoch FROM coalesce(h.ngayhoanthanh, now()) - h.ngaynop) / 3600)::numeric(12,2)
    FROM "case".hoso AS h WHERE h.ngaynop >= now() - interval '30 days'
    UNION ALL
    SELECT 'System Performance', 'SLA Compliance Rate (%)',
        (100.0 * count(*) FILTER (WHERE NOT st.isbreached) / nullif(count(*), 0))::numeric(5,2)
    FROM "case".sla_tracking AS st WHERE st.createdat >= now() - interval '30 days'
    UNION ALL
    SELECT 'System Performance', 'Average Citizen Rating', avg(cf.overallrating)::numeric(5,2)
    FROM "case".citizen_feedback AS cf WHERE cf.submittedat >= now() - interval '30 days'
$$;

CREATE FUNCTION dbo.sp_validatedataintegrity() RETURNS TABLE (message text)
LANGUAGE sql STABLE AS $$
    WITH found (message) AS (
        SELECT 'ERROR: Invalid submitter references found in HOSO table' WHERE EXISTS (
            SELECT FROM "case".hoso AS h WHERE h.nguoinophoso IS NOT NULL
            AND NOT EXISTS (SELECT FROM identity.user_profile AS p WHERE p.userid = h.nguoinophoso)
        )
        UNION ALL
        SELECT 'ERROR: Breached SLA records without breach time' WHERE EXISTS (
            SELECT FROM "case".sla_tracking AS st WHERE st.isbreached AND st.breachtime IS NULL
        )
        UNION ALL
        SELECT 'ERROR: Notifications marked as sent without sent timestamp' WHERE EXISTS (
            SELECT FROM notification.notification_queue AS q WHERE q.status = 'Sent' AND q.sentat IS NULL
        )
    )
    SELECT f.message FROM found AS f
    UNION ALL
    SELECT CASE count(*) WHEN 0 THEN 'Data integrity validation passed - no issues found'
        ELSE 'Data integrity validation failed - ' || count(*) || ' issues found' END
    FROM found AS f
$$;
