-- The document's tables that exist; its own query knows nine of the thirteen.
SELECT count(*)
FROM pg_catalog.pg_tables AS t
WHERE t.schemaname = 'public' AND t.tablename IN (
    'UserConnections', 'RealTimeNotifications', 'SignalRGroups', 'SignalRGroupMemberships', 'ProjectStatusHistory',
    'ProjectLocationHistory', 'ProjectActivityFeed', 'ProjectRegions', 'WaterFacilityTypes', 'ProjectRegionAssignments',
    'ProjectFacilityAssignments', 'DashboardStatsCache', 'RealTimeEventsLog'
)
