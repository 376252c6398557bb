-- Optimistic locking and the time of the last change (document, 2.1: version, updated_at), which nothing changed before.
--
-- An application reads version 3 and says UPDATE … WHERE id = … AND version = 3: if that finds no row, somebody else was first. The
-- trigger counts, whatever the statement says, so that nobody can forget it. It is for what an application writes to the new
-- tables. What a mirror writes comes from an application that knows no versions, with the time that its own row has: while
-- Changeover writes, the setting changeover.origin says for which mapping, and the trigger does not fire.

CREATE FUNCTION public.next_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION public.now_updated() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER employees_next_version BEFORE UPDATE ON public.employees
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.next_version();

CREATE TRIGGER roles_now_updated BEFORE UPDATE ON public.roles
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.now_updated();

CREATE TRIGGER departments_now_updated BEFORE UPDATE ON public.departments
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.now_updated();

CREATE TRIGGER teams_now_updated BEFORE UPDATE ON public.teams
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.now_updated();

CREATE TRIGGER channels_now_updated BEFORE UPDATE ON public.channels
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.now_updated();
