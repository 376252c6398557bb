INSERT INTO public.persons (email, name, password_hash) VALUES ('new' || (SELECT count(*) FROM public.persons) || '@example.com', 'New', 'y');
UPDATE public.persons SET phone = '556', last_seen = now() WHERE email = 'p41@example.com';
