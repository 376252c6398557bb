-- Ours of the two rows that an account is.
INSERT INTO public.users (id, email, full_name, provider, first_sign_in_at, last_sign_in_at, sign_in_count)
VALUES ($1::text::uuid, $2, $3, 'google', now(), now(), 1)
