-- Gone, with no trace in people.
DELETE FROM public.people WHERE email = $1
