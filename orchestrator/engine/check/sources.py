"""Which tables a plan would read, asked before anything runs: for `plan check` and for `doctor`.

The same discovery as the engine's own (`StageCompiler.discover`), but nothing is registered, and a query that fails is
a result like any other: the plan may be for another database, and the answer is to say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from orchestrator.engine.stage_compiler import StageCompiler
from orchestrator.kernel.errors import ChangeoverError, translate
from orchestrator.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestrator.mapping.discovery import Found, MappingWarning
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


@dataclass(frozen=True)
class Discovered:
    """What one mapping would read."""

    stage: Stage
    mapping: Mapping
    found: list[Found]
    warnings: list[MappingWarning]
    error: str | None = None
    """Why the tables could not be looked for."""


def discovered(
    conn: psycopg.Connection[Any],
    plan: LoadedPlan,
    stages: Collection[str] | None = None,
    *,
    any_owner: bool = False,
) -> Iterator[Discovered]:
    """Every mapping of a plan, or of some of its stages, in order; with `any_owner` other roles' tables as well."""
    compiler = StageCompiler(conn, Ledger(conn, "check"), plan, any_owner)
    for stage in plan.model.stages:
        if stages is not None and stage.stage not in stages:
            continue
        for mapping in stage.mappings:
            try:
                found, warnings = compiler.discover(mapping)
                if mapping is stage.mappings[0]:
                    warnings = [*warnings, *compiler.left_out(stage)]
            except (psycopg.Error, ChangeoverError) as exc:
                if conn.closed:
                    raise
                yield Discovered(stage, mapping, [], [], translate(exc).what)
            else:
                yield Discovered(stage, mapping, found, warnings)
