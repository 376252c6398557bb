"""The second database: the same legacy data, migrated to the very end in one go, and taken back.

It is a rehearsal (its gates ask for the clean verification only), so one command goes through every stage and phase,
contract included. Then one command takes all of it back, the ledger is removed, and the dump, schema and rows, has
to be the one from before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from orchestrator.demo import dump
from orchestrator.demo.cutover import OPERATOR, PLAN
from orchestrator.demo.parts import Rollback
from orchestrator.engine import commands
from orchestrator.kernel.events import Bus

if TYPE_CHECKING:
    from orchestrator.demo.databases import Server
    from orchestrator.demo.narrator import Narrator
    from orchestrator.plan.loader import LoadedPlan

_SHOWN: Final = 12


def there_and_back(server: Server, database: str, voice: Narrator, *, plan: str | LoadedPlan = PLAN) -> Rollback:
    """Migrate the database, take it back, compare."""
    dsn = server.owner_dsn(database)
    bus = Bus()
    bus.subscribe(voice.listen)
    before = dump.take(server, database)
    voice.say(f"dumped as it is: {len(before.schema.splitlines()):,} lines of schema")
    commands.init(dsn)
    commands.start(dsn, plan, kind="rehearsal", bus=bus, operator=OPERATOR)
    began = time.monotonic()
    commands.rollback(dsn, plan, bus=bus, operator=OPERATOR)
    commands.uninstall(dsn)
    seconds = time.monotonic() - began
    found = before.differences(dump.take(server, database))
    voice.say(f"taken back in {seconds:.1f} s; the dump is {'the one from before' if not found else 'DIFFERENT'}")
    return Rollback(seconds, dump_equal=not found, difference=found[:_SHOWN])
