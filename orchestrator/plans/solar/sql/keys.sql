-- Seventeen of the nineteen foreign keys; the other two are keys of "Projects" (see plan.yaml).
ALTER TABLE public."UserConnections" ADD CONSTRAINT "FK_UserConnections_Users_UserId"
    FOREIGN KEY ("UserId") REFERENCES public."Users" ("UserId") ON DELETE CASCADE;
ALTER TABLE public."RealTimeNotifications" ADD CONSTRAINT "FK_RealTimeNotifications_Users_UserId"
    FOREIGN KEY ("UserId") REFERENCES public."Users" ("UserId") ON DELETE CASCADE;
ALTER TABLE public."SignalRGroupMemberships" ADD CONSTRAINT "FK_SignalRGroupMemberships_SignalRGroups_GroupId"
    FOREIGN KEY ("GroupId") REFERENCES public."SignalRGroups" ("GroupId") ON DELETE CASCADE;
ALTER TABLE public."SignalRGroupMemberships" ADD CONSTRAINT "FK_SignalRGroupMemberships_Users_UserId"
    FOREIGN KEY ("UserId") REFERENCES public."Users" ("UserId") ON DELETE CASCADE;
ALTER TABLE public."SignalRGroupMemberships" ADD CONSTRAINT "FK_SignalRGroupMemberships_UserConnections_ConnectionId"
    FOREIGN KEY ("ConnectionId") REFERENCES public."UserConnections" ("ConnectionId") ON DELETE SET NULL;
ALTER TABLE public."ProjectStatusHistory" ADD CONSTRAINT "FK_ProjectStatusHistory_Projects_ProjectId"
    FOREIGN KEY ("ProjectId") REFERENCES public."Projects" ("ProjectId") ON DELETE CASCADE;
ALTER TABLE public."ProjectStatusHistory" ADD CONSTRAINT "FK_ProjectStatusHistory_Users_ChangedByUserId"
    FOREIGN KEY ("ChangedByUserId") REFERENCES public."Users" ("UserId") ON DELETE SET NULL;
ALTER TABLE public."ProjectLocationHistory" ADD CONSTRAINT "FK_ProjectLocationHistory_Projects_ProjectId"
    FOREIGN KEY ("ProjectId") REFERENCES public."Projects" ("ProjectId") ON DELETE CASCADE;
ALTER TABLE public."ProjectLocationHistory" ADD CONSTRAINT "FK_ProjectLocationHistory_Users_ChangedByUserId"
    FOREIGN KEY ("ChangedByUserId") REFERENCES public."Users" ("UserId") ON DELETE SET NULL;
ALTER TABLE public."ProjectActivityFeed" ADD CONSTRAINT "FK_ProjectActivityFeed_Projects_ProjectId"
    FOREIGN KEY ("ProjectId") REFERENCES public."Projects" ("ProjectId") ON DELETE CASCADE;
ALTER TABLE public."ProjectActivityFeed" ADD CONSTRAINT "FK_ProjectActivityFeed_Users_PerformedByUserId"
    FOREIGN KEY ("PerformedByUserId") REFERENCES public."Users" ("UserId") ON DELETE SET NULL;
ALTER TABLE public."ProjectRegionAssignments" ADD CONSTRAINT "FK_ProjectRegionAssignments_Projects_ProjectId"
    FOREIGN KEY ("ProjectId") REFERENCES public."Projects" ("ProjectId") ON DELETE CASCADE;
ALTER TABLE public."ProjectRegionAssignments" ADD CONSTRAINT "FK_ProjectRegionAssignments_ProjectRegions_RegionId"
    FOREIGN KEY ("RegionId") REFERENCES public."ProjectRegions" ("RegionId") ON DELETE CASCADE;
ALTER TABLE public."ProjectFacilityAssignments" ADD CONSTRAINT "FK_ProjectFacilityAssignments_Projects_ProjectId"
    FOREIGN KEY ("ProjectId") REFERENCES public."Projects" ("ProjectId") ON DELETE CASCADE;
ALTER TABLE public."ProjectFacilityAssignments" ADD CONSTRAINT "FK_ProjectFacilityAssignments_WaterFacilityTypes_FacilityTypeId"
    FOREIGN KEY ("FacilityTypeId") REFERENCES public."WaterFacilityTypes" ("FacilityTypeId") ON DELETE CASCADE;
ALTER TABLE public."ProjectFacilityAssignments" ADD CONSTRAINT "FK_ProjectFacilityAssignments_Users_VerifiedByUserId"
    FOREIGN KEY ("VerifiedByUserId") REFERENCES public."Users" ("UserId") ON DELETE SET NULL;
ALTER TABLE public."RealTimeEventsLog" ADD CONSTRAINT "FK_RealTimeEventsLog_Users_UserId"
    FOREIGN KEY ("UserId") REFERENCES public."Users" ("UserId") ON DELETE SET NULL;
