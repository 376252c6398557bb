"""Controls as a plan's author writes them: who must say yes before old tables are archived."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from pydantic import Field, field_validator, model_validator

from orchestrator.mapping.model import Strict

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([mhd])")
TAKEN: Final = ("verified", "flag", "rejects", "soak")
"""Names of gates that are no controls."""


def duration(text: str) -> timedelta:
    """`90m`, `24h`, `7d`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        message = f"{text!r} is no duration: a number and m, h or d, as in 24h"
        raise ValueError(message)
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


class Rehearsed(Strict):
    """The plan has been tried on a copy."""

    within_days: float = Field(default=30, gt=0, description="How long ago, at most.")
    same_checksum: bool = Field(default=True, description="The very plan at hand.")


class Control(Strict):
    """One thing that somebody answers for, or a rehearsal."""

    control: str = Field(pattern="^[a-z][a-z0-9_]*$", description="The name of the control.")
    title: str = Field(default="", description="A line for people.")
    critical: bool = Field(default=True, description="Contract waits for it; otherwise it is only shown.")
    roles: list[str] | dict[str, list[str]] = Field(
        default_factory=list,
        description="Roles that must each say yes, by another person each; as a mapping, who may answer in a role.",
    )
    people: int = Field(default=1, ge=1, description="How many people: of each role, or at all.")
    backup: str | None = Field(
        default=None, description="A person confirms that there is a backup, no longer ago than this (24h)."
    )
    rehearsed: Rehearsed | None = Field(default=None, description="The plan has been tried on a copy.")

    @field_validator("backup")
    @classmethod
    def _is_a_duration(cls, given: str | None) -> str | None:
        if given is not None:
            duration(given)
        return given

    @field_validator("control")
    @classmethod
    def _is_free(cls, given: str) -> str:
        if given in TAKEN:
            message = f"{given} is a gate of its own"
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _one_sort(self) -> Control:
        if self.rehearsed is not None and (self.roles or self.backup is not None or self.people != 1):
            message = "a rehearsal is measured: nobody approves it"
            raise ValueError(message)
        wrong = [role for role, names in self.validators.items() if names and len(set(names)) < self.people]
        if wrong:
            message = f"{', '.join(wrong)}: fewer people may answer than are wanted"
            raise ValueError(message)
        return self

    @property
    def validators(self) -> dict[str, list[str]]:
        """Role: who may answer in it; everybody where nobody is named."""
        return self.roles if isinstance(self.roles, dict) else {role: [] for role in self.roles}

    @property
    def wanted(self) -> list[str]:
        """The roles that must say yes; `` for anybody."""
        return list(self.validators) or [""]

    @property
    def lasts(self) -> timedelta | None:
        """How old a confirmation may become."""
        return None if self.backup is None else duration(self.backup)
