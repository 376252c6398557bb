-- The foreign keys of the audits stage, added after the rows (NOT VALID, then validated): audits and audit_assignments
-- point at each other, and a key that is there first is checked row by row.
--
-- Names and immediacy as in foundation_keys.sql. The keys that point at tables which the old application still deletes
-- from (assignments, parameters) let it: ON DELETE SET NULL. scorecard_id is never NULL, for it says what was measured:
-- its key would keep the old application from deleting a scorecard, so it comes at contract (audits_contract_keys.sql).

ALTER TABLE public.audits ADD CONSTRAINT audits_employee_id_fkey
    FOREIGN KEY (employee_id) REFERENCES public.employees (id);

ALTER TABLE public.audits ADD CONSTRAINT audits_auditor_id_fkey
    FOREIGN KEY (auditor_id) REFERENCES public.employees (id);

ALTER TABLE public.audits ADD CONSTRAINT audits_channel_id_fkey
    FOREIGN KEY (channel_id) REFERENCES public.channels (id);

ALTER TABLE public.audits ADD CONSTRAINT audits_reversal_requested_by_fkey
    FOREIGN KEY (reversal_requested_by) REFERENCES public.employees (id);

ALTER TABLE public.audits ADD CONSTRAINT audits_reversal_responded_by_fkey
    FOREIGN KEY (reversal_responded_by) REFERENCES public.employees (id);

ALTER TABLE public.audits ADD CONSTRAINT audits_parent_audit_id_fkey
    FOREIGN KEY (parent_audit_id) REFERENCES public.audits (id);

ALTER TABLE public.audit_errors ADD CONSTRAINT audit_errors_audit_id_fkey
    FOREIGN KEY (audit_id) REFERENCES public.audits (id) ON DELETE CASCADE;

ALTER TABLE public.audit_errors ADD CONSTRAINT audit_errors_scorecard_parameter_id_fkey
    FOREIGN KEY (scorecard_parameter_id) REFERENCES public.scorecard_perameters (id) ON DELETE SET NULL;
