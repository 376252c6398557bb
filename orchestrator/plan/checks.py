"""Checks as a plan's author writes them: a query, the answer that is good, and what another one stops."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator

from orchestrator.mapping.model import Strict

Moment = Literal["before", "verify", "contract"]


class Between(Strict):
    """A number within two others, both included."""

    between: tuple[int | float, int | float] = Field(description="The lower bound and the upper one.")

    @field_validator("between")
    @classmethod
    def _in_order(cls, given: tuple[int | float, int | float]) -> tuple[int | float, int | float]:
        if given[0] > given[1]:
            message = "the first of the two is the lower one"
            raise ValueError(message)
        return given


class Check(Strict):
    """A query that judges. It runs in a read-only transaction."""

    check: str = Field(pattern="^[a-z][a-z0-9_]*$", description="The name of the check.")
    title: str = Field(default="", description="A line for people.")
    query: str = Field(description="A SELECT, or the SQL file that holds it.")
    good: Literal["empty"] | int | float | Between = Field(
        default="empty",
        alias="is",
        description="What it must give: no row (`empty`), this number, or a number `{between: [a, b]}`.",
    )
    when: list[Moment] = Field(
        default=["verify"],
        min_length=1,
        description="Before the first change, with each verification, before contract; one or several.",
    )
    otherwise: Literal["refuse", "warn"] = Field(
        default="refuse", description="Another answer stops what comes next, or is only shown."
    )
    timeout_seconds: float = Field(default=60, gt=0, le=3600, description="How long the query may take.")

    @field_validator("when", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @property
    def wanted(self) -> str:
        """The good answer in words."""
        if isinstance(self.good, Between):
            return f"a number between {self.good.between[0]} and {self.good.between[1]}"
        return "no row" if self.good == "empty" else str(self.good)

    def accepts(self, number: Decimal) -> bool:
        """Whether a number is a good answer."""
        if isinstance(self.good, Between):
            low, high = (Decimal(str(bound)) for bound in self.good.between)
            return low <= number <= high
        return self.good != "empty" and number == Decimal(str(self.good))
