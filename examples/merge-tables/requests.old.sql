INSERT INTO public.logins (email, password_hash) VALUES ('old' || (SELECT count(*) FROM public.logins) || '@example.com', 'x');
INSERT INTO public.staff (email, name) VALUES ('Old' || (SELECT count(*) FROM public.logins) || '@Example.com', 'Old');
UPDATE public.staff SET phone = '555' WHERE number = 40;
UPDATE public.logins SET last_seen = now() WHERE id = 9;
