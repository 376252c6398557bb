"""A real Prometheus with our own alert rules, sped up: it scrapes every two seconds, and waits one where they wait."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

from orchestrator.demo.ports import free_port
from tests.support.running import eventually
from tests.support.tools import program

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES: Final = Path(__file__).parents[2] / "deploy/prometheus/alerts.yml"


class Prometheus:
    """Runs for as long as the `with` block lasts."""

    def __init__(self, folder: Path, ports: Iterable[int]) -> None:
        self.ports = list(ports)
        rules = yaml.safe_load(RULES.read_text())
        self.alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
        for group in rules["groups"]:
            for rule in group["rules"]:
                # What is absent before the first scrape is no news.
                if "absent(" not in rule["expr"]:
                    rule["for"] = "1s"
        (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
        config = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "500ms"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {
                    "job_name": "changeover",
                    "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in self.ports]}],
                }
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._port = free_port()
        self._folder = folder
        self._argv = [
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        eventually(self._ready)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _ready(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            return self.query("vector(1)") != []
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression gives now."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{query}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one number that an expression gives now, None where it gives none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {each["metric"]["alertname"] for each in self.query('ALERTS{alertstate="firing"}')}

    def fired(self) -> set[str]:
        """Every alert that has fired since the beginning."""
        past = self.query('max_over_time(ALERTS{alertstate="firing"}[1h])')
        return {each["metric"]["alertname"] for each in past}
