-- More projects, with the dirt of legacy.sql in the same shares: a third, a quarter, a fifth and a sixth do not know how
-- many inverters of a size they have, one of 25 was created by a user who has been deleted since.
INSERT INTO public."Projects" (
    "ProjectId", "ProjectName", "Address", "Status", "StartDate", "CreatedAt", "ProjectManagerId", "CreatedById",
    "TotalCapacityKw", "Inverter125kw", "Inverter80kw", "Inverter60kw", "Inverter40kw", "Latitude", "Longitude"
)
SELECT
    md5('project ' || n)::uuid,
    'สถานีสูบน้ำ ' || n,
    n || ' ถนนประปา',
    n % 5,
    timestamptz '2024-03-01 00:00+00' + n % 9000 * interval '1 hour',
    timestamptz '2024-02-01 00:00+00',
    md5('user ' || (1 + n % 10))::uuid,
    CASE WHEN n % 25 = 1 THEN md5('deleted user ' || n)::uuid WHEN n % 7 <> 0 THEN md5('user ' || (1 + n % 20))::uuid END,
    n * 1.5,
    CASE WHEN n % 3 <> 0 THEN n % 4 END,
    CASE WHEN n % 4 <> 0 THEN n % 6 END,
    CASE WHEN n % 5 <> 0 THEN 0 END,
    CASE WHEN n % 6 <> 0 THEN 1 END,
    13 + n % 700 / 100.0,
    100 + n % 500 / 100.0
FROM generate_series(301, {rows}) AS n;
