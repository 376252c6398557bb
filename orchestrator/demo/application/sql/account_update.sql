-- A sign-in, and a new name.
UPDATE public.users SET full_name = $2, sign_in_count = $3, last_sign_in_at = now() WHERE id = $1::text::uuid
