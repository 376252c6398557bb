INSERT INTO public.users (fullname) VALUES ('old');
SELECT id, fullname FROM public.users WHERE id < 5;
