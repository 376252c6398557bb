-- A parameter more for a scorecard that is in use: with a default, so every old row has a value at once,
-- without being written and without any trigger seeing it.
ALTER TABLE public.chat_audit ADD COLUMN proactivity integer DEFAULT 3
