"""The driver's handle on a scripted application, and the proof that nothing of what it wrote is lost."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.demo.application.process import AppProcess
from orchestrator.demo.scripted.__main__ import KEPT
from orchestrator.demo.verdict import Difference, Verdict
from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from orchestrator.demo.scripted.script import Script


@dataclass(frozen=True)
class Clients:
    """How many, and how busy they are together."""

    old: int = 4
    new: int = 4
    rate: float = 50
    seed: int = 1


class ScriptedApplication(AppProcess):
    """The application of a plan, running."""

    def __init__(self, dsn: str, folder: Path, plan: str, clients: Clients, *, name: str = "app") -> None:
        """`plan` is a name or a folder; `name` is new to the database."""
        options = {"--plan": plan, "--old": clients.old, "--new": clients.new, "--rate": clients.rate}
        super().__init__("orchestrator.demo.scripted", dsn, folder, {**options, "--seed": clients.seed, "--name": name})
        self._mine = f"{name}-"

    def open(self, stage: str) -> None:
        """Let the new version work with what a stage has made."""
        self._tell(f"open {stage}")

    def close(self) -> None:
        """Let the new version do what the old one does."""
        self._tell("close")

    def kept(self) -> dict[str, dict[str, Any]]:
        """By record: acknowledged writes, tags that must be there, tags in doubt; only after `stop`."""
        found: dict[str, dict[str, Any]] = json.loads((self._folder / KEPT).read_text(encoding="utf-8"))
        return found

    def check(self, dsn: str, script: Script, *, after: str = "", places: Collection[str] | None = None) -> Verdict:
        """Whether each tag is in each place exactly once, and no other is; when nobody writes.

        `after` says what has happened, beside the name of each place; `places` leaves others out.
        """
        kept, checked, differences = self.kept(), Counter[str](), list[Difference]()
        wanted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)  # by place and query: records share places
        for name, record in script.records.items():
            for found_by in record.found.items():
                wanted[found_by].update(kept[name]["tags"])
        doubtful = {tag for each in kept.values() for tag in each["doubtful"]}
        with connect(dsn, role="demo") as conn:
            for (place, query), tags in wanted.items():
                if places is not None and place not in places:
                    continue
                called = f"{place}{after}"
                found = [tag for (tag,) in conn.execute(query.encode()) if (tag or "").startswith(self._mine)]
                there = Counter(tag for tag in found if tag not in doubtful)
                checked[called] += tags.total()
                differences += [Difference(called, tag, ("is not there",)) for tag in tags - there]
                differences += [Difference(called, tag, ("is there too often",)) for tag in there - tags]
        return Verdict(
            writes=sum(each["writes"] for each in kept.values()),
            rows=sum(len(each["tags"]) for each in kept.values()),
            doubtful=sum(len(each["doubtful"]) for each in kept.values()),
            places=dict(checked),
            differences=tuple(differences),
        )
