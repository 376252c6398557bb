"""Repair: making the target what its source says, for the keys that were found to differ.

`changeover.sync` does it for a list of keys. Keys go in batches; a batch that fails on data is halved down
to the single key, and a key that fails alone is left, with its error, for the operator; unless it refers to a row that
is missing, which makes its rows rejects. For a orphan (a target
row that comes from nowhere) every source of the mapping is asked, since each answers for its own rows only; what has no
old key that leads to it is taken out by what it is called in the target.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg.sql import Identifier, Literal

from backfill.compose import compose, load
from backfill.faults import Fault, backoff, classify
from backfill.transaction import fenced
from orchestrator.kernel.errors import translate
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backfill.ranges import Scope
    from backfill.refs import Fence, SourceRef
    from backfill.session import Session
    from backfill.settings import CompareSettings
    from backfill.transaction import Preambles
    from orchestrator.kernel.events import Bus

_REPAIRED: Final = declare(
    "compare.repair.synced", "some keys are repaired and committed, their ranges still count as different"
)

_PARENTLESS: Final = "23503"  # foreign_key_violation


@dataclass(frozen=True, slots=True)
class Unrepaired:
    """A key that could not be made equal."""

    source: str
    key: str
    reason: str


class Repairer:
    """Repairs what stands in `changeover.difference`."""

    def __init__(
        self,
        session: Session,
        texts: Preambles,
        fence: Fence | None,
        settings: CompareSettings,
        bus: Bus,
        stop: asyncio.Event,
    ) -> None:
        self._session = session
        self._texts = texts
        self._fence = fence
        self._settings = settings
        self._bus = bus
        self._stop = stop
        self.unrepaired: list[Unrepaired] = []

    async def repair(self, verification_id: int, scopes: Sequence[Scope]) -> None:
        """Repair all differences of a verification."""
        self.unrepaired = []
        conn = await self._session.connection()
        keys: dict[SourceRef, set[str]] = {}
        for row in await conn.fetch(load("differences_read.sql"), verification_id):
            for source in _answerable(scopes, row["source"], row["hint"]):
                keys.setdefault(source, set()).update(row["keys"] or ())
        for source in sorted(keys, key=lambda each: each.id):
            statement, alone = (compose(f, source=Literal(source.id)) for f in ("sync.sql", "sync_or_reject.sql"))
            await self._each(source.name, statement, sorted(keys[source]), alone)
        for scope in (each for each in scopes if each.letter == "x"):
            await self._delete_orphans(verification_id, scope)

    async def _delete_orphans(self, verification_id: int, scope: Scope) -> None:
        conn = await self._session.connection()
        name = f"changeover.x{scope.id}_delete_orphans"
        if await conn.fetchval(load("function_stands.sql"), f"{name}(jsonb[])"):
            rows = await conn.fetchval(load("orphans_read.sql"), verification_id, scope.name)
            statement = compose("delete_orphans.sql", function=Identifier(*name.split(".")))
            await self._each(scope.name, statement, rows or [])

    async def _each(self, name: str, statement: str, keys: Sequence[str], alone: str = "") -> None:
        """Run a statement for all keys, in batches; ``alone`` for a key whose row refers to one that is missing."""
        parentless: set[str] = set()
        at, size, failures = 0, self._settings.repair_keys, 0
        while at < len(keys) and not self._stop.is_set():
            some = keys[at : at + size]
            try:
                conn = await self._session.connection()
                async with fenced(conn, self._texts.patient if size == 1 else self._texts.batch, self._fence):
                    await conn.execute(alone if parentless.issuperset(some) else statement, some)
                failpoint(_REPAIRED)
            except Exception as exc:
                fault, failures = classify(exc), failures + 1
                if fault is Fault.FATAL:
                    raise translate(exc) from exc
                if fault is Fault.LOST:
                    self._session.drop()
                missing = getattr(exc, "sqlstate", "") == _PARENTLESS
                if missing and alone and len(some) == 1 and parentless.isdisjoint(some):
                    parentless.update(some)
                elif (fault is Fault.DATA and len(some) == 1) or failures > self._settings.attempts:
                    self.unrepaired += [Unrepaired(name, key, str(translate(exc).what)) for key in some]
                    at, failures = at + len(some), 0
                elif fault is not Fault.DATA:
                    await asyncio.sleep(backoff(failures))
                size = max(1, len(some) // 2)
            else:
                self._bus.emit("verify.repaired", source=name, keys=len(some))
                at, size, failures = at + len(some), min(self._settings.repair_keys, size * 2), 0


def _answerable(scopes: Sequence[Scope], name: str, hint: str | None) -> set[SourceRef]:
    """Who must make a key right: those of that name (a table may feed several mappings), or who is hinted at."""
    named = {source for scope in scopes if scope.name == name for source in scope.sources}
    hinted = {source for source in named if source.name == hint}
    return hinted or named
