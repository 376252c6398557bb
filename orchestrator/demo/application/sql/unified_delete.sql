-- One audit.
DELETE FROM public.audits WHERE id = $1::text::uuid
