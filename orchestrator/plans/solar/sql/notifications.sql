-- Connections, messages and groups of SignalR.

CREATE TABLE public."UserConnections" (
    "ConnectionId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "UserId" uuid NOT NULL,
    "SignalRConnectionId" varchar(255) NOT NULL,
    "UserAgent" varchar(500),
    "IpAddress" varchar(45),
    "ConnectedAt" timestamptz NOT NULL DEFAULT now(),
    "LastHeartbeat" timestamptz NOT NULL DEFAULT now(),
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "DisconnectedAt" timestamptz,
    "SessionData" jsonb
);

CREATE TABLE public."RealTimeNotifications" (
    "NotificationId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "UserId" uuid,
    "GroupName" varchar(255),
    "EventType" varchar(100) NOT NULL,
    "EntityType" varchar(100) NOT NULL,
    "EntityId" uuid NOT NULL,
    "Title" varchar(255) NOT NULL,
    "Message" varchar(2000) NOT NULL,
    "Data" jsonb NOT NULL DEFAULT '{}',
    "Priority" integer NOT NULL DEFAULT 1,
    "Status" integer NOT NULL DEFAULT 0,
    "CreatedBy" varchar(255),
    "CreatedAt" timestamptz NOT NULL DEFAULT now(),
    "SentAt" timestamptz,
    "DeliveredAt" timestamptz,
    "ReadAt" timestamptz,
    "ErrorMessage" varchar(1000),
    "RetryCount" integer NOT NULL DEFAULT 0,
    "MaxRetries" integer NOT NULL DEFAULT 3,
    "ExpiresAt" timestamptz
);

CREATE TABLE public."SignalRGroups" (
    "GroupId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "GroupName" varchar(255) NOT NULL,
    "GroupType" varchar(100) NOT NULL,
    "Description" varchar(500),
    "EntityId" uuid,
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "CreatedAt" timestamptz NOT NULL DEFAULT now(),
    "UpdatedAt" timestamptz
);

CREATE TABLE public."SignalRGroupMemberships" (
    "MembershipId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "GroupId" uuid NOT NULL,
    "UserId" uuid NOT NULL,
    "ConnectionId" uuid,
    "JoinedAt" timestamptz NOT NULL DEFAULT now(),
    "LeftAt" timestamptz,
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "MembershipData" jsonb
);
