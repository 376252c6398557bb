"""Expand: the new schema beside the old one. What the application uses is only added to (`alter`, `in_place`).

Tables and the keys that the mirror needs come first; secondary indexes and foreign keys wait until the
rows are in (backfill). On the old tables only indexes are built, concurrently: the mirror must find the
rows of a key without reading the whole table inside the application's transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from phases import alter
from phases.actions import Action, made
from phases.statements import ddl, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from phases.base import Work, Work_

SEED_LOCK: Final = "ROW EXCLUSIVE on the table that it fills"


class Expand:
    """Make the new tables and seed the reference tables."""

    name = "expand"
    purpose = "new tables beside the old ones; indexes that the mirror needs"

    def actions(self, work: Work) -> Iterator[Work_]:
        """Tables, changes of tables in use, reference data, the numbering of new keys, the mirror's indexes."""
        for place, statement in work.expand:
            yield ddl(place, within(place, statement))
        yield from work.partitions()
        for place, statement in work.columns:
            action = ddl(place, within(place, statement))
            yield replace(action, on=action.own[0])
        # Behind them, as it may say more of a column that a mapping adds.
        for each in work.alter:
            yield from alter.in_expand(each)
        yield from work.renames()
        for place, statement in work.seed:
            yield Action(
                id=f"seed {place}",
                statement=within(place, statement),
                lock=SEED_LOCK,
                doc="reference data",
                seeds=True,
            )
        for compiled in work.compiled():
            yield from work.numbers(compiled)
            yield from work.names(compiled)
            for index in compiled.indexes:
                yield made(index)
