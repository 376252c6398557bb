-- Figures that are kept, events that were sent.

CREATE TABLE public."DashboardStatsCache" (
    "CacheId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "CacheKey" varchar(255) NOT NULL,
    "CacheType" varchar(100) NOT NULL,
    "EntityId" uuid,
    "Statistics" jsonb NOT NULL DEFAULT '{}',
    "LastCalculated" timestamptz NOT NULL DEFAULT now(),
    "ExpiresAt" timestamptz NOT NULL,
    "Version" integer NOT NULL DEFAULT 1,
    "IsValid" boolean NOT NULL DEFAULT TRUE
);

CREATE TABLE public."RealTimeEventsLog" (
    "EventLogId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "EventType" varchar(100) NOT NULL,
    "EntityType" varchar(100) NOT NULL,
    "EntityId" uuid NOT NULL,
    "UserId" uuid,
    "UserName" varchar(255),
    "EventData" jsonb NOT NULL DEFAULT '{}',
    "Recipients" jsonb NOT NULL DEFAULT '[]',
    "BroadcastGroups" jsonb NOT NULL DEFAULT '[]',
    "DeliveryStatus" integer NOT NULL DEFAULT 0,
    "ProcessingTimeMs" integer,
    "ErrorDetails" varchar(2000),
    "CreatedAt" timestamptz NOT NULL DEFAULT now(),
    "ProcessedAt" timestamptz
);
