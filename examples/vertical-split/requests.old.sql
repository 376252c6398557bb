INSERT INTO public.accounts (login, bio) VALUES ('old', 'from the old side');
UPDATE public.accounts SET picture = 'p9' WHERE id = 7;
DELETE FROM public.accounts WHERE id = (SELECT max(id) FROM public.accounts WHERE login = 'old');
SELECT login, bio FROM public.accounts WHERE id < 5;
