-- Regions, facilities, and which project belongs to which.

CREATE TABLE public."ProjectRegions" (
    "RegionId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "RegionName" varchar(100) NOT NULL,
    "RegionDisplayName" varchar(255) NOT NULL,
    "Provinces" jsonb NOT NULL DEFAULT '[]',
    "BoundingBox" jsonb,
    "Description" varchar(500),
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "CreatedAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public."WaterFacilityTypes" (
    "FacilityTypeId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "FacilityTypeName" varchar(100) NOT NULL,
    "FacilityDisplayName" varchar(255) NOT NULL,
    "Description" varchar(500),
    "Authority" varchar(255),
    "SignalRGroupName" varchar(255),
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "CreatedAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public."ProjectRegionAssignments" (
    "AssignmentId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectId" uuid NOT NULL,
    "RegionId" uuid NOT NULL,
    "AssignedAt" timestamptz NOT NULL DEFAULT now(),
    "AssignmentMethod" varchar(100) NOT NULL,
    "Confidence" numeric(3,2),
    "Notes" varchar(500)
);

CREATE TABLE public."ProjectFacilityAssignments" (
    "AssignmentId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectId" uuid NOT NULL,
    "FacilityTypeId" uuid NOT NULL,
    "FacilityName" varchar(255),
    "FacilityCode" varchar(100),
    "Authority" varchar(255),
    "AssignedAt" timestamptz NOT NULL DEFAULT now(),
    "AssignmentMethod" varchar(100) NOT NULL,
    "Confidence" numeric(3,2),
    "VerifiedAt" timestamptz,
    "VerifiedByUserId" uuid,
    "Notes" varchar(500)
);
