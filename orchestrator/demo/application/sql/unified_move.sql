-- The audit was somebody else's after all: the first of these people who is not its auditor (the new rules refuse that)
-- and has another name than whom it was of: where what the old table can tell stays, it keeps its own spelling of it.
UPDATE public.audits AS a
SET employee_id = (SELECT e.id FROM public.employees AS e
                   WHERE e.email = ANY ($2::text[]) AND e.id <> a.auditor_id
                     AND e.name IS DISTINCT FROM (SELECT n.name FROM public.employees AS n WHERE n.id = a.employee_id)
                   ORDER BY array_position($2::text[], e.email) LIMIT 1)
WHERE a.id = $1::text::uuid
RETURNING (SELECT e.email FROM public.employees AS e WHERE e.id = a.employee_id) AS email,
          (SELECT e.name FROM public.employees AS e WHERE e.id = a.employee_id) AS name
