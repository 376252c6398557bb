-- FOR UPDATE, because it alone waits for the fences (FOR KEY SHARE) of batches that are still on their way.
SELECT epoch FROM changeover.lease WHERE plan = %(plan)s AND epoch = %(epoch)s FOR UPDATE
