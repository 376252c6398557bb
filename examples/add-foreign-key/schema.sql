CREATE TABLE public.people (id integer PRIMARY KEY);
CREATE TABLE public.projects (id integer PRIMARY KEY);
CREATE TABLE public.tasks (
    id serial PRIMARY KEY,
    owner_id integer NOT NULL CONSTRAINT tasks_owner_fkey REFERENCES public.people (id),
    project_id integer
);
INSERT INTO public.people SELECT generate_series(1, 10);
INSERT INTO public.projects SELECT generate_series(1, 10);
INSERT INTO public.tasks (owner_id, project_id) SELECT 1 + g % 10, 1 + g % 10 FROM generate_series(1, 100) g;
