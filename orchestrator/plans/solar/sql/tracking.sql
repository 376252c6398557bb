-- What has happened to a project.

CREATE TABLE public."ProjectStatusHistory" (
    "StatusHistoryId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectId" uuid NOT NULL,
    "OldStatus" integer NOT NULL,
    "NewStatus" integer NOT NULL,
    "ChangedAt" timestamptz NOT NULL DEFAULT now(),
    "ChangedByUserId" uuid,
    "ChangedByUserName" varchar(255),
    "ChangeReason" varchar(1000),
    "CompletionPercentage" numeric(5,2),
    "ActualEndDate" timestamptz,
    "EstimatedEndDate" timestamptz,
    "Notes" varchar(2000),
    "RealTimeNotificationSent" boolean NOT NULL DEFAULT FALSE,
    "NotificationRecipients" jsonb NOT NULL DEFAULT '[]'
);

CREATE TABLE public."ProjectLocationHistory" (
    "LocationHistoryId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectId" uuid NOT NULL,
    "OldLatitude" numeric(10,7),
    "OldLongitude" numeric(10,7),
    "NewLatitude" numeric(10,7),
    "NewLongitude" numeric(10,7),
    "OldAddress" varchar(500),
    "NewAddress" varchar(500),
    "ChangedAt" timestamptz NOT NULL DEFAULT now(),
    "ChangedByUserId" uuid,
    "ChangedByUserName" varchar(255),
    "ChangeMethod" varchar(100) NOT NULL,
    "AccuracyMeters" numeric(8,2),
    "DataSource" varchar(255),
    "RealTimeNotificationSent" boolean NOT NULL DEFAULT FALSE,
    "GeofenceAlerts" jsonb NOT NULL DEFAULT '[]'
);

CREATE TABLE public."ProjectActivityFeed" (
    "ActivityId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectId" uuid NOT NULL,
    "ActivityType" varchar(100) NOT NULL,
    "EntityType" varchar(100) NOT NULL,
    "EntityId" uuid NOT NULL,
    "Title" varchar(255) NOT NULL,
    "Description" varchar(1000) NOT NULL,
    "PerformedByUserId" uuid,
    "PerformedByUserName" varchar(255),
    "ActivityData" jsonb NOT NULL DEFAULT '{}',
    "Severity" integer NOT NULL DEFAULT 1,
    "IsVisible" boolean NOT NULL DEFAULT TRUE,
    "CreatedAt" timestamptz NOT NULL DEFAULT now(),
    "RealTimeNotificationSent" boolean NOT NULL DEFAULT FALSE,
    "AggregatedCount" integer NOT NULL DEFAULT 1,
    "LastAggregatedAt" timestamptz
);
