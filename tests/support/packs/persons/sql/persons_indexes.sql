-- Built after the rows.
CREATE INDEX persons_name ON public.persons (name);
