-- More cases, with the words and the dirt of legacy.sql: of 1,000 two have a state that nobody knows, two no day, one is due
-- before it began, one has no procedure.
INSERT INTO "case".hoso (tenantid, sohoso, tthcid, tinhtrangxuly, ngaynop, ngayhentra, nguoinophoso, canboxuly, donvitiepnhan)
SELECT 1, 'HS-' || n, CASE WHEN n % 1000 <> 7 THEN 1 + n % 6 END,
       CASE WHEN n % 500 = 11 THEN 'LOST?' ELSE
           (ARRAY['TIEP_NHAN', 'DANG_XU_LY', 'CHO_DUYET', 'HOAN_THANH', 'HUY_BO', 'COMPLETED', 'Cancelled', ' Received ', 'In Progress'])[1 + n % 9] END,
       CASE WHEN n % 500 <> 13 THEN timestamptz '2024-01-01 08:30+00' + n % 5000 * interval '1 hour' END,
       CASE WHEN n % 1000 = 17 THEN timestamptz '2023-01-01 00:00+00'
            WHEN n % 5 > 0 THEN timestamptz '2024-01-11 17:00+00' + n % 5000 * interval '1 hour' END,
       1 + n % 20, CASE WHEN n % 3 > 0 THEN 1 + n % 7 END, 1 + n % 5
FROM generate_series(100001, 100000 + {rows}) AS n;
