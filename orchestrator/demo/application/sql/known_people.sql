-- People with a name, one row, and an address stored as it should be: those who are audited, and asked about.
SELECT email FROM public.people
WHERE email ~ '^[a-z]+\.[a-z]+\d+@express\.example$' AND is_active AND name IS NOT NULL
  AND lower(btrim(email)) NOT IN (SELECT lower(btrim(o.email)) FROM public.people AS o WHERE o.email IS NOT NULL
                                  GROUP BY 1 HAVING count(*) > 1)
ORDER BY md5(email) LIMIT 400
