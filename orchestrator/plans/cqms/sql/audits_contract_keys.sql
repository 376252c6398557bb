-- Foreign keys that wait until the old tables are archived.
--
-- A scorecard that has audits is kept from then on, for scorecard_id says what was measured. Until then the old
-- application may delete a scorecard as it always could.

ALTER TABLE public.audits ADD CONSTRAINT audits_scorecard_id_fkey
    FOREIGN KEY (scorecard_id) REFERENCES public.scorecards (id);
