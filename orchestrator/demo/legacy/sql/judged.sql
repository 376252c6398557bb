-- Each audit row under the rules of the new schema (shared/cqms.md, A1 to A3), written here a second time and
-- on purpose not taken from the plan. A row has one reason at most, in this order; what is a date, a number,
-- a duration is decided by its spelling alone, so nothing here can fail on a value.
CREATE TEMPORARY TABLE judged AS
WITH written AS (
    -- 05/03/2024 is what a server of these years (DateStyle ISO, MDY) took for the third of May.
    SELECT f.*,
           CASE WHEN f.interaction_date ~ '^(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])/\d{4}$'
                THEN substr(f.interaction_date, 7, 4) || '-' || translate(substr(f.interaction_date, 1, 5), '/', '-')
                ELSE f.interaction_date END AS iso
    FROM finished AS f
),
spelled AS (
    SELECT f.*,
           nullif(lower(btrim(f.employee_email)), '') COLLATE "C" AS employee,
           nullif(lower(btrim(f.auditor_email)), '') COLLATE "C" AS auditor,
           CASE WHEN f.iso ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])($|[ T])'
                THEN substr(f.iso, 1, 7) || '-01' END AS month,
           CASE WHEN btrim(f.average_score) ~ '^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$' THEN f.average_score::numeric END AS exact,
           CASE WHEN f.audit_duration ~ '^[+-]?\d+$' THEN f.audit_duration::bigint
                WHEN f.audit_duration ~ '^-?\d+:[0-5]\d:[0-5]\d$'
                THEN (CASE WHEN f.audit_duration LIKE '-%' THEN -1 ELSE 1 END)
                     * (abs(split_part(f.audit_duration, ':', 1)::bigint) * 3600
                        + split_part(f.audit_duration, ':', 2)::integer * 60 + split_part(f.audit_duration, ':', 3)::integer)
                END AS seconds
    FROM written AS f
    OFFSET 0  -- a fence: what is computed here is computed once, not wherever it is used below
),
measured AS (
    SELECT s.*, round(s.exact, 2) AS score,
           coalesce(CASE WHEN s.month IS NULL THEN NULL
                         WHEN substr(s.iso, 9, 2)::integer
                              <= extract(day FROM s.month::date + interval '1 month' - interval '1 day')
                         THEN substr(s.iso, 1, 10)::date END,
                    (s.submitted_at AT TIME ZONE 'UTC')::date, (s.audit_start_time AT TIME ZONE 'UTC')::date,
                    (s.created_at AT TIME ZONE 'UTC')::date) AS day,
           coalesce(s.employee ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$'
                    AND s.auditor ~ '^[a-z0-9._%+''-]+@[a-z0-9.-]+\.[a-z]{2,}$', false) AS addressed
    FROM spelled AS s
    OFFSET 0
),
possible AS (
    SELECT m.*, CASE WHEN NOT m.addressed THEN 'invalid_email' WHEN m.day IS NULL THEN 'no_date'
                     WHEN abs(m.score) >= 1000 THEN 'number_too_large' END AS reason
    FROM measured AS m
),
claimed AS (
    SELECT p.id, min(p.place) AS place FROM possible AS p
    WHERE p.reason IS NULL AND p.id_is_uuid GROUP BY p.id HAVING count(*) > 1
)
SELECT p.source, p.employee, p.auditor, p.day, p.score, p.seconds, p.audit_start_time, p.audit_end_time,
       lower(btrim(p.passing_status)) AS passing, lower(btrim(p.validation_status)) AS validation,
       lower(btrim(p.acknowledgement_status)) AS acknowledgement,
       CASE WHEN p.reason IS NULL AND p.id_is_uuid AND c.place < p.place THEN 'id_taken' ELSE p.reason END AS reason
FROM possible AS p
LEFT JOIN claimed AS c ON c.id = p.id
