-- Optional, where the schema auth of Supabase exists and we may refer to it: the account of an employee.
--
-- ON DELETE SET NULL, not the CASCADE of the document: closing an account must not delete the employee with the history
-- of their audits. It stands in its own file because auth.users is not ours and is missing outside Supabase.

ALTER TABLE public.employees ADD CONSTRAINT employees_auth_user_id_fkey
    FOREIGN KEY (auth_user_id) REFERENCES auth.users (id) ON DELETE SET NULL;
