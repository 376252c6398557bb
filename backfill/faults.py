"""What an error means for the batch it hit, decided by SQLSTATE and nothing else.

- HINDERED: somebody was in the way (lock timeout, deadlock, serialization, a batch cut off for taking too long, a
  server out of memory or disk for the moment). The batch is smaller the next time, after a pause.
- LOST: the connection is gone, or the server is going. The worker gets a new connection.
- DATA: a value did not fit. The range is halved down to a page, and the page goes row by row.
- FATAL: neither of these: a function is missing, a right, a table. Row by row would turn every row of the table into a
  reject, so the copy stops instead and says why.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Final

import asyncpg

from orchestrator.kernel.errors import (
    DEADLOCK_DETECTED,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    SERIALIZATION_FAILURE,
    ChangeoverError,
    sqlstate_of,
)

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0


class Fault(Enum):
    """The four answers to an error."""

    HINDERED = "hindered"
    LOST = "lost"
    DATA = "data"
    FATAL = "fatal"


_BY_STATE: Final = {
    LOCK_NOT_AVAILABLE: Fault.HINDERED,
    DEADLOCK_DETECTED: Fault.HINDERED,
    SERIALIZATION_FAILURE: Fault.HINDERED,
    QUERY_CANCELED: Fault.HINDERED,
    "25P03": Fault.LOST,  # idle in transaction too long: this process was stopped, or cut off, for a while
    "25P04": Fault.LOST,  # transaction_timeout of PostgreSQL 17, set by somebody else
}

_BY_CLASS: Final = {
    "0A": Fault.DATA,  # NaN or infinity, which is no integer
    "08": Fault.LOST,  # connection
    "57": Fault.LOST,  # shut down, crashed, starting up
    "40": Fault.HINDERED,  # rolled back by the server
    "53": Fault.HINDERED,  # out of disk, memory or connections
    "21": Fault.DATA,  # a subquery that returns two rows for this one
    "22": Fault.DATA,  # a value out of range, of the wrong form
    "23": Fault.DATA,  # a constraint
    "27": Fault.DATA,  # a trigger on the target objects
    "2F": Fault.DATA,  # a function of the plan
    "38": Fault.DATA,  # same
    "39": Fault.DATA,  # same
    "44": Fault.DATA,  # WITH CHECK OPTION
    "54": Fault.DATA,  # too large, too many, too complex
    "P0": Fault.DATA,  # RAISE in a function of the plan
}


def classify(exc: BaseException) -> Fault:
    """Say what an error means for the batch. An error of ours has been judged already: it ends the run."""
    if isinstance(exc, ChangeoverError):
        return Fault.FATAL
    state = sqlstate_of(exc)
    if state is not None:
        return _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or Fault.FATAL
    # asyncpg's own complaints about an argument are ValueErrors as well: our mistake, not a lost connection.
    if isinstance(exc, ValueError):
        return Fault.FATAL
    # InternalClientError: asyncpg lost track of its own protocol, as it does when a connection dies under it.
    if isinstance(exc, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Fault.LOST
    return Fault.FATAL


def backoff(attempt: int, *, first: float = FIRST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """Return the pause after the nth failure in a row: doubling, bounded, with jitter so that two workers part."""
    return min(longest, first * 2.0 ** min(attempt - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
