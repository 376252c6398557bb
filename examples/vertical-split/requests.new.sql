WITH made AS (INSERT INTO public.accounts (login) VALUES ('new') RETURNING id) SELECT id FROM made;
UPDATE public.profiles SET bio = 'from the new side' WHERE account_id = (SELECT max(id) FROM public.accounts WHERE login = 'new');
SELECT a.login, p.bio FROM public.accounts a JOIN public.profiles p ON p.account_id = a.id WHERE a.id < 5;
