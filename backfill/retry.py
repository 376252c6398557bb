"""Doing a transaction again while that may help, for the work that is not a batch.

The same judgement as for batches (`faults`): what was hindered is tried again after a growing pause, a lost
connection is replaced, anything else is raised as an error of ours. Bounded by a number of attempts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from backfill.errors import OutdatedError, hindered
from backfill.faults import Fault, backoff, classify
from orchestrator.kernel.errors import sqlstate_of, translate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from backfill.session import Session

T = TypeVar("T")


async def persistent(
    session: Session, work: Callable[[asyncpg.Connection], Awaitable[T]], *, subject: str, attempts: int
) -> T:
    """Run `work` on the session's connection until it succeeds, or fails for good."""
    attempt = 0
    while True:
        try:
            return await work(await session.connection())
        except OutdatedError:
            raise
        except Exception as exc:
            attempt += 1
            fault = classify(exc)
            if fault not in (Fault.HINDERED, Fault.LOST):
                raise translate(exc) from exc
            if attempt >= attempts:
                raise hindered(subject, attempt, sqlstate_of(exc), str(exc)) from exc
            if fault is Fault.LOST:
                session.drop()
            await asyncio.sleep(backoff(attempt))
