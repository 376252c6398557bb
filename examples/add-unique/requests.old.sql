INSERT INTO public.accounts (email) SELECT max(id) + 1 || '@old.example.com' FROM public.accounts;
SELECT * FROM public.accounts WHERE email = '5@example.com';
