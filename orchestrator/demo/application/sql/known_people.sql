-- People whose address is stored as it should be: those whose reports are asked for, and who are audited.
SELECT email FROM public.people
WHERE email ~ '^[a-z]+\.[a-z]+\d+@express\.example$' AND is_active
GROUP BY email HAVING count(*) = 1
ORDER BY md5(email) LIMIT 400
