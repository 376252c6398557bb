-- Who and why, for the triggers, until the end of the transaction.
SELECT set_config('changeover.actor', %(actor)s, true), set_config('changeover.reason', %(reason)s, true)
