-- Another address for an employee.
UPDATE public.employees SET email = lower($2), updated_at = now() WHERE email = lower(btrim($1))
