INSERT INTO public.events (kind, figure) VALUES ('k7', 5), ('k7', 5);
UPDATE public.events SET figure = figure + 1 WHERE kind = 'k7';
