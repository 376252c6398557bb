-- users and people under the same rules: no usable e-mail, or a person who is there already (in people the
-- active one first, then the latest login; in users the latest sign-in). Of two equal rows either may win.
CREATE TEMPORARY TABLE judged_people AS
SELECT x.source, x.email, x.employee_id,
       CASE WHEN NOT x.addressed THEN 'invalid_email'
            WHEN row_number() OVER (PARTITION BY x.source, x.addressed, x.email
                                    ORDER BY x.active DESC, x.seen DESC NULLS LAST) > 1 THEN 'duplicate' END AS reason
FROM (
    SELECT 'public.people' AS source, lower(btrim(email)) AS email, nullif(btrim(employee_id), '') AS employee_id, coalesce(is_active, false) AS active, last_login AS seen,
           coalesce(lower(btrim(email)) ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$', false) AS addressed
    FROM public.people
    UNION ALL
    SELECT 'public.users', lower(btrim(email)), NULL, true, last_sign_in_at,
           coalesce(lower(btrim(email)) ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$', false)
    FROM public.users
) AS x
