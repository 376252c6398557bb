"""The small plans, compiled: the text of a golden file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestrator.mapping import catalog
from orchestrator.mapping.compile import SourceRow, compile_mapping
from orchestrator.mapping.kinds import KINDS

if TYPE_CHECKING:
    from tests.support.mapping import Setup

FOLDER: Final = Path(__file__).parent / "sql"
_PINS: Final = re.compile(
    r"^SET search_path = ([^\n]+)\nSET timezone\b.*?^SET plan_cache_mode = \w+$", re.MULTILINE | re.DOTALL
)
_HEAD: Final = """-- What a small plan of kind {kind} compiles to. `make golden` writes this file; see tests/unit/golden/plans.py.
"""


def compiled(conn: Any, plan: Setup) -> str:
    """All objects of the plan's mappings, in the order of making."""
    parts = [_HEAD.format(kind=plan.name)]
    for number, raw in enumerate(plan.mappings, 1):
        spec = KINDS[plan.name].model_validate(raw)
        made = compile_mapping(conn, spec, number, "golden", sources(conn, plan, number, spec))
        parts += [f"\n-- {each.id}\n{each.create.strip()};\n" for each in (*made.objects(), *made.contract)]
    # What every function pins is the same: it is shown by the path, which is not.
    return _PINS.sub(r"-- pinned, with search_path = \1", "".join(parts))


def sources(conn: Any, plan: Setup, number: int, spec: Any) -> list[SourceRow]:
    """The sources of a mapping as the ledger would have them."""
    merged = [(source.table, name) for name, source in spec.sources.items()] if plan.name == "merge" else []
    listed = merged or list(plan.sources[number - 1])
    return [
        SourceRow(10 * number + place, catalog.require(conn, table).oid, place, (discriminator,))
        for place, (table, discriminator) in enumerate(listed)
    ]
