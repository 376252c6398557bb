-- Another address for an account.
UPDATE public.users SET email = $2 WHERE id = $1::text::uuid
