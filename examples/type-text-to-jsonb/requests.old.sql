INSERT INTO public.events (payload) VALUES ('{"kind": "old"}'), ('no json');
UPDATE public.events SET payload = '[1,  2]' WHERE id = 2;
