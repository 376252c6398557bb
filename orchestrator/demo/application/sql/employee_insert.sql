-- Somebody new, with the role that says nothing.
INSERT INTO public.employees (email, name, designation, employee_id, role_id)
SELECT lower($1), $2, $3, $4, r.id FROM public.roles AS r ORDER BY (r.code = 'UNASSIGNED') DESC, r.code LIMIT 1
