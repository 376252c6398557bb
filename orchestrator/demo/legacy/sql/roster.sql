-- Who there is to be audited and to audit: number, folded e-mail, name. Those above `known` are the
-- leavers: real addresses that neither people nor users knows any more.
CREATE TEMPORARY TABLE roster ON COMMIT PRESERVE ROWS AS
SELECT n::integer AS no,
       CASE WHEN n <= %(known)s THEN lower(first.name) || '.' || lower(last.name) || n || '@express.example'
            ELSE 'leaver' || n || '@former.express.example' END AS email,
       first.name || ' ' || last.name AS name
FROM generate_series(1, %(known)s::bigint + %(leavers)s::bigint) AS n
CROSS JOIN LATERAL (SELECT (ARRAY['Ana', 'Ben', 'Chidi', 'Dora', 'Emil', 'Fatma', 'Goran', 'Hana', 'Igor', 'Jana',
                                  'Kofi', 'Lena', 'Mira', 'Nils', 'Olga', 'Paul'])
                           [1 + pg_temp.dice(pg_temp.row_key(%(seed)s, -1, n), 1, 16)] AS name) AS first
CROSS JOIN LATERAL (SELECT (ARRAY['Adeyemi', 'Berg', 'Costa', 'Dimov', 'Eriksen', 'Fischer', 'Garcia', 'Horvat',
                                  'Ivanova', 'Jensen', 'Kaya', 'Lopez', 'Meyer'])
                           [1 + pg_temp.dice(pg_temp.row_key(%(seed)s, -1, n), 2, 13)] AS name) AS last
