-- The second of the two questions.
SELECT u.id, u.full_name, u.last_sign_in_at FROM public.users AS u WHERE u.email = $1
