-- One round trip: the transaction and everything that holds for it alone (a pooler may hand the next one to another session).
-- lock_timeout and statement_timeout lie below deadlock_timeout: a circle of waits ends with this transaction, never the application's.
-- idle_in_transaction_session_timeout: a stopped or cut-off runner must not keep the rows of its batch locked.
-- jit: a batch is short, and compiling its plan anew each time would take longer than it saves.
BEGIN ISOLATION LEVEL {isolation};
SET LOCAL lock_timeout = {lock_timeout};
SET LOCAL statement_timeout = {statement_timeout};
SET LOCAL idle_in_transaction_session_timeout = {idle_timeout};
SET LOCAL synchronous_commit = {synchronous_commit};
SET LOCAL jit = off
