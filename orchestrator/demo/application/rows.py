"""What a client owns: the audits and persons that it alone writes, and how either version finds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.demo.application.tables import LegacyTable


@dataclass
class Audit:
    """One audit. Without `id` it was born in the unified table and its legacy key is not known here."""

    table: LegacyTable
    id: str | None
    unified_id: str | None
    interaction: str

    @property
    def by(self) -> str:
        """The column that finds it in its legacy table."""
        return "interaction_id" if self.id is None else "id"

    @property
    def key(self) -> str:
        """The value in that column."""
        return self.interaction if self.id is None else self.id


@dataclass
class Holdings:
    """All that one client owns."""

    audits: list[Audit] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By e-mail, as `people` has it: the columns written last."""
    accounts: dict[str, str] = field(default_factory=dict)
    """E-mails by id of `users`."""


class LostRowError(Exception):
    """A row that was acknowledged before was not found when it was written again."""


def expect_rows(status: str, rows: int, table: str, key: object) -> None:
    """Hold a command tag (`UPDATE 1`) against the rows that must have been there: the client's own."""
    if int(status.rsplit(" ", 1)[1]) != rows:
        raise LostRowError(f"{table}: {status} where {rows} were owned: {key}")
