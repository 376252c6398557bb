"""`refresh:` of a stage: the materialized views that are computed again, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator

from orchestrator.mapping.model import Strict

_FIELDS: Final = 5
_USUAL_MINUTES: Final = 60.0


class Refresh(Strict):
    """A materialized view that is computed again by the clock, after writes, or both."""

    view: str = Field(pattern=r"^[^.]+\..+$", description="Its name with its schema; an expand file makes it.")
    every_minutes: float | None = Field(
        default=None, gt=0, description="How old it may become; 60 if none of the three is given."
    )
    cron: str | None = Field(
        default=None, description="When it is refreshed: minute, hour, day, month, day of the week; in UTC."
    )
    minutes_after_writes: float | None = Field(
        default=None, gt=0, description="A write to a table that it reads shows in it after so many minutes."
    )

    @field_validator("cron")
    @classmethod
    def _says_when(cls, given: str | None) -> str | None:
        if given is None:
            return None
        if len(given.split()) != _FIELDS:
            message = f"{given!r}: a cron expression has five fields: minute, hour, day, month, day of the week"
            raise ValueError(message)
        try:
            next(CronSim(given, datetime.now(UTC)))
        except CronSimError as exc:
            message = f"{given!r} is no cron expression: {exc}"
            raise ValueError(message) from exc
        except StopIteration:
            message = f"{given!r} names a moment that never comes"
            raise ValueError(message) from None
        return given

    @property
    def oldest_minutes(self) -> float | None:
        """How old it may become; None where a cron expression or writes alone decide."""
        given = self.every_minutes is not None or self.cron is not None or self.minutes_after_writes is not None
        return self.every_minutes if given else _USUAL_MINUTES
