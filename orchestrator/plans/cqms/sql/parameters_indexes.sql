-- Indexes of the parameters (document, 1.1: none on the fields that are asked for): those of one scorecard in their order,
-- and one by its field. An index of one of these names that the database has already stays.
CREATE INDEX IF NOT EXISTS idx_scorecard_parameters_scorecard_id
    ON public.scorecard_parameters (scorecard_id);
CREATE INDEX IF NOT EXISTS idx_scorecard_parameters_field_id
    ON public.scorecard_parameters (field_id);
