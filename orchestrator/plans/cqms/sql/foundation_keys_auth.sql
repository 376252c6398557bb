-- The account of an employee. A key is left out where the table that it refers to is missing, and auth.users is missing
-- outside Supabase.
--
-- ON DELETE SET NULL, not the CASCADE of the document: closing an account must not delete the employee with the history
-- of their audits.

ALTER TABLE public.employees ADD CONSTRAINT employees_auth_user_id_fkey
    FOREIGN KEY (auth_user_id) REFERENCES auth.users (id) ON DELETE SET NULL;
