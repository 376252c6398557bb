DELETE FROM public.people WHERE email = $1
