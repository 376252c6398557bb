-- The key itself changes: people has no other.
UPDATE public.people SET email = $2 WHERE email = $1
