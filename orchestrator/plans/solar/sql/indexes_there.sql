-- The document's indexes that exist and are valid.
SELECT count(*)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indisvalid AND c.relname IN (
    'IX_Projects_Region', 'IX_Projects_Province', 'IX_Projects_FacilityType', 'IX_Projects_LastActivityAt',
    'IX_Projects_CompletionPercentage', 'IX_Projects_Location', 'IX_Projects_RealTimeEnabled',
    'IX_UserConnections_UserId', 'IX_UserConnections_SignalRConnectionId', 'IX_UserConnections_IsActive',
    'IX_UserConnections_LastHeartbeat', 'IX_RealTimeNotifications_UserId', 'IX_RealTimeNotifications_Status',
    'IX_RealTimeNotifications_EventType', 'IX_RealTimeNotifications_EntityType_EntityId',
    'IX_RealTimeNotifications_CreatedAt', 'IX_RealTimeNotifications_Priority', 'IX_ProjectStatusHistory_ProjectId',
    'IX_ProjectStatusHistory_ChangedAt', 'IX_ProjectLocationHistory_ProjectId', 'IX_ProjectActivityFeed_ProjectId',
    'IX_ProjectActivityFeed_CreatedAt'
)
