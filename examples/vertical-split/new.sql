CREATE TABLE public.profiles (account_id integer PRIMARY KEY, bio text, picture text, rest jsonb NOT NULL DEFAULT '{}');
