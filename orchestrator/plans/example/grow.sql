-- More customers of the same kinds; three of a hundred are dirty.
INSERT INTO public.customers_old (id, mail, name, status, credit, joined)
SELECT n, CASE WHEN n % 100 = 7 THEN NULL ELSE ' Old' || n || '@Example.com' END, 'Old ' || n,
       (ARRAY['active', 'ACTIVE', ' Closed '])[1 + n % 3], CASE WHEN n % 100 = 8 THEN -1 ELSE n % 90 END, date '2021-01-01' + n % 900
FROM generate_series(1000, 1000 + {rows}) AS n;
INSERT INTO public.customers_west (id, mail, name, status, credit, joined, loyalty_card)
SELECT n, CASE WHEN n % 100 = 9 THEN ' ' ELSE 'west' || n || '@example.com' END, 'West ' || n, 'active', n % 70, date '2022-01-01' + n % 900, 'W-' || n
FROM generate_series(1000, 1000 + {rows} / 2) AS n;
