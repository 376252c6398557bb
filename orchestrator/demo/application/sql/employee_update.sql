-- What a team lead changes.
UPDATE public.employees SET designation = $2, is_active = $3, updated_at = now() WHERE email = lower(btrim($1))
