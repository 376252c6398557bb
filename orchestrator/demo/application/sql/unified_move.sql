-- The audit was somebody else's after all.
UPDATE public.audits SET employee_id = (SELECT e.id FROM public.employees AS e WHERE e.email = lower($2)) WHERE id = $1::text::uuid
