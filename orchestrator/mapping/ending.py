"""What contract and `retire` make of the target's columns; of most kinds nothing, as whole tables go."""

from __future__ import annotations

from orchestrator.mapping.model import Base


class Ending(Base):
    """The columns that must be filled, those that go, and the names that others get."""

    @property
    def old_columns(self) -> list[str] | None:
        """The columns of the target that go at retire, and the mirror with them; None where both stay."""
        return None

    @property
    def required_columns(self) -> list[str]:
        """The columns of the target that contract makes NOT NULL."""
        return []

    @property
    def renamed(self) -> dict[str, str]:
        """New columns of the target, and the names that they get then."""
        return {}

    @property
    def version_schemas(self) -> dict[str, str]:
        """`old` and `new`: the schemas in which a view shows the target to one version until then."""
        return {}
