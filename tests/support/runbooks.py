"""The runbooks and the alerts that lead to them, taken apart: sections, commands, queries."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final[dict[str, dict[str, Any]]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
EXAMPLE: Final = {
    "PLAN": "example",
    "STAGE": "customers",
    "PHASE": "verify",
    "FLAG": "USE_UNIFIED_CUSTOMERS",
    "PROBE": "replica_lag_seconds",
    "VALUE": "9",
    "REASON": "no_mail",
    "PID": "0",
}
"""What a person would fill in, in the example plan."""
_LABELS: Final = {"plan": "PLAN", "stage": "STAGE", "flag": "FLAG"}


@dataclass(frozen=True)
class Runbook:
    """One page."""

    name: str
    text: str

    @property
    def sections(self) -> dict[str, str]:
        """What stands under each heading."""
        parts = re.split(r"^## (.+)$", self.text, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    def commands(self, section: str | None = None) -> list[list[str]]:
        """Every command line of ours, as words, in blocks and in running text, with the words of the example."""
        text = self.text if section is None else self.sections[section]
        blocks = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        inline = re.findall(r"`(changeover [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
        return [words(line) for line in [*blocks.splitlines(), *inline]]

    def queries(self) -> list[str]:
        """Every statement of its SQL blocks."""
        blocks = re.findall(r"^```sql\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)
        return [each.strip() for block in blocks for each in block.split(";") if each.strip()]


def words(line: str) -> list[str]:
    """A command line without the name of the program, filled in."""
    found = shlex.split(re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda label: _LABELS[label[1]], line.replace("\n", " ")))
    assert found[0] == "changeover", line
    return [re.sub(r"\b[A-Z]+\b", lambda word: EXAMPLE.get(word[0], word[0]), each) for each in found[1:]]


BOOKS: Final = {
    path.stem: Runbook(path.stem, path.read_text())
    for path in sorted((DEPLOY.parent / "docs/operations/runbooks").glob("*.md"))
    if path.stem != "index"
}
