-- Who is behind an address: one question.
SELECT e.id, e.name, e.designation, e.is_active FROM public.employees AS e WHERE e.email = $1
