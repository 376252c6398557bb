-- The fence ($1 plan, $2 epoch): finds its row only while the lease is held under this epoch, and keeps it locked
-- until the transaction ends. A takeover takes FOR UPDATE, so it comes either before this transaction (which then
-- finds nothing here) or after its commit.
--
-- FOR KEY SHARE, not FOR SHARE: a heartbeat updates the row, and would wait behind FOR SHARE. Several workers
-- overlap without a gap, so it could wait for ever and the lease would run out in its rightful owner's hands.
SELECT epoch
  FROM changeover.lease
 WHERE plan = $1 AND epoch = $2 AND expires_at > '-infinity'
   FOR KEY SHARE
