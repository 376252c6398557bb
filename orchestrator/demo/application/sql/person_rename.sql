UPDATE public.people SET email = $2 WHERE email = $1
