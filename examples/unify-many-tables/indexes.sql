CREATE INDEX visits_by_day ON public.visits (seen, office);
