-- Everybody's counter: the one thing that several clients write, so the one that may conflict by itself.
UPDATE public.people SET login_count = login_count + 1, last_login = clock_timestamp() WHERE email = $1
