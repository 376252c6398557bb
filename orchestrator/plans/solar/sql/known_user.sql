-- Is this a user? The fill of "CreatedById" asks, also in the application's own writes: so it asks as its owner, who may read
-- "Users" whatever the writer may.
CREATE FUNCTION public."IsUser"(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT EXISTS (SELECT FROM public."Users" AS u WHERE u."UserId" = wanted) $$;
