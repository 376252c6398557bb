"""Complaints of the lint, and the diagnostics that collects them with their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from orchestrator.mapping.expressions import Path
    from orchestrator.plan.places import Places

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong, and where."""

    level: Level
    code: str
    file: str
    line: int
    message: str
    stage: int | None = None
    """The number of the stage it is about; None where it is about the plan."""

    def __str__(self) -> str:
        """As compilers write it, so that editors find the place."""
        return f"{self.file}:{self.line}: {self.level}: {self.message} [{self.code}]"


@dataclass(frozen=True)
class Diagnostics:
    """Takes complaints about `plan.yaml` by the path of keys, about other files by their line."""

    places: Places
    prefix: Path = ()
    complaints: list[Complaint] = field(default_factory=list)

    def under(self, *path: str | int) -> Diagnostics:
        """The same diagnostics for a part of the file."""
        return Diagnostics(self.places, (*self.prefix, *path), self.complaints)

    def error(
        self, code: str, message: str, *path: str | int, line: int | None = None, file: str = "plan.yaml"
    ) -> None:
        """Something that cannot work."""
        self._take("error", code, message, path, line, file)

    def warning(
        self, code: str, message: str, *path: str | int, line: int | None = None, file: str = "plan.yaml"
    ) -> None:
        """Something that is probably not meant."""
        self._take("warning", code, message, path, line, file)

    def _take(self, level: Level, code: str, message: str, path: Path, line: int | None, file: str) -> None:
        at = self.places.line((*self.prefix, *path)) if line is None else line
        whole = (*self.prefix, *path)
        stage = whole[1] if len(whole) > 1 and whole[0] == "stages" else None
        complaint = Complaint(level, code, file, at, message, stage if isinstance(stage, int) else None)
        # A file that two mappings name is read twice.
        if complaint not in self.complaints:
            self.complaints.append(complaint)
