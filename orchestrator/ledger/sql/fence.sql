-- The fence: called first in every batch's own transaction. It raises SQLSTATE CO001 when the lease is not
-- held under this epoch any more; otherwise it locks the lease row until the batch commits, so that a takeover,
-- which takes FOR UPDATE, comes either before this batch (and the fence raises) or after its commit.
--
-- FOR KEY SHARE, not FOR SHARE: a heartbeat updates the row, and would wait behind FOR SHARE. Several workers
-- overlap without a gap, so it could wait for ever and the lease would run out in its rightful owner's hands.
CREATE OR REPLACE FUNCTION changeover.fence(of_plan text, of_epoch bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM changeover.lease
      WHERE plan = of_plan AND epoch = of_epoch AND expires_at > '-infinity'
        FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost: plan %, epoch %', of_plan, of_epoch
            USING ERRCODE = 'CO001', HINT = 'Another runner has taken over. Nothing of this batch is kept.';
    END IF;
END
$$;
