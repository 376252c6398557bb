-- Optimistic locking of audits: as in foundation_locking.sql, whose function it calls.

CREATE TRIGGER audits_next_version BEFORE UPDATE ON public.audits
    FOR EACH ROW WHEN (coalesce(current_setting('changeover.origin', true), '') = '')
    EXECUTE FUNCTION public.next_version();
