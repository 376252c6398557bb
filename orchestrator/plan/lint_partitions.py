"""`partition:` of a stage: the table is the stage's own, and no mapping finds its rows by a key that it cannot keep.

What PostgreSQL adds to no partitioned table beside its writers is made with the table.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import table_label, tokens
from orchestrator.mapping.needs import plain_only
from orchestrator.plan.created import created
from phases.errors import StatementError
from phases.statements import index_head, key_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


def lint_partitions(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Over all stages: a later one may fill the table."""
    partitioned: set[str] = set()
    for number, stage in enumerate(plan.model.stages):
        statements = [text for _, text in plan.statements(stage.expand)]
        partitioned |= _made(statements, ["partition", "by"])
        ranged = _made(statements, ["partition", "by", "range"])
        for index, each in enumerate(stage.partition):
            if table_label(each.table) not in ranged:
                message = f"no expand file of this stage makes {each.table} with PARTITION BY RANGE"
                diagnostics.error("partition", message, "stages", number, "partition", index, "table")
    for number, stage in enumerate(plan.model.stages):
        for index, mapping in enumerate(stage.mappings):
            if table_label(mapping.target) in partitioned and (refused := plain_only(mapping)) is not None:
                diagnostics.error("partition", refused, "stages", number, "mappings", index, mapping.kind)
        for key, message in _late(plan, stage, partitioned):
            diagnostics.error("partition", message, "stages", number, key)


def _late(plan: LoadedPlan, stage: Stage, partitioned: set[str]) -> Iterator[tuple[str, str]]:
    """Indexes and foreign keys that come after the rows; what cannot be read is told elsewhere."""
    advice = "put it into the expand file, behind its table"
    for place, text in plan.statements(stage.indexes):
        with suppress(StatementError):
            table = table_label(sql_name(index_head(place, text).table))
            if table in partitioned:
                yield (
                    "indexes",
                    f"PostgreSQL makes no index of {table}, which is partitioned, beside its writers: {advice}",
                )
    late = [] if stage.contract is None else stage.contract.keys
    for key, files in (("keys", stage.keys), ("contract", late)):
        for place, text in plan.statements(files):
            with suppress(StatementError):
                head = key_head(place, text)
                table = table_label(sql_name(head.table))
                if head.parent and table in partitioned:
                    yield key, f"PostgreSQL takes no foreign key of {table}, which is partitioned, NOT VALID: {advice}"


def _made(statements: Iterable[str], how: list[str]) -> set[str]:
    """The tables that are made with these words."""
    found = set()
    for text in statements:
        words = [t.text.lower() for t in tokens(text) if t.is_name and t.depth == 0]
        if how in [words[i : i + len(how)] for i in range(len(words))]:
            found |= set(created([text]))
    return found
