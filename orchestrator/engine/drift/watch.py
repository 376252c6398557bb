"""Whether a look at the catalog is worth it: a short text that stays the same as long as nothing has changed.

Reading every source table of a stage takes a hundred queries; done before a batch each second, that stood in the
way of the copy for a third of its time. What these queries could find out depends on the tables' names, the
sources' columns and what the discovery queries return: one query and one per mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.engine import queries

if TYPE_CHECKING:
    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage


@dataclass
class Watch:
    """Remembers what it saw of a stage's tables when it was last told to."""

    session: Session
    stage: Stage
    _seen: list[object] = field(default_factory=list)

    def changed(self) -> bool:
        """Whether something is not as it was when this was last asked; the first time, always."""
        now = self._look()
        before, self._seen = self._seen, now
        return now != before

    def _look(self) -> list[object]:
        conn, plan = self.session.conn, self.session.plan
        asked = [plan.read(mapping.discovery) for mapping in self.stage.mappings if mapping.discovery is not None]
        return [conn.execute(query.encode()).fetchall() for query in (queries.load("catalog_state.sql"), *asked)]
