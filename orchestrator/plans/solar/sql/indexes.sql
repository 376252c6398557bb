-- The document's.
CREATE INDEX "IX_UserConnections_UserId" ON public."UserConnections" ("UserId");
CREATE INDEX "IX_UserConnections_SignalRConnectionId" ON public."UserConnections" ("SignalRConnectionId");
CREATE INDEX "IX_UserConnections_IsActive" ON public."UserConnections" ("IsActive");
CREATE INDEX "IX_UserConnections_LastHeartbeat" ON public."UserConnections" ("LastHeartbeat");
CREATE INDEX "IX_RealTimeNotifications_UserId" ON public."RealTimeNotifications" ("UserId");
CREATE INDEX "IX_RealTimeNotifications_Status" ON public."RealTimeNotifications" ("Status");
CREATE INDEX "IX_RealTimeNotifications_EventType" ON public."RealTimeNotifications" ("EventType");
CREATE INDEX "IX_RealTimeNotifications_EntityType_EntityId" ON public."RealTimeNotifications" ("EntityType", "EntityId");
CREATE INDEX "IX_RealTimeNotifications_CreatedAt" ON public."RealTimeNotifications" ("CreatedAt");
CREATE INDEX "IX_RealTimeNotifications_Priority" ON public."RealTimeNotifications" ("Priority");
CREATE INDEX "IX_ProjectStatusHistory_ProjectId" ON public."ProjectStatusHistory" ("ProjectId");
CREATE INDEX "IX_ProjectStatusHistory_ChangedAt" ON public."ProjectStatusHistory" ("ChangedAt");
CREATE INDEX "IX_ProjectLocationHistory_ProjectId" ON public."ProjectLocationHistory" ("ProjectId");
CREATE INDEX "IX_ProjectActivityFeed_ProjectId" ON public."ProjectActivityFeed" ("ProjectId");
CREATE INDEX "IX_ProjectActivityFeed_CreatedAt" ON public."ProjectActivityFeed" ("CreatedAt");

-- Foreign keys that the document leaves without an index: to delete a user or a project would read the whole table.
CREATE INDEX "IX_SignalRGroupMemberships_GroupId" ON public."SignalRGroupMemberships" ("GroupId");
CREATE INDEX "IX_SignalRGroupMemberships_UserId" ON public."SignalRGroupMemberships" ("UserId");
CREATE INDEX "IX_SignalRGroupMemberships_ConnectionId" ON public."SignalRGroupMemberships" ("ConnectionId");
CREATE INDEX "IX_ProjectStatusHistory_ChangedByUserId" ON public."ProjectStatusHistory" ("ChangedByUserId");
CREATE INDEX "IX_ProjectLocationHistory_ChangedByUserId" ON public."ProjectLocationHistory" ("ChangedByUserId");
CREATE INDEX "IX_ProjectActivityFeed_PerformedByUserId" ON public."ProjectActivityFeed" ("PerformedByUserId");
CREATE INDEX "IX_ProjectRegionAssignments_ProjectId" ON public."ProjectRegionAssignments" ("ProjectId");
CREATE INDEX "IX_ProjectRegionAssignments_RegionId" ON public."ProjectRegionAssignments" ("RegionId");
CREATE INDEX "IX_ProjectFacilityAssignments_ProjectId" ON public."ProjectFacilityAssignments" ("ProjectId");
CREATE INDEX "IX_ProjectFacilityAssignments_FacilityTypeId" ON public."ProjectFacilityAssignments" ("FacilityTypeId");
CREATE INDEX "IX_ProjectFacilityAssignments_VerifiedByUserId" ON public."ProjectFacilityAssignments" ("VerifiedByUserId");
CREATE INDEX "IX_RealTimeEventsLog_UserId" ON public."RealTimeEventsLog" ("UserId");
