-- More steps, with the words of legacy.sql; one of 500 says nothing but blanks, which is a reject.
INSERT INTO public.steps_instance_sti (sti_id, phi_id, stm_id, sti_status, sti_name, enr_id)
SELECT public.umig_id('sti', n), public.umig_id('phi', 1 + n % 42), public.umig_id('stm', 1 + n % 24),
       CASE WHEN n % 500 = 0 THEN ' ' ELSE public.umig_word(n) END, 'Step of ' || n, 1 + n % 3
FROM generate_series(201, {rows}) AS n;
