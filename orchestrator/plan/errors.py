"""What can be wrong with a plan."""

from __future__ import annotations

from orchestrator.kernel.errors import UsageError


class PlanError(UsageError):
    """The plan as written cannot be used; says the file and the line."""


class UnknownPlanError(UsageError):
    """No plan of that name, no folder of that path."""
