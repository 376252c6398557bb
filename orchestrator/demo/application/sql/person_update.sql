-- What a team lead changes.
UPDATE public.people SET designation = $2, is_active = $3, login_count = $4 WHERE email = $1
