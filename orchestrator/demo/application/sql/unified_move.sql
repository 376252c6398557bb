-- The audit was somebody else's after all: the first of two people who is not its auditor (the new rules refuse that).
UPDATE public.audits AS a
SET employee_id = (SELECT e.id FROM public.employees AS e
                   WHERE e.email = ANY ($2::text[]) AND e.id <> a.auditor_id
                   ORDER BY array_position($2::text[], e.email) LIMIT 1)
WHERE a.id = $1::text::uuid
RETURNING (SELECT e.email FROM public.employees AS e WHERE e.id = a.employee_id) AS email,
          (SELECT e.name FROM public.employees AS e WHERE e.id = a.employee_id) AS name
