-- Who reads the materialized views where Supabase's roles exist. A materialized view knows no row-level security and holds the
-- figures of everybody, so only the service role reads it, and the application shows a person what that person may see.

REVOKE ALL ON TABLE public.audit_statistics, public.auditor_performance FROM anon, authenticated;
GRANT SELECT ON TABLE public.audit_statistics, public.auditor_performance TO service_role;
