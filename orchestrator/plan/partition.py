"""`partition:` of a stage: which partitions a table of the new schema has, by year or by month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from orchestrator.kernel.identifiers import bounded
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import table_name
from orchestrator.mapping.model import Strict

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = 12


@dataclass(frozen=True)
class Period:
    """The rows of one partition: from `begins` on, before `ends`."""

    schema: str
    name: str
    begins: datetime
    ends: datetime

    @property
    def sql(self) -> str:
        """The partition."""
        return sql_name((self.schema, self.name))


class Partition(Strict):
    """A table that an expand file of the stage makes with PARTITION BY RANGE of a date or a time."""

    table: str = Field(pattern=r"^[^.]+\..+$", description="Its name with its schema.")
    every: Literal["year", "month"] = Field(default="year", description="What one partition holds.")
    since: str | None = Field(
        default=None,
        pattern=r"^\d{4}(-(0[1-9]|1[0-2]))?$",
        description="The first one (2019, or 2019-03); left out, the current one.",
    )
    ahead: int = Field(default=1, ge=1, description="How many there are beyond the current one.")
    default: bool = Field(default=True, description="Whether a default partition takes what no other one does.")

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name of the table."""
        return table_name(self.table)

    @property
    def sql(self) -> str:
        """The table."""
        return sql_name(self.parts)

    @property
    def rest(self) -> str:
        """The default partition."""
        schema, name = self.parts
        return sql_name((schema, bounded(name, "default")))

    def periods(self, now: datetime, *, all_of_them: bool) -> Iterator[Period]:
        """The partitions that are to be there at this moment, from the current one on or all of them."""
        step = 1 if self.every == "month" else _MONTHS
        current = self._month(now)
        first = current if self.since is None or not all_of_them else self._month(self._since)
        for month in range(first, current + self.ahead * step + 1, step):
            begins, ends = (datetime(m // _MONTHS, m % _MONTHS + 1, 1, tzinfo=UTC) for m in (month, month + step))
            schema, name = self.parts
            yield Period(
                schema, bounded(name, f"{begins:%Y_%m}" if self.every == "month" else f"{begins:%Y}"), begins, ends
            )

    @property
    def _since(self) -> datetime:
        year, _, month = (self.since or "").partition("-")
        return datetime(int(year), int(month or 1), 1, tzinfo=UTC)

    def _month(self, of: datetime) -> int:
        """The first month of the period in which a moment is, counted from the year 0."""
        return of.year * _MONTHS + (of.month - 1 if self.every == "month" else 0)
