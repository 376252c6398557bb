INSERT INTO public.tasks (owner_id, project_id) VALUES (1, 2);
UPDATE public.tasks SET project_id = 3 WHERE id = 7;
