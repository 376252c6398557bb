"""What a run may take, by the rehearsal that is registered: `rehearsal import`, and the figures in `status`.

Copy and comparison are scaled by the bytes of the stage's old tables, here and on the copy; the other phases are taken
as they were. Tables that are not here are left out of both sides.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import queries
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import rehearsals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.ledger.rehearsals import Rehearsal
    from orchestrator.ledger.store import Ledger

FORMAT: Final = 1
"""Of the file that a rehearsal writes."""
_SCALED: Final = ("backfill", "verify")


def register(dsn: str, text: str, *, operator: str) -> Rehearsal:
    """Register what a rehearsal has written."""
    document = _read(text)
    with open_ledger(dsn, operator) as ledger:
        at = datetime.fromisoformat(document["rehearsed_at"])
        return rehearsals.register(ledger, document["plan"], document["checksum"], at, document)


def _read(text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(text)
        lists = ("phases", "sources", "locks", "problems")
        good = (
            document["format"] == FORMAT
            and datetime.fromisoformat(document["rehearsed_at"]).tzinfo is not None
            and all(isinstance(document[name], str) for name in ("plan", "checksum"))
            and all(isinstance(document[name], list) for name in lists)
        )
        scaled(document["phases"], document["sources"], {})
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise UsageError(
            "This is no file of `changeover rehearse`.",
            kept="Nothing was registered.",
            todo="Give the file that `changeover rehearse PLAN --on DSN --to FILE` has written with this version.",
        )
    return document


def expected(ledger: Ledger, plan: str, checksum: str) -> list[dict[str, Any]]:
    """Stage, phase and the seconds to expect; nothing without a rehearsal of the plan."""
    found = rehearsals.latest(ledger, plan, checksum) or rehearsals.latest(ledger, plan)
    if found is None:
        return []
    sources = found.document["sources"]
    here = dict(
        ledger.conn.execute(
            queries.load("bytes_of_tables.sql"), {"names": [each["name"] for each in sources]}
        ).fetchall()
    )
    return scaled(found.document["phases"], sources, here)


def scaled(
    phases: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]], here: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The phases with the seconds to expect where the tables have these sizes."""
    told = []
    for each in phases:
        mine = [s for s in sources if s["stage"] == each["stage"] and s["name"] in here]
        there, now = sum(int(s["bytes"]) for s in mine), sum(int(here[s["name"]]) for s in mine)
        factor = now / there if there and each["phase"] in _SCALED else 1.0
        seconds = round(float(each["seconds"]) * factor, 1)
        told.append({"stage": each["stage"], "phase": each["phase"], "seconds": seconds})
    return told
