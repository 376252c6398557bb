"""Contract: the old tables go to schema archive; under their names stand the compatibility views.

One short transaction per table: the table moves, its view takes its name, the functions follow. Old code
goes on reading and writing under the old name, new code under the new one, and the mirrors keep both
sides current still: contract can be taken back as long as the archive stands. Only `retire`
drops anything. A table that is changed in place keeps its place: its new columns become NOT NULL where the plan says
so, its old ones nullable. Foreign keys that would have kept the old application from something it may do (delete a
row that only the new schema refers to) come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases import alter
from phases.actions import Action, Step, made, own_schema
from phases.statements import foreign_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.mapping.compile import Compiled
    from phases.base import Work, Work_

ARCHIVE = "archive"


class Contract:
    """Archive the old tables."""

    name = "contract"
    purpose = "old tables to schema archive, views under their names"

    def actions(self, work: Work) -> Iterator[Work_]:
        """The gates, the schema, one step per source table."""
        yield Step(id="gates", kind="gates", doc="verified, checks, flag, rejects, soak, controls")
        mappings = work.compiled()
        if work.archive and any(compiled.archives for compiled in mappings):
            yield from self._archive(mappings)
        for compiled in mappings:
            yield from (made(item) for item in compiled.contract)
        for place, statement in work.contract_keys:
            yield from foreign_key(place, statement)
        for each in work.alter:
            yield from alter.constraints(each, "contract")

    def _archive(self, mappings: Sequence[Compiled]) -> Iterator[Work_]:
        yield Action(
            id=f"schema {ARCHIVE}",
            statement=own_schema(ARCHIVE),
            lock="none",
            doc="where the old tables are kept",
            ours=True,
        )
        seen = set()
        for compiled in mappings:
            for source in compiled.sources if compiled.archives else ():
                if source.oid not in seen:
                    seen.add(source.oid)
                    yield Step(
                        id=f"archive {source.label}",
                        kind="archive",
                        subject=source.oid,
                        doc="ACCESS EXCLUSIVE, briefly",
                    )
