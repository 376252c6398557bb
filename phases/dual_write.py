"""Dual-write: the mirrors. From the commit of its triggers on, every write of either side reaches the other.

The functions come first, then the triggers on the new table (nobody writes it yet), then those on the
old tables, those of each table in one transaction: the only lock that an application can feel is the SHARE ROW
EXCLUSIVE of a CREATE TRIGGER, and it is waited for in short attempts. All of them are committed before
the first batch: a batch copies what was there before, the mirror what comes after, and nothing falls
between. The compatibility views come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.mapping import view
from phases.actions import Action, Role, Step, grouped, made, mirrors, own_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.objects import DbObject
    from phases.base import Work, Work_


class DualWrite:
    """Put the mirrors and the compatibility views in place."""

    name = "dual-write"
    purpose = "mirrors between old and new tables; compatibility views"

    def actions(self, work: Work) -> Iterator[Work_]:
        """Functions, triggers, views."""
        mappings = work.compiled()
        placed = False
        for compiled in mappings:
            by_owner: dict[str, list[DbObject]] = {}
            for function in compiled.functions:
                by_owner.setdefault(function.owner, []).append(function)
            for owner, functions in by_owner.items():
                yield grouped(f"functions {owner}", functions, f"functions of mapping {compiled.name}", Role.FUNCTIONS)
        for compiled in mappings:
            for trigger in compiled.target_triggers:
                yield made(trigger, Role.TARGET_MIRROR)
            yield from mirrors(compiled.source_triggers, in_place=compiled.in_place)
            if compiled.views and not placed:
                placed = True  # after the locks of a mapping are had: what could not begin leaves nothing behind
                yield Action(
                    id=f"schema {view.SCHEMA}",
                    statement=own_schema(view.SCHEMA, usable=True),
                    lock="none",
                    doc="where the compatibility views stand",
                    ours=True,
                )
            for each in compiled.views:
                yield grouped(each.id, [each], each.doc)
            yield from work.opened(compiled)
            yield Step(
                id=f"mirrored {compiled.name}", kind="mirrored", subject=compiled.mapping_id, doc="sources are mirrored"
            )
