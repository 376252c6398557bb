"""A right on a table, as a statement that gives or takes the same one on another relation."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.kernel.identifiers import quote


@dataclass(frozen=True)
class Grant:
    """A right of somebody who does not own the table; without a column it is for the whole table."""

    privilege: str
    column: str | None
    grantee: str | None
    grantable: bool

    def on(self, relation: str) -> str:
        """The statement that gives the same right on another relation."""
        what = self.privilege if self.column is None else f"{self.privilege} ({quote(self.column)})"
        to = "PUBLIC" if self.grantee is None else quote(self.grantee)
        return f"GRANT {what} ON {relation} TO {to}{' WITH GRANT OPTION' if self.grantable else ''}"

    def off(self, relation: str) -> str:
        """The statement that takes the right away on a relation."""
        what = self.privilege if self.column is None else f"{self.privilege} ({quote(self.column)})"
        return f"REVOKE {what} ON {relation} FROM {'PUBLIC' if self.grantee is None else quote(self.grantee)} CASCADE"
