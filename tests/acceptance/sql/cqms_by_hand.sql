-- A CQMS that nobody generated: the tables of the document with columns in another order, some missing, others in types
-- of somebody's own; no assignments at all.
CREATE SCHEMA qa;
CREATE TYPE public.verdict AS ENUM ('pass', 'Fail', 'n/a');
CREATE DOMAIN public.address AS text CHECK (value <> 'forbidden');

CREATE TABLE public.users (
    email text UNIQUE, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), full_name text, sign_in_count integer,
    last_sign_in_at timestamptz
);
CREATE TABLE public.people (name text, email public.address, employee_id text, "Locker" integer, login_count bigint);
CREATE TABLE public.scorecards (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, table_name varchar(100));
CREATE TABLE public.scorecard_perameters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), scorecard_id uuid, field_id text, error_name text,
    penalty_points integer
);

-- Keys too short for a uuid; numbers and days as somebody typed them; columns called like things of ours.
CREATE TABLE public.typed (
    average_score text, id varchar(20) PRIMARY KEY, employee_email text, auditor_email text, interaction_date text,
    submitted_at text, critical_errors text, x text, y text, "row" text, key integer
);
-- A numbered table with an enum, an interval, days that no timestamp holds, and a column that must not be empty.
CREATE TABLE qa."We""ird; Náme %s" (
    verdict_by text NOT NULL DEFAULT 'nobody', passing_status public.verdict, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gone integer, employee_email varchar(60), auditor_email char(30), interaction_date date, submitted_at timestamp,
    audit_duration interval, average_score real, "Größe ''%" numeric, tone_feedback text[], twice bigint GENERATED ALWAYS AS (id * 2) STORED
);
ALTER TABLE qa."We""ird; Náme %s" DROP COLUMN gone;
CREATE TABLE public.nobody_audits (
    interaction_date date, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), employee_email text, auditor_email text
);

INSERT INTO public.scorecards (name, table_name)
VALUES ('Typed', 'typed'), ('Weird', 'qa.We"ird; Náme %s'), ('Empty', 'nobody_audits'), ('Gone', 'no_such_table');
INSERT INTO public.scorecard_perameters (scorecard_id, field_id, error_name, penalty_points)
SELECT id, 'key', 'The key', 5 FROM public.scorecards;
INSERT INTO public.users (email, full_name, sign_in_count)
SELECT 'p' || i || '@x.com', 'User ' || i, i FROM generate_series(1, 12) AS i;
INSERT INTO public.people (email, name, employee_id, "Locker")
SELECT CASE i % 5 WHEN 0 THEN 'P' || i || '@X.COM ' WHEN 1 THEN NULL ELSE 'p' || i || '@x.com' END, 'Person ' || i, i % 9, i
FROM generate_series(1, 30) AS i;
INSERT INTO public.typed (id, employee_email, auditor_email, average_score, interaction_date, submitted_at, critical_errors, x, y, "row", key)
SELECT 'T-' || i, 'p' || i % 20 || '@x.com', 'boss@x.com',
       (ARRAY['85', '85%', '85,5', '1e2', '-0', 'NaN', 'n/a', NULL, '1e9', ''])[1 + i % 10],
       (ARRAY['2024-01-01', '01/02/2024', 'junk', '0044-03-15 BC', NULL, '2024-02-30', 'infinity'])[1 + i % 7],
       (ARRAY['2024-01-01 10:00', '2024-01-01 10:00+05', 'x', NULL])[1 + i % 4],
       (ARRAY['1', ' 2 ', '1.0', 'x', '2147483648'])[1 + i % 5], 'x', 'y', 'row', i % 3
FROM generate_series(1, 160) AS i;
INSERT INTO qa."We""ird; Náme %s" (
    passing_status, employee_email, auditor_email, interaction_date, submitted_at, audit_duration, average_score, "Größe ''%", tone_feedback
)
SELECT (ARRAY['pass', 'Fail', 'n/a', NULL]::public.verdict[])[1 + i % 4], 'P' || i % 20 || '@X.com', 'p1@x.com',
       (ARRAY['infinity', '4713-01-01 BC', '5874897-12-31', '2024-02-29', NULL]::date[])[1 + i % 5],
       (ARRAY['infinity', '2024-03-10 02:30', NULL]::timestamp[])[1 + i % 3],
       (ARRAY['1 mon', '00:10', '-1 day', '1.5 s', NULL]::interval[])[1 + i % 5],
       (ARRAY['NaN', '-0', '33.333332', '99.5', NULL]::real[])[1 + i % 5], i * 1.10, ARRAY['a', NULL, 'it''s']
FROM generate_series(1, 120) AS i;
