ALTER TABLE public.answers ADD CONSTRAINT answers_survey_fkey FOREIGN KEY (survey_id) REFERENCES public.surveys (id) ON DELETE CASCADE;
