-- The document's foreign keys that exist and hold for every row.
SELECT count(*)
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f' AND c.convalidated AND c.conname IN (
    'FK_Projects_Users_ProjectManagerId', 'FK_Projects_Users_CreatedById', 'FK_UserConnections_Users_UserId',
    'FK_RealTimeNotifications_Users_UserId', 'FK_SignalRGroupMemberships_SignalRGroups_GroupId',
    'FK_SignalRGroupMemberships_Users_UserId', 'FK_SignalRGroupMemberships_UserConnections_ConnectionId',
    'FK_ProjectStatusHistory_Projects_ProjectId', 'FK_ProjectStatusHistory_Users_ChangedByUserId',
    'FK_ProjectLocationHistory_Projects_ProjectId', 'FK_ProjectLocationHistory_Users_ChangedByUserId',
    'FK_ProjectActivityFeed_Projects_ProjectId', 'FK_ProjectActivityFeed_Users_PerformedByUserId',
    'FK_ProjectRegionAssignments_Projects_ProjectId', 'FK_ProjectRegionAssignments_ProjectRegions_RegionId',
    'FK_ProjectFacilityAssignments_Projects_ProjectId',
    'FK_ProjectFacilityAssignments_WaterFacilityTypes_FacilityTypeId',
    'FK_ProjectFacilityAssignments_Users_VerifiedByUserId', 'FK_RealTimeEventsLog_Users_UserId'
)
