"""Copies or compares in a process of its own, so that a test can kill it: `python -m ... dsn copy|repair [id]`."""

from __future__ import annotations

import asyncio
import sys

from backfill.compare import compare
from backfill.engine import backfill
from backfill.refs import SourceRef
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from tests.integration.backfill.world import FENCE, MAPPING, QUICK


def main(dsn: str, what: str, verification: str = "") -> None:
    with connect(dsn) as conn:
        rows = conn.execute("SELECT id, name, oid FROM changeover.source ORDER BY id").fetchall()
    sources = [SourceRef(*row) for row in rows]
    stop = asyncio.Event()
    if what == "copy":
        asyncio.run(backfill(dsn, sources, workers=2, fence=FENCE, settings=QUICK, bus=Bus(), stop=stop))
    else:
        asyncio.run(
            compare(
                dsn, int(verification), sources, [MAPPING], workers=2, repair=what == "repair", bus=Bus(), stop=stop
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
