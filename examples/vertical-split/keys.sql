ALTER TABLE public.profiles ADD CONSTRAINT profiles_account_fkey
    FOREIGN KEY (account_id) REFERENCES public.accounts (id) ON DELETE CASCADE;
