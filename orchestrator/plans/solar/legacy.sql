-- Version 2.0 of Solar Project Management, small: the two tables that the document changes or refers to, and the dirt that a
-- plausible database has. Every kind of dirt is named where it is made; the acceptance test counts it beforehand.

CREATE TABLE public."Users" (
    "UserId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "Username" varchar(50) NOT NULL UNIQUE,
    "Email" varchar(255) NOT NULL,
    "FullName" varchar(255) NOT NULL,
    "IsActive" boolean NOT NULL DEFAULT TRUE,
    "CreatedAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public."Projects" (
    "ProjectId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ProjectName" varchar(255) NOT NULL,
    "Address" varchar(500) NOT NULL,
    "Status" integer NOT NULL DEFAULT 0,
    "StartDate" timestamptz,
    "EstimatedEndDate" timestamptz,
    "ActualEndDate" timestamptz,
    "CreatedAt" timestamptz NOT NULL DEFAULT now(),
    "UpdatedAt" timestamptz,
    "ProjectManagerId" uuid NOT NULL,
    "CreatedById" uuid,
    "TotalCapacityKw" numeric(12,2),
    "Inverter125kw" integer,
    "Inverter80kw" integer,
    "Inverter60kw" integer,
    "Inverter40kw" integer,
    "Latitude" numeric(10,7),
    "Longitude" numeric(10,7),
    CONSTRAINT "FK_Projects_Users_ProjectManagerId"
        FOREIGN KEY ("ProjectManagerId") REFERENCES public."Users" ("UserId") ON DELETE RESTRICT
);
CREATE INDEX "IX_Projects_ProjectManagerId" ON public."Projects" ("ProjectManagerId");

INSERT INTO public."Users" ("UserId", "Username", "Email", "FullName", "CreatedAt")
SELECT md5('user ' || n)::uuid, 'user' || n, 'user' || n || '@solar.example', 'User ' || n, timestamptz '2024-01-01 00:00+00'
FROM generate_series(1, 20) AS n;

-- Of 300 projects: 100, 75, 60 and 50 do not know how many inverters of a size they have (120 know all four), and 12 were
-- created by users who have been deleted since: no key kept that from happening.
INSERT INTO public."Projects" (
    "ProjectId", "ProjectName", "Address", "Status", "StartDate", "CreatedAt", "ProjectManagerId", "CreatedById",
    "TotalCapacityKw", "Inverter125kw", "Inverter80kw", "Inverter60kw", "Inverter40kw", "Latitude", "Longitude"
)
SELECT
    md5('project ' || n)::uuid,
    'สถานีสูบน้ำ ' || n,
    n || ' ถนนประปา',
    n % 5,
    timestamptz '2024-03-01 00:00+00' + n * interval '1 hour',
    timestamptz '2024-02-01 00:00+00',
    md5('user ' || (1 + n % 10))::uuid,
    CASE WHEN n % 25 = 1 THEN md5('deleted user ' || n)::uuid WHEN n % 7 <> 0 THEN md5('user ' || (1 + n % 20))::uuid END,
    n * 1.5,
    CASE WHEN n % 3 <> 0 THEN n % 4 END,
    CASE WHEN n % 4 <> 0 THEN n % 6 END,
    CASE WHEN n % 5 <> 0 THEN 0 END,
    CASE WHEN n % 6 <> 0 THEN 1 END,
    13 + n / 100.0,
    100 + n / 100.0
FROM generate_series(1, 300) AS n;
