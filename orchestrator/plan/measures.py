"""Measures as a plan's author writes them: what a migration is for, with the figure that is wanted."""

from __future__ import annotations

from pydantic import Field, model_validator

from orchestrator.mapping.model import Strict


class Measure(Strict):
    """A query whose time or number is held against a figure."""

    measure: str = Field(pattern="^[a-z][a-z0-9_]*$", description="The name of the measure.")
    title: str = Field(default="", description="A line for people.")
    query: str = Field(description="A SELECT, or the SQL file that holds it; `$1` is the key.")
    keys: str = Field(default="", description="A SELECT, or a file, that gives the keys to ask for, one column.")
    runs: int = Field(default=40, ge=1, le=10_000, description="How often a timed query is asked.")
    p50_ms: float | None = Field(default=None, gt=0, description="Half of the answers come within this.")
    p95_ms: float | None = Field(default=None, gt=0, description="Nineteen of twenty answers come within this.")
    at_most: float | None = Field(default=None, description="The query gives a number, and this is the most.")
    at_least: float | None = Field(default=None, description="The query gives a number, and this is the least.")
    unit: str = Field(default="", description="What the number counts: `%`, rows.")
    queries: int = Field(default=1, ge=1, description="How many queries the application makes for it.")
    index: bool = Field(default=False, description="The answer comes by indexes: no large table is read whole.")
    document: str = Field(default="", description="What was promised, in the document's own words.")
    timeout_seconds: float = Field(default=60, gt=0, le=3600, description="How long one answer may take.")

    @property
    def timed(self) -> bool:
        """Whether its time is measured, not its number."""
        return self.at_most is None and self.at_least is None

    @model_validator(mode="after")
    def _one_sort(self) -> Measure:
        if not self.timed and (self.p50_ms is not None or self.p95_ms is not None or self.keys or self.index):
            message = "a measure is of a time (p50_ms, p95_ms) or of a number (at_most, at_least), not of both"
            raise ValueError(message)
        return self
