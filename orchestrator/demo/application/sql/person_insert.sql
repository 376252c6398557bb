-- Somebody new.
INSERT INTO public.people (email, name, role, department, designation, employee_id, channel, is_active, last_login, login_count)
VALUES ($1, $2, 'agent', 'Support', $3, $4, 'Email', true, now(), $5)
